import { normaliseRecord } from '../core/dynamodb/normalise.ts';
import type { SeenAttribute } from '../core/infer.ts';
import { wantedColumns } from '../core/infer.ts';
import type { JsonStyle } from '../core/json-text.ts';
import type { NormaliseContext } from '../core/dynamodb/normalise.ts';
import { rowLayout } from '../core/row.ts';
import type { KeyAttributes, TableSchema } from '../core/schema.ts';
import { DEFAULT_SCHEMA_LIMITS, addColumns, initialSchema } from '../core/schema.ts';
import { BENCH_KEY, BENCH_TABLE } from './records.ts';

export const BENCH_KEY_ATTRIBUTES: KeyAttributes = BENCH_KEY.map((attribute) => ({ attribute, type: 'S' }));

/** When all of it was captured; nothing here tells the time. */
export const CAPTURED_AT_MICROS = 1_767_800_000_000_000;

/** The schema that capture infers from these records, nothing being declared. */
export function schemaOfRecords(records: Iterable<unknown>): TableSchema {
  const first = initialSchema(BENCH_KEY_ATTRIBUTES, {});
  const context = benchContext(first);
  const seen: SeenAttribute[] = [];
  for (const record of records) seen.push(...normaliseRecord(record, context).unknown);
  return addColumns(first, wantedColumns(seen), DEFAULT_SCHEMA_LIMITS);
}

/** What normalising the generated records needs. */
export function benchContext(schema: TableSchema, style?: JsonStyle): NormaliseContext {
  return {
    table: BENCH_TABLE,
    key: BENCH_KEY_ATTRIBUTES,
    layout: rowLayout(schema, style),
    capturedAtMicros: CAPTURED_AT_MICROS,
  };
}

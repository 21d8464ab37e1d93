import type { TypedRow } from './change.ts';
import type { RowLayout } from './row.ts';
import { parseRow, rowLayout, typedRow } from './row.ts';
import { scanRow } from './row-scan.ts';
import type { TableSchema } from './schema.ts';

/** Reads a `_row` back into typed cells of a schema: the inverse of `rowJson` and `typedRow` together. */
export function decodeRow(json: string, schema: TableSchema): TypedRow {
  return typedRow(scanRow(json, layoutOf(schema)) ?? parseRow(json, schema), schema);
}

const layouts = new WeakMap<TableSchema, RowLayout>();

/** The layout of a schema, made once for each. */
function layoutOf(schema: TableSchema): RowLayout {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  const made = rowLayout(schema);
  layouts.set(schema, made);
  return made;
}

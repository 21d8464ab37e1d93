import type { Column, ColumnType } from '../../column.ts';
import type { Dialect } from '../dialect.ts';
import { quoteText } from '../dialect.ts';

/** PostgreSQL 16 and newer. */
export const postgres: Dialect = {
  name: 'postgres',
  maxNameBytes: 63,
  typeName,
  types: {
    key: 'text',
    // Digits and a hyphen only: bytes are compared, and no language's rules.
    keyHash: 'text COLLATE "C"',
    version: 'text COLLATE "C"',
    timestamp: 'timestamp',
    json: 'jsonb',
  },
  keyHashConstraint: ' PRIMARY KEY',
  // A merge leaves the old row behind; what vacuum frees sooner, the next merges fill again.
  baseTableOptions: ' WITH (autovacuum_vacuum_scale_factor = 0.1)',
  viewOptions: '',
  ledgerConstraint: ', PRIMARY KEY ("table_name", "load")',
  now: `(clock_timestamp() AT TIME ZONE 'UTC')`,
  batchLimits: null,
};

function typeName(type: ColumnType): string {
  switch (type.kind) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'boolean';
    case 'binary':
      return 'bytea';
    case 'json':
      return 'jsonb';
    case 'long':
      return 'bigint';
    case 'double':
      return 'double precision';
    case 'decimal':
      return `numeric(${type.precision},${type.scale})`;
    case 'timestamp':
      return 'timestamp';
    case 'date':
      return 'date';
  }
}

/** A field of the staged row (`document`, a jsonb) as the column's type. */
export function jsonbField(document: string, column: Column): string {
  const name = quoteText(column.name, postgres);
  switch (column.type.kind) {
    case 'json':
      return `NULLIF(${document}->${name}, 'null')`;
    case 'binary':
      return `decode(${document}->>${name}, 'base64')`;
    default:
      return `CAST(${document}->>${name} AS ${typeName(column.type)})`;
  }
}

/** A timestamp from epoch microseconds. */
export function timestampOfEpoch(micros: string): string {
  return `TIMESTAMP 'epoch' + ${micros} * INTERVAL '1 microsecond'`;
}

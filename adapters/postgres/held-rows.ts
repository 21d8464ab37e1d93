import type { KeyHash } from '../../core/change.ts';
import type { Cell, Column } from '../../core/column.ts';
import type { TableSchema } from '../../core/schema.ts';
import { quoteName } from '../../core/sql/dialect.ts';
import { postgres } from '../../core/sql/dialects/postgres.ts';
import type { TableNames } from '../../core/sql/warehouse-table.ts';
import type { Version } from '../../core/version.ts';
import type { TargetRow } from '../../flows/ports.ts';

/** Reads every current row; a column that the table does not have yet is null. */
export function heldRowsQuery(names: TableNames, schema: TableSchema, heldColumns: ReadonlySet<string>): string {
  const columns = schema.columns.map((column) => (heldColumns.has(column.name) ? exactText(column) : 'NULL'));
  return `SELECT "_key_hash", "_version", "_rescued"::text, ${columns.join(', ')} FROM ${names.base} WHERE NOT "_deleted"`;
}

/** A column in a form whose text loses nothing. */
function exactText(column: Column): string {
  const name = quoteName(column.name, postgres);
  switch (column.type.kind) {
    case 'timestamp':
      return `(EXTRACT(EPOCH FROM ${name}) * 1000000)::bigint`;
    case 'date':
      return `${name} - DATE '1970-01-01'`;
    default:
      return name;
  }
}

/** Turns a row of `heldRowsQuery`, all texts, into cells. */
export function heldRowReader(schema: TableSchema): (texts: readonly (string | null)[]) => TargetRow {
  const readers = schema.columns.map((column) => readerOf(column));
  return (texts) => ({
    keyHash: (texts[0] ?? '') as KeyHash,
    version: (texts[1] ?? '') as Version,
    rescued: texts[2] ?? null,
    cells: readers.map((read, index): Cell => {
      const text = texts[index + 3] ?? null;
      return text === null ? null : read(text);
    }),
  });
}

function readerOf(column: Column): (text: string) => Cell {
  switch (column.type.kind) {
    case 'string':
    case 'json':
      return (text) => text;
    case 'boolean':
      return (text) => text === 't';
    case 'long':
    case 'timestamp':
      return BigInt;
    case 'double':
    case 'date':
      return Number;
    case 'decimal':
      // A numeric(p,s) always has its s digits after the point.
      return (text) => BigInt(text.replace('.', ''));
    case 'binary':
      return (text) => Buffer.from(text.slice(2), 'hex');
  }
}

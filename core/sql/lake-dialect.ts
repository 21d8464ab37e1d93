import type { Column } from '../column.ts';
import { instantText } from '../instant.ts';

/** What an engine that reads the lakehouse wants said its own way. A dialect is a table: it decides nothing. */
export interface LakeDialect {
  readonly name: 'athena' | 'duckdb';
  /** The longest statement in bytes; null where there is no limit. */
  readonly maxStatementBytes: number | null;
  /** A column's value out of the text `_row`, in the column's type, exactly. */
  field(column: Column): string;
  /** What was rescued, as JSON text, out of `_row`; null where all did fit. */
  readonly rescued: string;
  /** The column of the changelog that names the file of a row. */
  readonly fileColumn: string;
  /** A table as one snapshot has it. */
  atSnapshot(table: string, snapshotId: string): string;
  /** The time so many hours before the statement's, without zone, in UTC: constant for the engine, so that partitions prune. */
  hoursAgo(hours: number): string;
}

/** A name as both engines take it, whatever it holds. */
export function quoteLakeName(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** A string literal as both engines take it. */
export function quoteLakeText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A table of a database. */
export function lakeTableName(database: string, table: string): string {
  return `${quoteLakeName(database)}.${quoteLakeName(table)}`;
}

/** A timestamp literal, to the microsecond. */
export function timestampLiteral(epochMicros: number): string {
  return `TIMESTAMP '${instantText(BigInt(epochMicros))}'`;
}

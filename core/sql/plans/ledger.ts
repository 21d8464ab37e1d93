import type { Dialect } from '../dialect.ts';
import { quoteText } from '../dialect.ts';
import type { WarehouseTable } from '../warehouse-table.ts';
import { namesOf } from '../warehouse-table.ts';

/** How many loads of a table the ledger remembers. */
export const LEDGER_ROWS = 1000;

/** The counts and the mark of a load, as expressions. */
export interface LedgerEntry {
  readonly sequence: string;
  readonly snapshotId: string;
  readonly rows: string;
  readonly applied: string;
  readonly stale: string;
}

/** Writes a load into the ledger. Loads are numbered by the table's one writer, so a clock that jumps disorders none. */
export function recordLoad(table: WarehouseTable, entry: LedgerEntry, dialect: Dialect): string {
  const { ledger } = namesOf(table, dialect);
  const name = quoteText(table.table, dialect);
  return (
    `INSERT INTO ${ledger} ("table_name", "load", "sequence", "snapshot_id", "rows", "applied", "stale", "loaded_at")\n` +
    `SELECT ${name}, COALESCE(MAX("load"), 0) + 1, ${entry.sequence}, ${entry.snapshotId}, ${entry.rows}, ${entry.applied}, ${entry.stale}, ${dialect.now}\n` +
    `FROM ${ledger} WHERE "table_name" = ${name}`
  );
}

/** Forgets all but the newest loads of the table. */
export function trimLedger(table: WarehouseTable, dialect: Dialect): string {
  const { ledger } = namesOf(table, dialect);
  const name = quoteText(table.table, dialect);
  return (
    `DELETE FROM ${ledger} WHERE "table_name" = ${name} AND "load" <= ` +
    `(SELECT MAX("load") - ${LEDGER_ROWS} FROM ${ledger} WHERE "table_name" = ${name})`
  );
}

/** Asks for the mark of the newest load: `sequence` and `snapshot_id`, or no row. */
export function markQuery(table: WarehouseTable, dialect: Dialect): string {
  const { ledger } = namesOf(table, dialect);
  return `SELECT "sequence", "snapshot_id" FROM ${ledger} WHERE "table_name" = ${quoteText(table.table, dialect)} ORDER BY "load" DESC LIMIT 1`;
}

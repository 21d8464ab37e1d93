import type { Dialect } from '../dialect.ts';
import { quoteText } from '../dialect.ts';
import type { WarehouseTable } from '../warehouse-table.ts';
import { DEFAULT_VIEW_SCHEMA, namesOf } from '../warehouse-table.ts';

/** How many loads of a table the ledger remembers. */
export const LEDGER_ROWS = 1000;

/** The counts and the mark of a load, as expressions. */
export interface LedgerEntry {
  readonly sequence: string;
  readonly snapshotId: string;
  readonly rows: string;
  readonly applied: string;
  readonly stale: string;
  /** Epoch microseconds of the newest commit among the changes; only where the load learns it in the warehouse. */
  readonly newestCommittedAt?: string;
}

/** Writes a load into the ledger. Loads are numbered by the table's one writer, so a clock that jumps disorders none. */
export function recordLoad(table: WarehouseTable, entry: LedgerEntry, dialect: Dialect): string {
  const { ledger } = namesOf(table, dialect);
  const name = quoteText(table.table, dialect);
  const [column, value] =
    entry.newestCommittedAt === undefined ? ['', ''] : [', "newest_committed_at"', `, ${entry.newestCommittedAt}`];
  return (
    `INSERT INTO ${ledger} ("table_name", "load", "sequence", "snapshot_id", "rows", "applied", "stale", "loaded_at"${column})\n` +
    `SELECT ${name}, COALESCE(MAX("load"), 0) + 1, ${entry.sequence}, ${entry.snapshotId}, ${entry.rows}, ${entry.applied}, ${entry.stale}, ${dialect.now}${value}\n` +
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

/** Locks the ledger until the transaction ends. Loads begin with it, so that they go one after the other, whoever runs them. */
export function lockLedger(mirror: string, dialect: Dialect): string {
  return `LOCK TABLE ${ledgerOf(mirror, dialect)}`;
}

/** Forgets, for every table of the mirror, loads that are older than the newest: their numbers rise over all tables. */
export function forgetLoads(mirror: string, newestSequence: number, dialect: Dialect): string {
  return `DELETE FROM ${ledgerOf(mirror, dialect)} WHERE "sequence" <= ${newestSequence - LEDGER_ROWS}`;
}

/**
 * Asks what a load did: one row a table, `table_name`, `snapshot_id`, `rows`, `applied`, `newest_committed_at`, all as
 * text. No row: it was not done, or is older than what the ledger remembers.
 */
export function loadQuery(mirror: string, sequence: number, dialect: Dialect): string {
  const columns = ['table_name', 'snapshot_id', 'rows', 'applied', 'newest_committed_at'];
  const texts = columns.map((name) => `CAST("${name}" AS VARCHAR(256)) AS "${name}"`).join(', ');
  return `SELECT ${texts} FROM ${ledgerOf(mirror, dialect)} WHERE "sequence" = ${sequence} ORDER BY "table_name", "load"`;
}

function ledgerOf(mirror: string, dialect: Dialect): string {
  return namesOf({ mirror, table: '_', viewSchema: DEFAULT_VIEW_SCHEMA }, dialect).ledger;
}

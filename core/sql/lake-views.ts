import { changelogName } from '../lake-tables.ts';
import type { TableSchema } from '../schema.ts';
import { athena } from './dialects/athena.ts';
import { duckdb } from './dialects/duckdb.ts';
import type { LakeDialect } from './lake-dialect.ts';
import { lakeTableName, quoteLakeName } from './lake-dialect.ts';
import { LOOK_BACK_SLACK_MINUTES, newestChanges, selectChanges } from './newest-changes.ts';

/** What the lakehouse's derived views are made of: names or parenthesised queries. */
export interface LakeSources {
  readonly state: string;
  readonly changes: string;
  /** The changes that the state has not merged yet; others among them do no harm. */
  readonly unmerged: string;
}

/** Firehose may deliver a change a day late; a merge follows within the hour. */
const UNMERGED_HOURS = 25;

/** The names of the views of a table. */
export function lakeViewNames(table: string): { readonly live: string; readonly history: string } {
  return { live: `${table}_live`, history: `${table}_history` };
}

const OWN = ['_key_hash', '_version', '_committed_at', '_rescued'];

/** The columns of the live view, in order. */
export function liveColumns(schema: TableSchema): readonly string[] {
  return [...schema.columns.map((column) => column.name), ...OWN];
}

/**
 * The state and what is not merged yet: the newest version of each key that is not a delete. As a merge does, it looks
 * back at the deletes since the oldest unmerged commit: a late change must not bring a row back. Few rows are fresh, so
 * they are joined to the state, whose columns then prune and filter as if it were read alone.
 */
export function liveView(schema: TableSchema, sources: LakeSources, dialect: LakeDialect = duckdb): string {
  const oldest = `(SELECT min("_committed_at") FROM ${sources.unmerged}) - INTERVAL '${LOOK_BACK_SLACK_MINUTES}' MINUTE`;
  const deletes = selectChanges(sources.changes, `"_op" = 'delete' AND "_committed_at" >= ${oldest}`);
  const fresh = newestChanges(`${selectChanges(sources.unmerged)}\nUNION ALL\n${deletes}`);
  const merged = liveColumns(schema).map((column) => `s.${quoteLakeName(column)}`);
  // `_row` is in the fresh side alone.
  const fields = schema.columns.map((column) => `${dialect.field(column)} AS ${quoteLakeName(column.name)}`);
  const own = ['f."_key_hash"', 'f."_version"', 'f."_committed_at"', `${dialect.rescued} AS "_rescued"`];
  const held = `SELECT "_key_hash" AS "_held_hash", "_version" AS "_held_version" FROM ${sources.state}`;
  return (
    `WITH "_fresh" AS (\n${fresh}\n)\n` +
    `SELECT ${merged.join(', ')}\nFROM ${sources.state} AS s\nLEFT JOIN (SELECT "_key_hash", "_version" FROM "_fresh") AS f ON f."_key_hash" = s."_key_hash"\n` +
    `WHERE f."_version" IS NULL OR f."_version" <= s."_version"\nUNION ALL\n` +
    `SELECT ${[...fields, ...own].join(', ')}\nFROM (${held}) AS h\nRIGHT JOIN "_fresh" AS f ON h."_held_hash" = f."_key_hash"\n` +
    `WHERE f."_op" <> 'delete' AND (h."_held_version" IS NULL OR h."_held_version" < f."_version")`
  );
}

/** The columns of the history view, in order. */
export function historyColumns(schema: TableSchema): readonly string[] {
  const own = ['_rescued', '_key_hash', '_version', '_op', '_cause', '_valid_from', '_valid_to'];
  return [...schema.columns.map((column) => column.name), ...own];
}

/**
 * Every version of every row, with when it held: from its commit until the next one's, a delete's too. A snapshot's row
 * stands first, whenever it was read: where the stream had something older than the reading, it never held.
 */
export function historyView(schema: TableSchema, sources: LakeSources, dialect: LakeDialect = duckdb): string {
  const columns = '"_key_hash", "_version", "_op", "_cause", "_committed_at", "_row"';
  const ranked = `SELECT ${columns}, row_number() OVER (PARTITION BY "_key_hash", "_version" ORDER BY "_captured_at", "_schema", "_row") AS "_rank" FROM ${sources.changes}`;
  const distinct = `SELECT ${columns} FROM (\n${ranked}\n) WHERE "_rank" = 1`;
  const spans =
    `SELECT "_key_hash", "_version", "_op", "_cause", "_row", "_committed_at" AS "_valid_from", ` +
    `lead("_committed_at") OVER (PARTITION BY "_key_hash" ORDER BY "_version") AS "_valid_to" FROM (\n${distinct}\n)`;
  const fields = schema.columns.map((column) => `${dialect.field(column)} AS ${quoteLakeName(column.name)}`);
  const own = [
    `${dialect.rescued} AS "_rescued"`,
    '"_key_hash", "_version", "_op", "_cause", "_valid_from", "_valid_to"',
  ];
  return (
    `SELECT ${[...fields, ...own].join(', ')}\nFROM (\n${spans}\n)\n` +
    `WHERE "_op" <> 'delete' AND ("_op" <> 'snapshot' OR "_valid_to" IS NULL OR "_valid_to" > "_valid_from")`
  );
}

/**
 * The statements that make or replace the views of a table in Athena: first `<table>_live`, then `<table>_history`. The
 * state table must have the schema's columns already.
 */
export function athenaViewStatements(table: string, database: string, schema: TableSchema): readonly string[] {
  const changes = lakeTableName(database, changelogName(table));
  const sources: LakeSources = {
    state: lakeTableName(database, table),
    changes,
    unmerged: `(SELECT * FROM ${changes} WHERE "_captured_at" > ${athena.hoursAgo(UNMERGED_HOURS)})`,
  };
  const names = lakeViewNames(table);
  return [
    `CREATE OR REPLACE VIEW ${lakeTableName(database, names.live)} AS\n${liveView(schema, sources, athena)}`,
    `CREATE OR REPLACE VIEW ${lakeTableName(database, names.history)} AS\n${historyView(schema, sources, athena)}`,
  ];
}

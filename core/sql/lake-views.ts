import type { Column, ColumnType } from '../column.ts';
import type { TableSchema } from '../schema.ts';

/** What the lakehouse's derived views are made of: names or parenthesised queries in DuckDB's SQL. */
export interface LakeSources {
  readonly state: string;
  readonly changes: string;
  /** The changes that the state has not merged yet. */
  readonly unmerged: string;
}

function name(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** A column's value out of `_row`, in DuckDB's SQL. Numbers stand there exactly, as text where a JSON number would lose digits. */
function fieldOf(column: Column): string {
  const path = `'$."${column.name}"'`;
  if (column.type.kind === 'json') return `nullif(json_extract("_row", ${path}), 'null')::VARCHAR`;
  return cast(`json_extract_string("_row", ${path})`, column.type);
}

function cast(text: string, type: ColumnType): string {
  switch (type.kind) {
    case 'string':
    case 'json':
      return text;
    case 'decimal':
      return castDecimal(text, type.precision, type.scale);
    case 'long':
      return `${text}::BIGINT`;
    case 'double':
      return `${text}::DOUBLE`;
    case 'boolean':
      return `${text}::BOOLEAN`;
    case 'binary':
      return `from_base64(${text})`;
    case 'timestamp':
      return `${text}::TIMESTAMP`;
    case 'date':
      return `${text}::DATE`;
  }
}

/** DuckDB casts text to a decimal of more than 18 digits two hundred times slower than to a smaller one: most values fit the smaller. */
function castDecimal(text: string, precision: number, scale: number): string {
  const whole = `${text}::DECIMAL(${precision},${scale})`;
  if (precision <= 18 || scale > 17) return whole;
  return `coalesce(TRY_CAST(${text} AS DECIMAL(18,${scale}))::DECIMAL(${precision},${scale}), ${whole})`;
}

function fieldList(schema: TableSchema): string {
  return schema.columns.map((column) => `${fieldOf(column)} AS ${name(column.name)}`).join(', ');
}

function nameList(schema: TableSchema): string {
  return schema.columns.map((column) => name(column.name)).join(', ');
}

const RESCUED = `json_extract("_row", '$._rescued')::VARCHAR`;

/** The state and what is not merged yet: the newest version of each key that is not a delete. */
export function liveView(schema: TableSchema, sources: LakeSources): string {
  const own = '"_key_hash", "_version", "_committed_at"';
  const merged = `SELECT ${nameList(schema)}, ${own}, "_rescued", false AS "_gone" FROM ${sources.state}`;
  const fresh = `SELECT ${fieldList(schema)}, ${own}, ${RESCUED} AS "_rescued", "_op" = 'delete' AS "_gone" FROM ${sources.unmerged}`;
  const newest = `SELECT * FROM (${merged} UNION ALL BY NAME ${fresh}) QUALIFY row_number() OVER (PARTITION BY "_key_hash" ORDER BY "_version" DESC) = 1`;
  return `SELECT * EXCLUDE ("_gone") FROM (${newest}) WHERE NOT "_gone"`;
}

/**
 * Every version of every row, with when it held: from its commit until the next one's, a delete's too. A snapshot's row
 * stands first, whenever it was read: where the stream had something older than the reading, it never held.
 */
export function historyView(schema: TableSchema, sources: LakeSources): string {
  const distinct = `SELECT * FROM ${sources.changes} QUALIFY row_number() OVER (PARTITION BY "_key_hash", "_version") = 1`;
  const spans = `SELECT *, "_committed_at" AS "_valid_from", lead("_committed_at") OVER (PARTITION BY "_key_hash" ORDER BY "_version") AS "_valid_to" FROM (${distinct})`;
  return `SELECT ${fieldList(schema)}, ${RESCUED} AS "_rescued", "_key_hash", "_version", "_op", "_cause", "_valid_from", "_valid_to" FROM (${spans}) WHERE "_op" <> 'delete' AND ("_op" <> 'snapshot' OR "_valid_to" IS NULL OR "_valid_to" > "_valid_from")`;
}

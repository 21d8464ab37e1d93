import { createHash } from 'node:crypto';
import type { TypedRow } from '../change.ts';
import type { KeyHash } from '../change.ts';
import type { Cell, Column } from '../column.ts';
import { dayOf, microsOfIso } from '../instant.ts';
import { canonicalJson } from '../row.ts';
import type { TableSchema } from '../schema.ts';
import type { Version } from '../version.ts';
import { quoteName, quoteText, utf8Bytes } from './dialect.ts';
import { redshift } from './dialects/redshift.ts';
import { lakeTableName, quoteLakeName, quoteLakeText } from './lake-dialect.ts';
import type { WarehouseTable } from './warehouse-table.ts';
import { namesOf } from './warehouse-table.ts';

/** Questions for every row that a deployed target has, each value in a text that loses nothing, and how the answer is read. */

/** Which rows, and which columns the table has: it may not have had a change since a column was registered. */
export interface RowsWanted {
  readonly schema: TableSchema;
  readonly held: ReadonlySet<string>;
  /** Null: all of them. */
  readonly keyHashes: readonly KeyHash[] | null;
}

/** The current rows of a state table in the lake: key hash, version, rescued, then the schema's columns. */
export function athenaRowsQuery(database: string, table: string, { schema, held, keyHashes }: RowsWanted): string {
  const columns = schema.columns.map((column) =>
    held.has(column.name) ? athenaText(column) : 'CAST(NULL AS VARCHAR)',
  );
  const where = keyHashes === null ? '' : `\nWHERE "_key_hash" IN (${keyHashes.map(quoteLakeText).join(', ')})`;
  const select = ['"_key_hash"', '"_version"', '"_rescued"', ...columns];
  return `SELECT\n${listed(select)}\nFROM ${lakeTableName(database, table)}${where}`;
}

/** The names of a lake table's columns. */
export function athenaColumnsQuery(database: string, table: string): string {
  return `SELECT column_name FROM information_schema.columns WHERE table_schema = ${quoteLakeText(database)} AND table_name = ${quoteLakeText(table)}`;
}

function athenaText({ name, type }: Column): string {
  const column = quoteLakeName(name);
  switch (type.kind) {
    case 'string':
    case 'json':
      return column;
    case 'binary':
      return `to_base64(${column})`;
    default:
      return `CAST(${column} AS VARCHAR)`;
  }
}

/** The current rows of a base table in Redshift, in the same order of columns. */
export function redshiftRowsQuery(table: WarehouseTable, { schema, held, keyHashes }: RowsWanted): string {
  const most = longestText(schema);
  const columns = schema.columns.map((column) =>
    held.has(column.name) ? redshiftText(column, most) : 'NULL::VARCHAR',
  );
  const keys = keyHashes?.map((keyHash) => quoteText(keyHash, redshift)).join(', ');
  const where = keys === undefined ? '' : ` AND "_key_hash" IN (${keys})`;
  const select = ['"_key_hash"', '"_version"', jsonText('"_rescued"', most), ...columns];
  return `SELECT\n${listed(select)}\nFROM ${namesOf(table, redshift).base}\nWHERE NOT "_deleted"${where}`;
}

function listed(expressions: readonly string[]): string {
  return expressions.map((expression) => `  ${expression}`).join(',\n');
}

/** The Data API gives rows of at most 64 KB, and every column that may be long has to have room in one. */
const ROW_BYTES = 60_000;
/** What may stand in the columns that are never long. */
const SHORT_COLUMN_BYTES = 64;
const LEAST_TEXT_BYTES = 80;

/** Longer texts than so many bytes are compared by their length and hash. */
function longestText(schema: TableSchema): number {
  const long = schema.columns.filter(({ type }) => isLong(type.kind)).length + 1;
  const room = ROW_BYTES - schema.columns.length * SHORT_COLUMN_BYTES;
  return Math.max(LEAST_TEXT_BYTES, Math.floor(room / long));
}

function isLong(kind: Column['type']['kind']): boolean {
  return kind === 'string' || kind === 'json' || kind === 'binary';
}

function redshiftText(column: Column, most: number): string {
  const name = quoteName(column.name, redshift);
  switch (column.type.kind) {
    case 'string':
      return shortOrHashed(name, `OCTET_LENGTH(${name})`, most);
    case 'binary':
      return shortOrHashed(`FROM_VARBYTE(${name}, 'base64')`, `OCTET_LENGTH(FROM_VARBYTE(${name}, 'base64'))`, most);
    case 'json':
      return jsonText(name, most);
    case 'boolean':
      return `CASE WHEN ${name} THEN 'true' WHEN NOT ${name} THEN 'false' END`;
    case 'timestamp':
      return `TO_CHAR(${name}, 'YYYY-MM-DD HH24:MI:SS.US')`;
    case 'date':
      return `TO_CHAR(${name}, 'YYYY-MM-DD')`;
    case 'decimal':
    case 'long':
      return `${name}::VARCHAR(64)`;
    case 'double':
      // As a text it would have fifteen digits only; the Data API gives a double as it is.
      return name;
  }
}

function shortOrHashed(text: string, bytes: string, most: number): string {
  return `CASE WHEN ${bytes} <= ${most} THEN ${text} ELSE '${MARK}' || SHA2(${text}, 256) END`;
}

/** A document of over 65,535 bytes cannot be made a text, so only its size is asked. */
function jsonText(name: string, most: number): string {
  const text = `JSON_SERIALIZE(${name})`;
  const size = `JSON_SIZE(${name})`;
  return (
    `CASE WHEN ${size} <= ${most} THEN ${text} ` +
    `WHEN ${size} <= ${LONGEST_VARCHAR} THEN '"${MARK}' || SHA2(${text}, 256) || '"' ELSE '"${SIZE_MARK}' || ${size}::VARCHAR || '"' END`
  );
}

const MARK = '#sha256:';
const SIZE_MARK = '#bytes:';
const LONGEST_VARCHAR = 65_535;

/** The typed row with what the question above asks by hash or size only in the place of what is long. */
export function asAskedOfRedshift(row: TypedRow, schema: TableSchema): TypedRow {
  const most = longestText(schema);
  return {
    cells: row.cells.map((cell, index) => markedCell(cell, schema.columns[index]?.type.kind ?? 'string', most)),
    rescued: row.rescued === null ? null : markedJson(row.rescued, most),
  };
}

function markedCell(cell: Cell, kind: Column['type']['kind'], most: number): Cell {
  if (cell instanceof Uint8Array) return markedBinary(cell, most);
  if (typeof cell !== 'string') return cell;
  return kind === 'json' ? markedJson(cell, most) : utf8Bytes(cell) <= most ? cell : MARK + sha256(cell);
}

function markedBinary(cell: Uint8Array, most: number): Cell {
  const base64 = Buffer.from(cell).toString('base64');
  return base64.length <= most ? cell : MARK + sha256(base64);
}

function markedJson(text: string, most: number): string {
  const canonical = canonicalJson(JSON.parse(text));
  const bytes = utf8Bytes(canonical);
  if (bytes <= most) return canonical;
  return bytes <= LONGEST_VARCHAR ? `"${MARK}${sha256(canonical)}"` : `"${SIZE_MARK}${bytes}"`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A row of an answer. */
export interface AnsweredRow extends TypedRow {
  readonly keyHash: KeyHash;
  readonly version: Version;
}

/** Reads a row of either question. */
export function answeredRow(texts: readonly (string | null)[], schema: TableSchema): AnsweredRow {
  return {
    keyHash: (texts[0] ?? '') as KeyHash,
    version: (texts[1] ?? '') as Version,
    rescued: jsonOrNull(texts[2] ?? null),
    cells: schema.columns.map((column, index) => cellOfText(texts[index + 3] ?? null, column)),
  };
}

/** Redshift has a null of SUPER too, whose text is `null`. */
function jsonOrNull(text: string | null): string | null {
  return text === 'null' ? null : text;
}

function cellOfText(text: string | null, { type }: Column): Cell {
  if (text === null) return null;
  switch (type.kind) {
    case 'string':
      return text;
    case 'json':
      return jsonOrNull(text);
    case 'boolean':
      return text === 'true';
    case 'long':
      return BigInt(text);
    case 'double':
      return Number(text);
    case 'decimal': {
      const [whole = '', fraction = ''] = text.split('.');
      return BigInt(whole + fraction.padEnd(type.scale, '0'));
    }
    case 'timestamp':
      return microsOfIso(text);
    case 'date':
      return dayOf(text);
    case 'binary':
      return text.startsWith(MARK) ? text : Buffer.from(text, 'base64');
  }
}

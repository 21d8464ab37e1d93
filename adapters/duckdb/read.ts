import {
  type DuckDBConnection,
  type DuckDBValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import type { LiveFile, SnapshotFiles } from '../../core/iceberg/data-file.ts';
import type { IcebergField } from '../../core/iceberg/fields.ts';
import type { Cell } from './column-vectors.ts';
import { type Duck, withConnection } from './connection.ts';
import { duckType, quoteName, quoteText } from './sql-text.ts';

/** The rows of a snapshot, or of some of its files: the data files less the positions that the delete files name. */
export interface SnapshotRows {
  readonly fields: readonly IcebergField[];
  readonly files: SnapshotFiles;
}

/** In a query on `snapshotSelect`: the index of a row's data file in the order given, and its position in that file. */
export const FILE_COLUMN = '_file_index';
export const POSITION_COLUMN = '_file_position';

/** A list of texts as SQL. */
export function textList(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`;
}

/**
 * A SELECT of a snapshot's rows with its columns, by name and in order. Columns are found by field id, so a column that
 * a file lacks is null there. With `places`, FILE_COLUMN and POSITION_COLUMN come after them.
 */
export function snapshotSelect(rows: SnapshotRows, places = false): string {
  const { fields, files } = rows;
  // Inside, columns are named by id: a user's column may well be called "filename".
  const columns = fields.map((field) => `d.c${field.id} AS ${quoteName(field.name)}`);
  if (places) columns.push(`d.file_index AS ${FILE_COLUMN}`, `d.file_row_number AS ${POSITION_COLUMN}`);
  if (files.data.length === 0) return emptySelect(fields, places);
  const schema = fields.map(
    (field) => `${field.id}: {name: 'c${field.id}', type: '${duckType(field.type)}', default_value: NULL}`,
  );
  const paths = textList(files.data.map((file) => file.path));
  const source = `read_parquet(${paths}, schema = MAP {${schema.join(', ')}}, file_row_number = true)`;
  const inner = `SELECT ${fields.map((field) => `c${field.id}`).join(', ')}, file_index, file_row_number FROM ${source}`;
  const select = `SELECT ${columns.join(', ')} FROM (${inner}) d`;
  if (files.deletes.length === 0) return select;
  return `${select} ANTI JOIN (${deletedPlaces(files)}) x ON d.file_index = x.file AND d.file_row_number = x.pos`;
}

function emptySelect(fields: readonly IcebergField[], places: boolean): string {
  const columns = fields.map((field) => `CAST(NULL AS ${duckType(field.type)}) AS ${quoteName(field.name)}`);
  if (places) columns.push(`0::UBIGINT AS ${FILE_COLUMN}`, `0::BIGINT AS ${POSITION_COLUMN}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
}

function deletedPlaces(files: SnapshotFiles): string {
  const places = files.data.map((file, index) => `(${quoteText(file.path)}, ${index}::UBIGINT)`).join(', ');
  const deletes = textList(files.deletes.map((file) => file.path));
  return `SELECT f.file, p.pos FROM read_parquet(${deletes}) p JOIN (VALUES ${places}) f(path, file) ON p.file_path = f.path`;
}

/** Makes a temporary view of a snapshot's rows, for queries by name on this connection. */
export async function createSnapshotView(
  connection: DuckDBConnection,
  name: string,
  rows: SnapshotRows,
): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP VIEW ${quoteName(name)} AS ${snapshotSelect(rows)}`);
}

/** Rows that came together: the value of each selected expression, by column. */
export interface ScannedChunk {
  readonly rowCount: number;
  readonly columns: readonly (readonly Cell[])[];
}

/** Some rows of a snapshot: expressions over its column names, and conditions as what follows FROM. */
export interface SnapshotQuery extends SnapshotRows {
  readonly select: readonly string[];
  /** Like `WHERE ... ORDER BY ...`; may use FILE_COLUMN and POSITION_COLUMN. */
  readonly clauses?: string;
}

/**
 * Streams the rows of a query. Cells are as in `Cell`: decimals unscaled, timestamps in microseconds, dates in days. An
 * expression of any other kind of value must be cast to one of these. Throws `unavailable` when a file cannot be read.
 */
export async function* scanRows(duck: Duck, query: SnapshotQuery): AsyncGenerator<ScannedChunk> {
  const select = query.select.join(', ');
  const sql = `SELECT ${select} FROM (${snapshotSelect(query, true)}) ${query.clauses ?? ''}`;
  const connection = await duck.connect();
  try {
    const result = await connection.stream(sql);
    for await (const chunk of result) {
      if (chunk.rowCount === 0) continue;
      const columns = query.select.map((_, index) => readCells(chunk.getColumnValues(index)));
      yield { rowCount: chunk.rowCount, columns };
    }
  } catch (cause) {
    throw new GlasshouseError('unavailable', `The lakehouse's files cannot be read: ${messageOf(cause)}.`, { cause });
  } finally {
    connection.closeSync();
  }
}

function readCells(values: DuckDBValue[]): Cell[] {
  const first = values.find((value) => value !== null);
  // Most columns need no conversion, and a vector has one kind of value.
  return typeof first === 'object' ? values.map(cellOf) : (values as Cell[]);
}

function cellOf(value: DuckDBValue): Cell {
  if (value instanceof DuckDBDecimalValue) return value.value;
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return value.micros;
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBBlobValue) return new Uint8Array(value.bytes);
  return value as Cell;
}

/** How many rows of each data file the delete files delete, by path. */
export async function countDeletedRows(duck: Duck, deletes: readonly LiveFile[]): Promise<ReadonlyMap<string, number>> {
  if (deletes.length === 0) return new Map();
  const paths = textList(deletes.map((file) => file.path));
  const sql = `SELECT file_path, count(DISTINCT pos)::DOUBLE FROM read_parquet(${paths}) GROUP BY file_path`;
  const rows = await withConnection(duck, async (connection) => (await connection.runAndReadAll(sql)).getRows());
  return new Map(rows.map(([path, count]) => [String(path), Number(count)]));
}

import { dirname } from 'node:path';
import { DuckDBDataChunk, type DuckDBAppender, type DuckDBConnection, DuckDBMapValue } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { GlasshouseError } from '../../core/errors.ts';
import type { DataFile, Partition, PartitionValue } from '../../core/iceberg/data-file.ts';
import type { IcebergField, PartitionField } from '../../core/iceberg/fields.ts';
import { diskError, removeQuietly, syncPath } from '../iceberg/durable-files.ts';
import { type ColumnValues, vectorFiller, vectorType } from './column-vectors.ts';
import type { Duck } from './connection.ts';
import { type CopyStatistics, describeDataFile } from './parquet-statistics.ts';
import { columnDefinitions, parquetOptions, quoteName, quoteText } from './sql-text.ts';
import { VECTOR_ROWS } from './text-vectors.ts';

/** Rows as columns, in the order of the fields; all of one length, which may be any. */
export type ColumnChunk = readonly ColumnValues[];

/** Rows that wait in DuckDB to be written to one file or, by partition, to several. Drop it when done. */
export interface RowStage {
  readonly rowCount: number;
  /** Takes rows, synchronously. Throws `bug` for a value that is not of its column's type. */
  append(chunk: ColumnChunk): void;
  /** Writes all rows, in the order they came, to a durable Parquet file. */
  write(path: string): Promise<DataFile>;
  /** Writes a durable file for each partition that has rows, keeping their order. `newPath` names each file. */
  writePartitions(parts: readonly PartitionField[], newPath: () => string): Promise<DataFile[]>;
  drop(): void;
}

/** Writes the rows to one durable Parquet file, in their order. Throws `unavailable` when the disk refuses. */
export async function writeParquet(
  duck: Duck,
  fields: readonly IcebergField[],
  chunks: Iterable<ColumnChunk> | AsyncIterable<ColumnChunk>,
  path: string,
): Promise<DataFile> {
  const stage = await stageRows(duck, fields);
  try {
    for await (const chunk of chunks) stage.append(chunk);
    return await stage.write(path);
  } finally {
    stage.drop();
  }
}

/** An empty stage for rows of these columns. */
export async function stageRows(duck: Duck, fields: readonly IcebergField[]): Promise<RowStage> {
  const connection = await duck.connect();
  try {
    await connection.run(`CREATE TEMP TABLE stage (${columnDefinitions(fields)})`);
    const appender = await connection.createAppender('stage', 'main', 'temp');
    return openStage(connection, fields, chunkAppender(appender, fields));
  } catch (cause) {
    connection.closeSync();
    throw cause;
  }
}

interface ChunkAppender {
  append(chunk: ColumnChunk): number;
  /** What was appended can be read from here on. Only once. */
  finish(): void;
}

function chunkAppender(appender: DuckDBAppender, fields: readonly IcebergField[]): ChunkAppender {
  const fillers = fields.map(vectorFiller);
  const chunk = DuckDBDataChunk.create(fields.map((field) => vectorType(field.type)));
  const vectors = fields.map((_, index) => duckdb.data_chunk_get_vector(chunk.chunk, index));
  const columns = fillers.map((fill, index) => ({ fill, vector: vectors[index] }));
  return {
    append(values) {
      const rows = values[0]?.length ?? 0;
      if (values.length !== fields.length || values.some((column) => column.length !== rows)) {
        throw new GlasshouseError(
          'bug',
          `${values.length} columns of unequal length were given for ${fields.length} fields.`,
        );
      }
      for (let from = 0; from < rows; from += VECTOR_ROWS) {
        const count = Math.min(VECTOR_ROWS, rows - from);
        chunk.rowCount = count;
        for (const [index, { fill, vector }] of columns.entries()) {
          const column = values[index];
          if (vector !== undefined && column !== undefined) fill(vector, column, from, count);
        }
        appender.appendDataChunk(chunk);
        // One chunk is used again and again: each would keep its text until the garbage collector comes by.
        chunk.reset();
      }
      return rows;
    },
    finish: () => appender.closeSync(),
  };
}

function openStage(connection: DuckDBConnection, fields: readonly IcebergField[], rows: ChunkAppender): RowStage {
  let rowCount = 0;
  let finished = false;
  const finish = () => {
    if (!finished) rows.finish();
    finished = true;
  };
  return {
    get rowCount() {
      return rowCount;
    },
    append(chunk) {
      rowCount += rows.append(chunk);
    },
    async write(path) {
      finish();
      return copyToParquet(connection, { source: 'FROM stage', fields, path, partition: {} });
    },
    async writePartitions(parts, newPath) {
      finish();
      const files: DataFile[] = [];
      for (const { partition, condition } of await listPartitions(connection, fields, parts)) {
        const source = `FROM stage WHERE ${condition}`;
        files.push(await copyToParquet(connection, { source, fields, path: newPath(), partition }));
      }
      return files;
    },
    drop() {
      // The temporary table goes with its connection; truncating it would keep the memory.
      connection.closeSync();
    },
  };
}

interface StagedPartition {
  readonly partition: Partition;
  readonly condition: string;
}

async function listPartitions(
  connection: DuckDBConnection,
  fields: readonly IcebergField[],
  parts: readonly PartitionField[],
): Promise<StagedPartition[]> {
  const expressions = parts.map((part) => {
    const column = quoteName(fields.find((field) => field.id === part.sourceId)?.name ?? part.name);
    return part.transform === 'day' ? `CAST(CAST(${column} AS DATE) - DATE '1970-01-01' AS INTEGER)` : column;
  });
  if (parts.length === 0) return [{ partition: {}, condition: 'true' }];
  const list = expressions.join(', ');
  const result = await connection.runAndReadAll(`SELECT DISTINCT ${list} FROM stage ORDER BY ${list}`);
  return result.getRows().map((row) => {
    const values = row.map((value): PartitionValue =>
      typeof value === 'string' || typeof value === 'number' ? value : null,
    );
    return {
      partition: Object.fromEntries(parts.map((part, index) => [part.name, values[index] ?? null])),
      condition: expressions
        .map((expression, index) => `${expression} IS NOT DISTINCT FROM ${literal(values[index] ?? null)}`)
        .join(' AND '),
    };
  });
}

function literal(value: PartitionValue): string {
  if (value === null) return 'NULL';
  return typeof value === 'number' ? String(value) : quoteText(value);
}

/** What `COPY` writes: the rows of `source`, which is what follows a SELECT's column list, with exactly these columns. */
export interface CopySource {
  readonly source: string;
  readonly fields: readonly IcebergField[];
  readonly path: string;
  readonly partition: Partition;
}

/**
 * Writes a query's rows to a durable Parquet file, in their order. Throws `unavailable`, and leaves no file, when the
 * disk refuses.
 */
export async function copyToParquet(connection: DuckDBConnection, copy: CopySource): Promise<DataFile> {
  const { source, fields, path, partition } = copy;
  const columns = fields.map((field) => quoteName(field.name)).join(', ');
  const sql = `COPY (SELECT ${columns} ${source}) TO ${quoteText(path)} ${parquetOptions(fields)}`;
  try {
    const result = await connection.runAndReadAll(sql);
    await Promise.all([syncPath(path), syncPath(dirname(path))]);
    return describeDataFile(copyStatistics(result.getRowObjects()[0] ?? {}), { path, partition, fields });
  } catch (cause) {
    await removeQuietly(path);
    throw diskError('write', path, cause);
  }
}

function copyStatistics(row: Readonly<Record<string, unknown>>): CopyStatistics {
  const columns = new Map<string, ReadonlyMap<string, string>>();
  for (const { key, value } of mapEntries(row.column_statistics)) {
    columns.set(String(key), new Map(mapEntries(value).map((entry) => [String(entry.key), String(entry.value)])));
  }
  return { recordCount: Number(row.count), sizeBytes: Number(row.file_size_bytes), columns };
}

function mapEntries(value: unknown): readonly { readonly key: unknown; readonly value: unknown }[] {
  return value instanceof DuckDBMapValue ? value.entries : [];
}

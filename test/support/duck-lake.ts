import type { DuckDBConnection } from '../../adapters/duckdb/connection.ts';
import { quoteName, quoteText } from '../../adapters/duckdb/sql-text.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { TableSchema } from '../../core/schema.ts';
import { duckdb } from '../../core/sql/dialects/duckdb.ts';

/** Makes the state table of some changes in DuckDB, as `"<database>"."<table>"`, each change a row. */
export async function createDuckState(
  connection: DuckDBConnection,
  place: { readonly database: string; readonly table: string },
  changes: readonly Envelope[],
  schema: TableSchema,
): Promise<void> {
  const name = `${quoteName(place.database)}.${quoteName(place.table)}`;
  const fields = schema.columns.map((column) => `${duckdb.field(column)} AS ${quoteName(column.name)}`);
  const values = changes.map(
    ({ keyHash, version, row }) => `('${keyHash}', '${version}', ${row === null ? 'NULL' : quoteText(row)})`,
  );
  await connection.run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(place.database)}`);
  await connection.run(
    `CREATE OR REPLACE TABLE ${name} AS SELECT "_key_hash", "_version", ${duckdb.rescued} AS "_rescued", ${fields.join(', ')} ` +
      `FROM (VALUES ${values.join(', ')}) t("_key_hash", "_version", "_row")`,
  );
}

/** The rows of a query whose every value is text or null, as Athena gives them. */
export async function textRows(connection: DuckDBConnection, sql: string): Promise<(string | null)[][]> {
  const answer = await connection.runAndReadAll(sql);
  return answer.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
}

import pg from 'pg';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { quoteName, quoteText } from '../../core/sql/dialect.ts';
import { postgres } from '../../core/sql/dialects/postgres.ts';
import type { WarehouseTable } from '../../core/sql/warehouse-table.ts';
import { DEFAULT_VIEW_SCHEMA, namesOf } from '../../core/sql/warehouse-table.ts';
import type { Target } from '../../flows/ports.ts';
import { connect } from './connections.ts';
import { createTableTarget } from './table-target.ts';

export interface WarehouseOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** The mirror's name: base tables and ledger go into the schema `<mirror>_base`. */
  readonly mirror: string;
  /** The schema of the views that users query; `public` where absent. */
  readonly viewSchema?: string;
}

/** What a query gave: every value as PostgreSQL's own text, null where there is none. */
export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** How large a table is: current rows, and bytes with indexes and what vacuum has not freed yet. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
}

/** A PostgreSQL warehouse of one mirror. */
export interface Warehouse {
  /** Host, port and database, without the password. */
  readonly address: string;
  target(table: string): Target;
  /** Runs one statement that only reads. Throws GlasshouseError `usage` where the statement is wrong. */
  query(sql: string): Promise<QueryResult>;
  /** Null where nothing was loaded into the table yet. */
  tableSize(table: string): Promise<TableSize | null>;
  close(): Promise<void>;
}

/** Opens a warehouse: one that `startPostgres` runs, or any PostgreSQL 16 or newer. Errors as those of `connect`. */
export async function openWarehouse(options: WarehouseOptions): Promise<Warehouse> {
  const viewSchema = options.viewSchema ?? DEFAULT_VIEW_SCHEMA;
  const tableOf = (table: string): WarehouseTable => ({ mirror: options.mirror, table, viewSchema });
  const connections = await connect(options.url);
  return {
    address: connections.address,
    target: (table) => createTableTarget(connections, tableOf(table)),
    query: (sql) =>
      connections.transaction('a query', 'BEGIN READ ONLY', async (client) => {
        await client.query(`SET LOCAL search_path = ${quoteName(viewSchema, postgres)}`);
        try {
          const result = await client.query<(string | null)[]>({
            text: sql,
            rowMode: 'array',
            types: { getTypeParser: () => (value: string) => value },
            // One statement only: a second one could end the transaction and write.
            queryMode: 'extended',
          } as pg.QueryArrayConfig);
          return { columns: result.fields.map((field) => field.name), rows: result.rows };
        } catch (thrown) {
          throw queryError(thrown);
        }
      }),
    tableSize: (table) =>
      connections.use(`measuring ${table}`, async (client) => {
        const { base } = namesOf(tableOf(table), postgres);
        const there = await client.query<{ bytes: string | null }>(
          `SELECT pg_total_relation_size(to_regclass(${quoteText(base, postgres)})) AS bytes`,
        );
        const bytes = there.rows[0]?.bytes ?? null;
        if (bytes === null) return null;
        const counted = await client.query<{ rows: string }>(
          `SELECT COUNT(*) AS rows FROM ${base} WHERE NOT "_deleted"`,
        );
        return { rows: Number(counted.rows[0]?.rows ?? 0), bytes: Number(bytes) };
      }),
    close: () => connections.close(),
  };
}

/** What a user got wrong in a statement is told in PostgreSQL's words. */
function queryError(thrown: unknown): unknown {
  if (!(thrown instanceof pg.DatabaseError) || !/^(42|22|25|0A)/.test(thrown.code ?? '')) return thrown;
  const missing =
    thrown.code === '42P01' ? ' The warehouse has the tables themselves; what is derived is in the lakehouse.' : '';
  const hint = thrown.hint === undefined ? '' : ` ${thrown.hint}`;
  return new GlasshouseError('usage', `The warehouse refused the query: ${messageOf(thrown)}.${hint}${missing}`, {
    cause: thrown,
  });
}

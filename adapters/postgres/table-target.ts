import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { ClientBase, PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { GlasshouseError } from '../../core/errors.ts';
import { newestPerKey } from '../../core/merge.ts';
import type { TableSchema } from '../../core/schema.ts';
import { postgres } from '../../core/sql/dialects/postgres.ts';
import { planAddColumns } from '../../core/sql/plans/add-columns.ts';
import { heldColumnsQuery, planCreate } from '../../core/sql/plans/create-warehouse.ts';
import { markQuery } from '../../core/sql/plans/ledger.ts';
import type { TypedLoad } from '../../core/sql/plans/load.ts';
import { planTypedLoad } from '../../core/sql/plans/load.ts';
import type { WarehouseTable } from '../../core/sql/warehouse-table.ts';
import { namesOf } from '../../core/sql/warehouse-table.ts';
import type { Applied, ChangelogMark, Target, TargetRow, TypedChange } from '../../flows/ports.ts';
import type { Connections } from './connections.ts';
import { copyChunks } from './copy-text.ts';
import { heldRowReader, heldRowsQuery } from './held-rows.ts';

/** How long a loader waits for another of the same table. */
const LOCK_WITHIN_MS = 30_000;
const ROWS_A_PIECE = 5000;
const CURSOR = '"_held"';
const UNDEFINED_TABLE = '42P01';

/** One table of a PostgreSQL warehouse as a target of the mirror. */
export function createTableTarget(connections: Connections, table: WarehouseTable): Target {
  /** The schema that the table was last brought to, and its load. */
  let ready: { readonly schemaVersion: number; readonly load: TypedLoad } | null = null;

  async function prepare(schema: TableSchema): Promise<TypedLoad> {
    if (ready?.schemaVersion === schema.version) return ready.load;
    await connections.transaction(`preparing table ${table.table}`, 'BEGIN', async (client) => {
      await lock(client, table);
      await bringTo(client, table, schema);
    });
    ready = { schemaVersion: schema.version, load: planTypedLoad(table, schema) };
    return ready.load;
  }

  return {
    mark: () => connections.use(`reading the mark of ${table.table}`, (client) => readMark(client, table)),
    apply: async (changes, schema, mark) => {
      try {
        const load = await prepare(schema);
        return await connections.transaction(`loading ${table.table}`, 'BEGIN', async (client) => {
          await lock(client, table);
          return loadChanges(client, load, changes, schema, mark);
        });
      } catch (thrown) {
        // Whatever is wrong may be in the tables themselves (somebody dropped one): the next load looks again.
        ready = null;
        throw thrown;
      }
    },
    rows: (schema) => readRows(connections, table, schema),
  };
}

/** Two loaders of one table go one after the other: the lock lasts as long as the transaction. */
async function lock(client: PoolClient, table: WarehouseTable): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${LOCK_WITHIN_MS}`);
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `glasshouse ${JSON.stringify([table.mirror, table.table])}`,
  ]);
}

/** Makes the table, or adds the columns that it lacks: a step of its own, committed before the load begins. */
async function bringTo(client: PoolClient, table: WarehouseTable, schema: TableSchema): Promise<void> {
  const held = { base: await heldColumns(client, table, 'base'), view: await heldColumns(client, table, 'view') };
  const isNew = held.base.length === 0;
  if (isNew && held.view.length > 0) {
    throw new GlasshouseError(
      'config',
      `The warehouse has a ${table.viewSchema}.${table.table} that Glasshouse did not make, and would replace. ` +
        'Rename one of the two, or choose another schema for the views.',
    );
  }
  const statements = isNew ? planCreate(table, schema, postgres) : planAddColumns(table, held, schema, postgres);
  for (const statement of statements) await client.query(statement);
}

async function heldColumns(client: ClientBase, table: WarehouseTable, part: 'base' | 'view'): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(heldColumnsQuery(table, part, postgres));
  return rows.map((row) => row.name);
}

async function loadChanges(
  client: PoolClient,
  load: TypedLoad,
  changes: readonly TypedChange[],
  schema: TableSchema,
  mark: ChangelogMark,
): Promise<Applied> {
  const newest = newestPerKey(changes, (one) => one.change);
  let applied = 0;
  if (newest.size > 0) {
    await client.query(load.tune);
    await client.query(load.stage);
    await pipeline(Readable.from(copyChunks(newest.values(), schema)), client.query(copyFrom(load.copy)));
    applied = (await client.query(load.merge)).rowCount ?? 0;
  }
  const stale = changes.length - applied;
  await client.query(load.record, [mark.sequence, mark.snapshotId, changes.length, applied, stale]);
  await client.query(load.trim);
  return { applied, stale };
}

async function readMark(client: PoolClient, table: WarehouseTable): Promise<ChangelogMark | null> {
  try {
    const { rows } = await client.query<{ sequence: string; snapshot_id: string }>(markQuery(table, postgres));
    const row = rows[0];
    return row ? { sequence: Number(row.sequence), snapshotId: Number(row.snapshot_id) } : null;
  } catch (thrown) {
    // Nothing was loaded yet, so there is no ledger.
    if ((thrown as { readonly code?: unknown }).code === UNDEFINED_TABLE) return null;
    throw thrown;
  }
}

/** Reads with a cursor of the server's, all of it as of one moment. */
async function* readRows(
  connections: Connections,
  table: WarehouseTable,
  schema: TableSchema,
): AsyncGenerator<readonly TargetRow[]> {
  const doing = `reading the rows of ${table.table}`;
  const read = heldRowReader(schema);
  const client = await connections.take(doing);
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const held = new Set(await heldColumns(client, table, 'base'));
    if (held.size === 0) return;
    await client.query(
      `DECLARE ${CURSOR} NO SCROLL CURSOR FOR ${heldRowsQuery(namesOf(table, postgres), schema, held)}`,
    );
    for (;;) {
      const texts = await client.query<(string | null)[]>({
        text: `FETCH ${ROWS_A_PIECE} FROM ${CURSOR}`,
        rowMode: 'array',
        types: { getTypeParser: () => (value: string) => value },
      });
      if (texts.rows.length === 0) return;
      yield texts.rows.map(read);
    }
  } catch (thrown) {
    throw connections.explain(thrown, doing);
  } finally {
    // A reader that stops early leaves a transaction open: the connection goes, and the transaction with it.
    client.release(true);
  }
}

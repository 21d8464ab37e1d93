import pg from 'pg';
import type { PoolClient } from 'pg';
import { GlasshouseError } from '../../core/errors.ts';
import { addressOf, databaseError } from './database-error.ts';

/** The oldest PostgreSQL that has all that the load uses. */
const MIN_VERSION = 160_000;

const MAX_CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 10_000;

/** Connections to one database, made when they are needed and made anew after a loss. */
export interface Connections {
  /** Host, port and database, for messages. */
  readonly address: string;
  /** Runs `work` on a connection of its own. A connection that failed is closed, not used again. */
  use<T>(doing: string, work: (client: PoolClient) => Promise<T>): Promise<T>;
  /** The same within a transaction, begun by `begin`; rolled back where `work` throws. */
  transaction<T>(doing: string, begin: string, work: (client: PoolClient) => Promise<T>): Promise<T>;
  /** A connection for the caller to release; an error is thrown as `explain` gives it. */
  take(doing: string): Promise<PoolClient>;
  explain(thrown: unknown, doing: string): GlasshouseError;
  close(): Promise<void>;
}

/**
 * Connects, and checks that the server is one that we can use. Throws GlasshouseError: `unavailable` where it cannot be
 * reached, `config` where it refuses the user, is too old, or does not store UTF-8.
 */
export async function connect(url: string): Promise<Connections> {
  const address = addressOf(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'glasshouse',
    keepAlive: true,
    // A connection that nobody uses must not keep the process from ending.
    allowExitOnIdle: true,
  });
  // The server may go while a connection is idle: the next use opens another, so there is nothing to do about it here.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));

  const explain = (thrown: unknown, doing: string): GlasshouseError => databaseError(thrown, doing, address);
  const take = (doing: string): Promise<PoolClient> =>
    pool.connect().catch((thrown: unknown) => {
      throw explain(thrown, doing);
    });
  const use = async <T>(doing: string, work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await take(doing);
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (thrown) {
      client.release(true);
      throw explain(thrown, doing);
    }
  };
  const connections: Connections = {
    address,
    use,
    transaction: (doing, begin, work) =>
      use(doing, async (client) => {
        await client.query(begin);
        const result = await work(client);
        await client.query('COMMIT');
        return result;
      }),
    take,
    explain,
    close: () => pool.end(),
  };
  try {
    await checkServer(connections);
  } catch (thrown) {
    await pool.end();
    throw thrown;
  }
  return connections;
}

async function checkServer(connections: Connections): Promise<void> {
  const row = await connections.use('connecting', async (client) => {
    const result = await client.query<{ number: string; name: string; encoding: string }>(
      `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS name, current_setting('server_encoding') AS encoding`,
    );
    return result.rows[0];
  });
  if (!row || Number(row.number) < MIN_VERSION) {
    throw new GlasshouseError(
      'config',
      `The warehouse at ${connections.address} is PostgreSQL ${row?.name ?? 'of an unknown version'}; Glasshouse needs 16 or newer.`,
    );
  }
  if (row.encoding !== 'UTF8') {
    throw new GlasshouseError(
      'config',
      `The database at ${connections.address} stores text as ${row.encoding}, which cannot hold every text; create one with ENCODING 'UTF8'.`,
    );
  }
}

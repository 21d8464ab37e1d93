import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { GlasshouseError, messageOf } from '../../core/errors.ts';

export type { DuckDBConnection };

/** How much of the machine DuckDB may use. */
export interface DuckOptions {
  /** Threads for queries and files; default 2. */
  readonly threads?: number;
  /** Its buffer's limit, like `512MB`; default 1GB. What does not fit spills to `tempDirectory`. */
  readonly memoryLimit?: string;
  /** Where it may spill; absent: it may not, and a query that needs more memory fails. */
  readonly tempDirectory?: string;
}

/** A DuckDB in memory. Connections share it; each runs one statement at a time and has temporary tables of its own. */
export interface Duck {
  connect(): Promise<DuckDBConnection>;
  /** Ends it; connections that are still open end with it. */
  close(): void;
}

/** Starts a DuckDB in memory. It never loads an extension from anywhere. Throws `unavailable` when it cannot start. */
export async function openDuck(options: DuckOptions = {}): Promise<Duck> {
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(':memory:', {
      threads: String(options.threads ?? 2),
      memory_limit: options.memoryLimit ?? '1GB',
      temp_directory: options.tempDirectory ?? '',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    await connection.run("SET GLOBAL TimeZone = 'UTC'");
    connection.closeSync();
  } catch (cause) {
    throw new GlasshouseError('unavailable', `DuckDB cannot start: ${messageOf(cause)}.`, { cause });
  }
  return {
    connect: () => instance.connect(),
    close: () => instance.closeSync(),
  };
}

/** Runs work on a connection of its own. */
export async function withConnection<T>(duck: Duck, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const connection = await duck.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
  }
}

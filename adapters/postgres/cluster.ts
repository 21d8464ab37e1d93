import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GlasshouseError } from '../../core/errors.ts';
import type { Runner } from './account.ts';
import { commandFor, giveTo } from './account.ts';
import { isAlive, processMark } from './process-mark.ts';
import { ROLE, serverPaths } from './server-state.ts';

export function hasCluster(data: string): boolean {
  return existsSync(join(data, 'PG_VERSION'));
}

let made = 0;

/** Makes the data folder under another name first, so that a kill leaves none rather than half of one. */
export async function createCluster(
  runner: Runner,
  folder: string,
  password: string,
  signal?: AbortSignal,
): Promise<void> {
  const { data } = serverPaths(folder);
  const fresh = join(folder, `data.${process.pid}.${++made}.new`);
  const passwordFile = join(folder, `password.${process.pid}.${made}.new`);
  sweepUnfinished(folder);
  try {
    mkdirSync(fresh, { mode: 0o700 });
    writeFileSync(passwordFile, password, { mode: 0o600 });
    giveTo(runner, fresh);
    giveTo(runner, passwordFile);
    const result = await runToEnd(
      runner,
      runner.binaries.initdb,
      [
        `--pgdata=${fresh}`,
        `--username=${ROLE}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Sorts by code point and knows Unicode's letters, the same on every machine.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
      ],
      signal,
    );
    if (result.code !== 0) {
      throw new GlasshouseError(
        'unavailable',
        `initdb could not make the warehouse in ${folder}: ${lastLines(result.output)}`,
      );
    }
    renameSync(fresh, data);
  } catch (cause) {
    // Another process was quicker: its data were made with the same password.
    if (!hasCluster(data)) throw cause;
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Removes what a start that was killed in mid-work left behind. */
function sweepUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    const maker = /^(?:data|password)\.(\d+)\.\d+\.new$/.exec(name)?.[1];
    if (maker === undefined) continue;
    if (!isAlive(processMark(Number(maker)))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function runToEnd(
  runner: Runner,
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const command = commandFor(runner, program, args);
  return new Promise((done, failed) => {
    const child = spawn(command.file, command.args, {
      ...command.identity,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(),
      cwd: '/',
      ...(signal && { signal }),
    });
    let output = '';
    const take = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (cause) => failed(cannotRun(program, cause)));
    child.on('close', (code) => done({ code, output }));
  });
}

/** What the server's programs see of our environment. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

/** Throws GlasshouseError `config` where another major version made the data. */
export function checkMajor(data: string, runner: Runner): void {
  const stored = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  const ours = String(Number.parseInt(runner.binaries.version, 10));
  if (stored === ours) return;
  throw new GlasshouseError(
    'config',
    `The warehouse in ${data} was made by PostgreSQL ${stored}, and this installation has ${ours}. ` +
      'Replay into a new folder, or go back to the version of Glasshouse that made it.',
  );
}

export function cannotRun(program: string, cause: Error): GlasshouseError {
  if (cause.name === 'AbortError')
    return new GlasshouseError('unavailable', 'The start of PostgreSQL was cancelled.', { cause });
  return new GlasshouseError('unavailable', `${program} cannot be run: ${cause.message}`, { cause });
}

export function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join(' / ');
}

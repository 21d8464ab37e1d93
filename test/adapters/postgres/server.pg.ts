import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningPostgres } from '../../../adapters/postgres/server.ts';
import { startPostgres } from '../../../adapters/postgres/server.ts';
import { isPostgres } from '../../../adapters/postgres/process-mark.ts';
import { GlasshouseError } from '../../../core/errors.ts';
import { ask, temporaryFolder } from './embedded-warehouse.ts';

let folder: ReturnType<typeof temporaryFolder>;
let started: RunningPostgres[];

beforeEach(() => {
  folder = temporaryFolder();
  started = [];
});

afterEach(async () => {
  for (const server of started) await server.stop();
  folder.remove();
});

async function start(port?: number): Promise<RunningPostgres> {
  const server = await startPostgres({ dataDir: folder.path, ...(port !== undefined && { port }) });
  started.push(server);
  return server;
}

describe('the embedded server', () => {
  it('takes the password only, on loopback only, and stores UTF-8', async () => {
    const server = await start();
    expect(await ask(server.url, 'SHOW listen_addresses')).toEqual([['127.0.0.1']]);
    expect(await ask(server.url, 'SHOW server_encoding')).toEqual([['UTF8']]);
    expect(await ask(server.url, `SELECT current_setting('fsync'), current_setting('synchronous_commit')`)).toEqual([
      ['on', 'on'],
    ]);
    await expect(ask(server.url.replace(/:[^:@]+@/, ':guess@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(statSync(join(folder.path, 'server.json')).mode & 0o777).toBe(0o600);
  });

  it('keeps its data, password and port over a restart, and leaves no process', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(isPostgres(first.pid)).toBe(false);
    const second = await start();
    expect([second.how, second.url]).toEqual(['started', first.url]);
    expect(await ask(second.url, 'SELECT answer FROM kept')).toEqual([['42']]);
  });

  it('is joined by whoever comes second, and stopped by its keeper alone', async () => {
    const keeper = await start();
    const guest = await start();
    expect([guest.how, guest.url]).toEqual(['joined', keeper.url]);
    await guest.stop();
    expect(await ask(keeper.url, 'SELECT 1')).toEqual([['1']]);
  });

  it('is made once where two start at the same moment', async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.url).toBe(other.url);
    expect(await ask(one.url, 'SELECT 1')).toEqual([['1']]);
  });

  it('is adopted after its keeper was killed', async () => {
    const { url, pid } = await startAndBeKilled(folder.path);
    expect(await ask(url, 'SELECT 1')).toEqual([['1']]);
    const server = await start();
    expect([server.how, server.pid, server.url]).toEqual(['adopted', pid, url]);
    await server.stop();
    expect(isPostgres(pid)).toBe(false);
  });

  it('starts again after a kill -9 of its own, with what was committed', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(first.pid, 'SIGKILL');
    const second = await start();
    expect(second.how).toBe('started');
    expect(await ask(second.url, 'SELECT answer FROM kept')).toEqual([['42']]);
  });

  it('is not kept from starting by a file that names a process of another program', async () => {
    await (await start()).stop();
    const lines = [process.pid, join(folder.path, 'data'), 1_700_000_000, 1, '', '127.0.0.1', '', 'ready', ''];
    writeFileSync(join(folder.path, 'data', 'postmaster.pid'), lines.join('\n'));
    expect((await start()).how).toBe('started');
  });

  it('takes another port where the last one is taken, unless that one was asked for', async () => {
    const first = await start();
    await first.stop();
    const squatter = createServer();
    await new Promise<void>((done) => squatter.listen(first.port, '127.0.0.1', done));
    try {
      await expect(startPostgres({ dataDir: folder.path, port: first.port })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining(`Port ${first.port} of 127.0.0.1 is taken`) as unknown,
      });
      expect((await start()).port).not.toBe(first.port);
    } finally {
      squatter.close();
    }
  });

  it('refuses data of another major version, and says what to do', async () => {
    await (await start()).stop();
    writeFileSync(join(folder.path, 'data', 'PG_VERSION'), '15\n');
    await expect(startPostgres({ dataDir: folder.path })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/made by PostgreSQL 15.*Replay into a new folder/) as unknown,
    });
  });

  it('runs in a folder that nobody but us may enter, or says that it cannot', async () => {
    const closed = join(folder.path, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const outcome = await startPostgres({ dataDir: join(closed, 'warehouse') }).catch((error: unknown) => error);
    if (outcome instanceof GlasshouseError) {
      // Root on a machine without user namespaces.
      expect(outcome.message).toMatch(/nobody cannot reach .*closed/);
    } else {
      const server = outcome as RunningPostgres;
      started.push(server);
      expect(await ask(server.url, 'SELECT 1')).toEqual([['1']]);
    }
  });

  it('is cancelled by its signal', async () => {
    await expect(startPostgres({ dataDir: folder.path, signal: AbortSignal.abort() })).rejects.toThrow();
    expect((await start()).how).toBe('started');
  });
});

/** Starts the server in a process of its own, which is then killed without a chance to stop it. */
async function startAndBeKilled(dataDir: string): Promise<{ readonly url: string; readonly pid: number }> {
  // Below node_modules, where the packages that are left out of the bundle are found.
  const bundle = join(import.meta.dirname, `../../../node_modules/.cache/glasshouse-test-${process.pid}.mjs`);
  const server = join(import.meta.dirname, '../../../adapters/postgres/server.ts');
  const source =
    `import { startPostgres } from ${JSON.stringify(server)};\n` +
    `const { url, pid } = await startPostgres({ dataDir: ${JSON.stringify(dataDir)} });\n` +
    `process.stdout.write(JSON.stringify({ url, pid }) + '\\n');\nsetInterval(() => undefined, 1000);\n`;
  buildSync({
    stdin: { contents: source, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile: bundle,
  });
  try {
    const child = spawn(process.execPath, [bundle], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((done) => child.once('exit', done));
    const line = await new Promise<string>((done, failed) => {
      child.stdout.once('data', (chunk: Buffer) => done(chunk.toString()));
      child.once('exit', () => failed(new Error(`the child ended: ${readFileSync(bundle, 'utf8').slice(0, 100)}`)));
    });
    child.kill('SIGKILL');
    await ended;
    return JSON.parse(line) as { readonly url: string; readonly pid: number };
  } finally {
    rmSync(bundle, { force: true });
  }
}

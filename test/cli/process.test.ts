import { build, type Plugin } from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfigFile } from '../../adapters/files/config-file.ts';

const ROOT = join(import.meta.dirname, '../..');
let built = '';
let cwd = '';

/** The commands tried here need nothing of the runtime but the embedded DynamoDB: the rest is not built. */
const withoutRuntime: Plugin = {
  name: 'without-runtime',
  setup(compiler) {
    compiler.onResolve({ filter: /^\.\.\/local\/[a-z]+\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
};

beforeAll(async () => {
  // Inside the package, so that the built files find its dependencies; not in dist/, which others may be using.
  const cache = join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  built = await mkdtemp(join(cache, 'glasshouse-test-'));
  cwd = await mkdtemp(join(tmpdir(), 'glasshouse-test-'));
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['bin/glasshouse.ts', 'define.ts'],
    outdir: built,
    outbase: '.',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    plugins: [withoutRuntime],
  });
});
afterAll(async () => {
  await rm(built, { recursive: true, force: true });
  await rm(cwd, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function glasshouse(
  words: readonly string[],
  onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(built, 'bin/glasshouse.js'), ...words], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const written = { out: '', err: '' };
    child.stdout.on('data', (data: Buffer) => {
      written.out += data.toString();
      onOutput?.(written.out, (signal) => child.kill(signal));
    });
    child.stderr.on('data', (data: Buffer) => (written.err += data.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...written }));
  });
}

describe('the built command line', () => {
  it('shows its version and its help', async () => {
    expect(await glasshouse(['--version'])).toEqual({ code: 0, out: '0.1.0\n', err: '' });
    const help = await glasshouse(['--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(help.out).toContain('Usage: glasshouse');
  });

  it('writes a configuration that the built package loads', async () => {
    expect(await glasshouse(['init'])).toMatchObject({ code: 0, err: '' });
    expect((await loadConfigFile(join(cwd, 'glasshouse.config.ts'))).name).toBe('shop');
    // Loaded by the process itself, this one is found to be wrong, which only the built package can know.
    await glasshouse(['init', '--config', 'wrong.config.ts']);
    const text = await readFile(join(cwd, 'wrong.config.ts'), 'utf8');
    await writeFile(join(cwd, 'wrong.config.ts'), text.replace("name: 'shop'", "name: 'Shop'"));
    const wrong = await glasshouse(['verify', '--config', 'wrong.config.ts']);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toMatch(/^error: wrong\.config\.ts has a mistake:\n {2}name: "Shop" must be lower_snake/);
  });

  it('says what to do where there is no configuration', async () => {
    expect(await glasshouse(['run', '--config', 'none.ts'])).toEqual({
      code: 2,
      out: '',
      err: 'error: There is no none.ts; run `glasshouse init` to write one, or name another with --config PATH.\n',
    });
  });

  it('serves the embedded DynamoDB until SIGTERM', async () => {
    const { code, out } = await glasshouse(['dynamodb', '--port', '0', '--json'], (text, kill) => {
      if (text.endsWith('\n')) kill('SIGTERM');
    });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      path: null,
    });
  });

  it('ends quietly when nobody reads what it writes', async () => {
    const child = spawn(process.execPath, [join(built, 'bin/glasshouse.js'), '--help'], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});

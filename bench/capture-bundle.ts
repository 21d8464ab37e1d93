import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ENVIRONMENT } from '../core/contract.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { Figure, Size } from './figure.ts';
import { figureOf } from './figure.ts';
import { inScratchFolder } from './scratch-folder.ts';

const MOST_BYTES = 1_000_000;
const MOST_START_MS = 150;

/** How large the function's bundle is, and how long a process takes to load it beside one that loads an empty function. */
export async function bundleFigures(size: Size, report: (line: string) => void): Promise<readonly Figure[]> {
  const bundle = resolve(dirname(process.argv[1] ?? ''), '..', 'lambdas', 'capture', 'index.mjs');
  const { size: bytes } = await stat(bundle).catch((cause: unknown) => {
    throw new GlasshouseError('input', `There is no bundle ${bundle}; build it with npm run build.`, { cause });
  });
  const rounds = size === 'full' ? 15 : 2;
  report(`${rounds} starts of the bundle, beside an empty function's`);
  const starts = await inScratchFolder((folder) => startTimes(folder, bundle, rounds));
  return [
    figureOf(
      {
        name: 'capture.bundle',
        what: 'the capture function’s bundle',
        unit: 'bytes',
        goal: { of: 'measured', is: 'at most', value: MOST_BYTES },
      },
      { measured: [bytes] },
    ),
    figureOf(
      {
        name: 'capture.start',
        what: 'loading the capture function, beyond an empty one',
        unit: 'ms',
        goal: { of: 'measured', is: 'at most', value: MOST_START_MS },
      },
      { measured: starts },
    ),
  ];
}

/** Milliseconds by which each start of the bundle took longer than the start of an empty function just before it. */
async function startTimes(folder: string, bundle: string, rounds: number): Promise<number[]> {
  const empty = join(folder, 'empty.mjs');
  await writeFile(empty, 'export const handler = async () => ({});\n');
  const starts: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const beside = await startMs(empty);
    const ours = await startMs(bundle);
    // The first reads the files from the disk.
    if (round >= 0) starts.push(ours - beside);
  }
  return starts;
}

/** From the start of a process to its having loaded a function, and its end. */
async function startMs(file: string): Promise<number> {
  const script = `const { handler } = await import(${JSON.stringify(pathToFileURL(file).href)});
    process.exit(typeof handler === 'function' ? 0 : 1);`;
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...FUNCTION_ENVIRONMENT },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new GlasshouseError('bug', `The bundle ${file} could not be loaded.`);
  return performance.now() - startedAtMs;
}

/** What its environment would have: any text, and a number where one is read. */
const FUNCTION_ENVIRONMENT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(ENVIRONMENT.capture.map((name) => [name, 'bench'])),
  MAX_COLUMNS: '500',
  AWS_REGION: 'us-east-1',
};

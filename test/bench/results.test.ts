import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { figureOf } from '../../bench/figure.ts';
import { type Results, writeResults } from '../../bench/results.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glasshouse-results-'));
  await mkdir(join(folder, 'bench'));
});
afterEach(() => rm(folder, { recursive: true }));

const path = () => join(folder, 'bench', 'results.json');

async function written(): Promise<Results> {
  return JSON.parse(await readFile(path(), 'utf8')) as Results;
}

function seconds(name: string, measured: number) {
  const goal = { of: 'measured', is: 'at most', value: 30 } as const;
  return figureOf({ name, what: name, unit: 's', goal }, { measured: [measured] });
}

it('writes each figure with where it was measured and whether it meets its goal', async () => {
  await writeResults(folder, [seconds('demo', 31)]);
  const { figures } = await written();
  expect(figures).toMatchObject([{ name: 'demo', measured: 31, met: false, measuredOn: { node: process.version } }]);
  // The folder is no git checkout.
  expect(figures[0]?.measuredOn.commit).toBeNull();
});

it('keeps the figures that were not measured again', async () => {
  await writeResults(folder, [seconds('replay', 25), seconds('demo', 31)]);
  await writeResults(folder, [seconds('demo', 12)]);
  const { figures } = await written();
  expect(figures.map(({ name, measured, met }) => [name, measured, met])).toEqual([
    ['replay', 25, true],
    ['demo', 12, true],
  ]);
});

it('begins anew where the file cannot be read', async () => {
  await writeFile(path(), '{"figures": [');
  await writeResults(folder, [seconds('demo', 12)]);
  expect((await written()).figures).toHaveLength(1);
});

import { randomBytes } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openDuck } from '../adapters/duckdb/connection.ts';
import { countText } from '../cli/format.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { Task } from './child-task.ts';
import { runInChild } from './child-task.ts';
import type { Figure, Measurement } from './figure.ts';
import { figureOf, median } from './figure.ts';
import { collectGarbage } from './garbage.ts';
import { type LargeTable, makeLargeTable, updatesOf } from './large-table.ts';
import { inScratchFolder } from './scratch-folder.ts';

interface CommitParams {
  readonly rows: number;
  readonly upserts: number;
  readonly commits: number;
}

interface CommitTimes {
  /** Of the first commit, which reads where every key stands. */
  readonly firstMs: number;
  readonly commitMs: readonly number[];
  /** Writing and syncing as many bytes as the commit beside it wrote. */
  readonly floorMs: readonly number[];
}

/** As `run` and `replay` have it. */
const DUCKDB_MEMORY = '512MB';

export const commitTask: Task<CommitParams, CommitTimes> = {
  name: 'commit',
  run: (params) =>
    inScratchFolder(async (folder) => {
      const duck = await openDuck({ memoryLimit: DUCKDB_MEMORY, tempDirectory: folder });
      try {
        return await timeCommits(folder, await makeLargeTable(folder, params.rows, duck), params);
      } finally {
        duck.close();
      }
    }),
};

async function timeCommits(folder: string, table: LargeTable, params: CommitParams): Promise<CommitTimes> {
  const commitMs: number[] = [];
  const floorMs: number[] = [];
  for (let round = 0; round <= params.commits; round++) {
    const changes = updatesOf(table, params.upserts, round);
    const before = await filesBelow(table.state.table.location);
    collectGarbage();
    const startedAtMs = performance.now();
    const { applied } = await table.state.apply(changes, table.schema, { sequence: round + 2, snapshotId: round + 2 });
    commitMs.push(performance.now() - startedAtMs);
    if (applied !== params.upserts)
      throw new GlasshouseError('bug', `Of ${countText(params.upserts)} upserts ${applied} applied.`);
    const written = [...(await filesBelow(table.state.table.location))].filter(([path]) => !before.has(path));
    floorMs.push(await writeMs(join(folder, `floor-${round}`), sum(written.map(([, bytes]) => bytes))));
  }
  const rows = await table.state.rowCount();
  if (rows !== table.rows) throw new GlasshouseError('bug', `A table of ${table.rows} rows has ${rows} after updates.`);
  const [firstMs = 0, ...rest] = commitMs;
  return { firstMs, commitMs: rest, floorMs: floorMs.slice(1) };
}

/** Sizes by path. */
async function filesBelow(location: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const entry of await readdir(location, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    sizes.set(path, (await stat(path)).size);
  }
  return sizes;
}

async function writeMs(path: string, bytes: number): Promise<number> {
  const noise = randomBytes(bytes);
  const startedAtMs = performance.now();
  const file = await open(path, 'wx');
  await file.writeFile(noise);
  await file.sync();
  await file.close();
  return performance.now() - startedAtMs;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const SIZES = {
  full: { rows: 1_000_000, upserts: 10_000, commits: 10 },
  smoke: { rows: 10_000, upserts: 500, commits: 2 },
} as const;

const MOST_MS = 200;
/** How much slower a commit may be in a table ten times as large. */
const MOST_GROWTH = 2;

export const commitMeasurement: Measurement = {
  name: 'commit',
  async measure(size, report) {
    const small = SIZES[size];
    const large = { ...small, rows: small.rows * 10 };
    report(`${small.commits} commits into ${countText(small.rows)} rows`);
    const inSmall = await runInChild(commitTask, small);
    report(`${large.commits} commits into ${countText(large.rows)} rows, which takes a while to write`);
    const inLarge = await runInChild(commitTask, large);
    const growth = median(inLarge.result.commitMs) / median(inSmall.result.commitMs);
    return [
      commitFigure(small, inSmall.result, MOST_MS),
      commitFigure(large, inLarge.result),
      figureOf(
        {
          name: 'commit.growth',
          what: `the one into ${countText(large.rows)} rows to that into ${countText(small.rows)}`,
          unit: 'times',
          goal: { of: 'measured', is: 'at most', value: MOST_GROWTH },
        },
        { measured: [growth] },
      ),
      firstFigure(small, inSmall.result),
      firstFigure(large, inLarge.result),
    ];
  },
};

function commitFigure(params: CommitParams, times: CommitTimes, goalMs?: number): Figure {
  return figureOf(
    {
      name: `commit.${params.rows}`,
      what: `commit of ${countText(params.upserts)} upserts into ${countText(params.rows)} rows`,
      unit: 'ms',
      ...(goalMs && { goal: { of: 'measured', is: 'at most', value: goalMs } as const }),
    },
    { measured: times.commitMs, floor: { what: 'write and fsync of its bytes', measured: times.floorMs } },
  );
}

function firstFigure(params: CommitParams, times: CommitTimes): Figure {
  return figureOf(
    {
      name: `commit.first.${params.rows}`,
      what: `the first after a start, which reads ${countText(params.rows)} keys`,
      unit: 's',
    },
    { measured: [times.firstMs / 1000] },
  );
}

import { join } from 'node:path';
import { countText } from '../cli/format.ts';
import { GlasshouseError } from '../core/errors.ts';
import { replayFiles } from '../local/replay.ts';
import type { RunSummary, TargetName } from '../local/results.ts';
import type { Task } from './child-task.ts';
import { runInChild } from './child-task.ts';
import type { Figure, Measurement } from './figure.ts';
import { figureOf, median } from './figure.ts';
import { BENCH_KEY, BENCH_TABLE, type WrittenChanges } from './records.ts';
import { parseTask, recordsTask } from './replay-input.ts';
import { inScratchFolder } from './scratch-folder.ts';
import { watchServerMemory } from './server-memory.ts';

interface ReplayParams {
  readonly file: string;
  readonly dir: string;
  readonly targets: readonly TargetName[];
}

interface ReplayOutcome {
  readonly summary: RunSummary;
  /** From the call to its return: stores are opened before and closed after the records, PostgreSQL made and stopped. */
  readonly seconds: number;
}

export const replayTask: Task<ReplayParams, ReplayOutcome> = {
  name: 'replay',
  async run({ file, dir, targets }) {
    const startedAtMs = performance.now();
    const summary = await replayFiles(
      { files: [file], table: BENCH_TABLE, key: BENCH_KEY, targets, strict: true },
      { dir, signal: new AbortController().signal, onProgress: () => undefined, log: () => undefined },
    );
    return { summary, seconds: (performance.now() - startedAtMs) / 1000 };
  },
};

/** One replay: how quick it was, and the most memory that it had. */
interface Run {
  readonly perSecond: number;
  readonly processBytes: number;
  /** Of PostgreSQL's processes; 0 where there is none, or they cannot be seen. */
  readonly serverBytes: number;
}

/** A file of records, and what must come of it. */
interface Input {
  readonly file: string;
  readonly changes: number;
  readonly written: WrittenChanges;
}

const BOTH: readonly TargetName[] = ['lakehouse', 'warehouse'];
const CHANGES_A_KEY = 5;

async function replayOnce(input: Input, targets: readonly TargetName[]): Promise<Run> {
  return inScratchFolder(async (dir) => {
    const server = watchServerMemory(dir);
    try {
      const { result, peakBytes } = await runInChild(replayTask, { file: input.file, dir, targets });
      checkOutcome(result.summary, input, targets);
      const perSecond = input.changes / result.seconds;
      return { perSecond, processBytes: peakBytes, serverBytes: server.stop() ?? 0 };
    } finally {
      server.stop();
    }
  });
}

function checkOutcome(summary: RunSummary, input: Input, targets: readonly TargetName[]): void {
  const [table] = summary.tables;
  for (const target of targets) {
    const rows = table?.rows[target];
    if (table?.changes !== input.changes || rows !== input.written.items) {
      throw new GlasshouseError(
        'bug',
        `Of ${input.changes} changes ${table?.changes} were kept, and the ${target} has ${rows} rows, not ${input.written.items}.`,
      );
    }
  }
}

async function makeInput(folder: string, changes: number): Promise<Input> {
  const file = join(folder, `changes-${changes}.jsonl`);
  const request = { path: file, changes, keys: Math.ceil(changes / CHANGES_A_KEY), seed: 1 };
  return { file, changes, written: (await runInChild(recordsTask, request)).result };
}

async function parseRate(input: Input): Promise<number> {
  const { lines, seconds } = (await runInChild(parseTask, { path: input.file })).result;
  if (lines !== input.changes) throw new GlasshouseError('bug', `${input.file} has ${lines} lines.`);
  return lines / seconds;
}

interface Sizes {
  readonly changes: number;
  readonly rounds: number;
}

const SIZES: Readonly<Record<'full' | 'smoke', Sizes>> = {
  full: { changes: 1_000_000, rounds: 3 },
  smoke: { changes: 3000, rounds: 1 },
};

export const replayMeasurement: Measurement = {
  name: 'replay',
  measure: (size, report) =>
    inScratchFolder(async (folder) => {
      const { changes, rounds } = SIZES[size];
      report(`writing ${countText(changes)} and ${countText(3 * changes)} changes to files`);
      const input = await makeInput(folder, changes);
      const threefold = await makeInput(folder, 3 * changes);
      const parsed: number[] = [];
      const lake: Run[] = [];
      const both: Run[] = [];
      for (let round = 1; round <= rounds; round++) {
        report(`round ${round} of ${rounds}: parsing alone, the lakehouse, both targets`);
        parsed.push(await parseRate(input));
        lake.push(await replayOnce(input, ['lakehouse']));
        both.push(await replayOnce(input, BOTH));
      }
      report(`${countText(3 * changes)} changes into both targets`);
      const larger = await replayOnce(threefold, BOTH);
      return [...speedFigures(changes, parsed, { lake, both }), ...memoryFigures(changes, both, larger)];
    }),
};

function speedFigures(
  changes: number,
  parsed: readonly number[],
  runs: { readonly lake: readonly Run[]; readonly both: readonly Run[] },
): Figure[] {
  const floor = { what: 'JSON.parse of its lines', measured: parsed };
  const figure = (name: string, where: string, of: readonly Run[], goal: number): Figure =>
    figureOf(
      {
        name,
        what: `replay of ${countText(changes)} changes into ${where}`,
        unit: 'changes/s',
        goal: { of: 'measured', is: 'at least', value: goal },
      },
      { measured: of.map((run) => run.perSecond), floor },
    );
  return [
    figure('replay.lakehouse', 'the lakehouse', runs.lake, 40_000),
    figure('replay.both', 'both targets', runs.both, 20_000),
  ];
}

/** The most memory that a replay may have, PostgreSQL's included. */
const MOST_BYTES = 1.5e9;
/** What two runs of the same may differ by. */
const SAME_WITHIN = 1.1;

function memoryFigures(changes: number, runs: readonly Run[], larger: Run): Figure[] {
  const figure = (name: string, what: string, bytes: readonly number[], goal?: number): Figure =>
    figureOf(
      { name, what, unit: 'bytes', ...(goal && { goal: { of: 'measured', is: 'at most', value: goal } as const }) },
      { measured: bytes },
    );
  const totalOf = (run: Run) => run.processBytes + run.serverBytes;
  const growth = totalOf(larger) / median(runs.map(totalOf));
  return [
    figure('replay.memory', 'its peak memory, PostgreSQL included', runs.map(totalOf), MOST_BYTES),
    figure(
      'replay.memory.process',
      "of that, Glasshouse's own process",
      runs.map((run) => run.processBytes),
    ),
    figure(
      'replay.memory.server',
      "of that, PostgreSQL's processes",
      runs.map((run) => run.serverBytes),
    ),
    figureOf(
      {
        name: 'replay.memory.growth',
        what: `peak memory at ${countText(3 * changes)} changes to that at ${countText(changes)}`,
        unit: 'times',
        goal: { of: 'measured', is: 'at most', value: SAME_WITHIN },
      },
      { measured: [growth] },
    ),
  ];
}

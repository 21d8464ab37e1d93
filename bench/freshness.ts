import { validateMirror } from '../core/config.ts';
import type { Mirror } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { TypedChange } from '../flows/ports.ts';
import { layoutOf } from '../local/layout.ts';
import type { RunSummary, TargetName } from '../local/results.ts';
import { runTables } from '../local/run.ts';
import { percentile } from '../local/shop/freshness-samples.ts';
import type { OpenSource } from '../local/source.ts';
import { openSource } from '../local/source.ts';
import type { Workspace } from '../local/workspace.ts';
import { openWorkspace } from '../local/workspace.ts';
import type { Peer, Task } from './child-task.ts';
import { runInChild, startInChild } from './child-task.ts';
import type { Figure, Measurement } from './figure.ts';
import { figureOf } from './figure.ts';
import { type PaceParams, type Paced, WRITTEN_AT, paceTask } from './freshness-writer.ts';
import { BENCH_TABLE } from './records.ts';
import { inScratchFolder } from './scratch-folder.ts';

interface MirrorParams {
  readonly dir: string;
  /** Changes that were written in so many seconds since the first are not counted. */
  readonly warmUpSeconds: number;
}

/** Milliseconds from a change's sending to its being visible in the target. */
type Spread = Readonly<Record<'p50' | 'p95' | 'p99', number>>;

interface MirrorOutcome {
  readonly spread: Readonly<Record<TargetName, Spread>>;
  readonly summary: RunSummary;
}

const TARGETS: readonly TargetName[] = ['lakehouse', 'warehouse'];

/** What the parent says when the writer has ended. */
const WRITER_ENDED = 'writer ended';

/** `glasshouse run` with an embedded DynamoDB, as one process has both: says its endpoint, and ends after the writer. */
export const mirrorTask: Task<MirrorParams, MirrorOutcome> = {
  name: 'mirror',
  async run(params, parent) {
    const mirror = benchMirror();
    const options = {
      dir: params.dir,
      signal: new AbortController().signal,
      onProgress: () => undefined,
      log: () => undefined,
    };
    const workspace = await openWorkspace(mirror, params.dir, { access: 'write', signal: options.signal });
    try {
      const source = await openSource(mirror.source, layoutOf(params.dir));
      try {
        return await mirrorWhileWritten({ mirror, workspace, source, options }, params, parent);
      } finally {
        await source.close();
      }
    } finally {
      await workspace.close();
    }
  },
};

interface OpenMirror {
  readonly mirror: Mirror;
  readonly workspace: Workspace;
  readonly source: OpenSource;
  readonly options: Parameters<typeof runTables>[1]['options'];
}

async function mirrorWhileWritten(open: OpenMirror, params: MirrorParams, parent: Peer): Promise<MirrorOutcome> {
  const { mirror, workspace, source, options } = open;
  const sightings = createSightings();
  let isWriting = true;
  const running = runTables(mirror.tables, {
    workspace,
    source,
    options,
    endWhenIdle: () => !isWriting,
    onApplied: (target, changes) => sightings.add(target, changes, Date.now()),
  });
  parent.tell(source.name);
  void parent.hear().then(() => {
    isWriting = false;
  });
  return { summary: await running, spread: sightings.spread(params.warmUpSeconds * 1000) };
}

function benchMirror(): Mirror {
  const mirror = validateMirror({
    name: 'bench',
    source: { endpoint: 'embedded' },
    tables: { orders: { from: BENCH_TABLE, key: { customer_id: 'S', order_id: 'S' } } },
    targets: { lakehouse: true, warehouse: true },
  });
  return { ...mirror, source: { kind: 'embedded', port: 0, region: 'us-east-1' } };
}

const WRITTEN_AT_MEMBER = new RegExp(`"${WRITTEN_AT}":(\\d{13})\\b`);

/** When each change was sent, and how long it took until each target had it. */
function createSightings() {
  const sightings: Record<TargetName, { writtenMs: number; ageMs: number }[]> = { lakehouse: [], warehouse: [] };
  return {
    add(target: TargetName, changes: readonly TypedChange[], nowMs: number): void {
      for (const { change } of changes) {
        const member = WRITTEN_AT_MEMBER.exec(change.row ?? '');
        if (member === null) continue;
        const writtenMs = Number(member[1]);
        sightings[target].push({ writtenMs, ageMs: nowMs - writtenMs });
      }
    },
    spread: (warmUpMs: number) => ({
      lakehouse: spreadOf(sightings.lakehouse, warmUpMs),
      warehouse: spreadOf(sightings.warehouse, warmUpMs),
    }),
  };
}

function spreadOf(sightings: readonly { writtenMs: number; ageMs: number }[], warmUpMs: number): Spread {
  const firstMs = sightings.reduce((first, { writtenMs }) => Math.min(first, writtenMs), Number.POSITIVE_INFINITY);
  const ages = sightings.filter(({ writtenMs }) => writtenMs >= firstMs + warmUpMs).map(({ ageMs }) => ageMs);
  if (ages.length === 0) throw new GlasshouseError('bug', 'No change was seen after the first seconds.');
  return { p50: percentile(ages, 0.5), p95: percentile(ages, 0.95), p99: percentile(ages, 0.99) };
}

type Pace = Pick<PaceParams, 'perSecond' | 'seconds'>;

interface Round {
  readonly mirrored: MirrorOutcome;
  readonly paced: Paced;
}

async function freshnessRound(pace: Pace, warmUpSeconds: number): Promise<Round> {
  return inScratchFolder(async (dir) => {
    const mirror = startInChild(mirrorTask, { dir, warmUpSeconds });
    try {
      const endpoint = String(await mirror.hear());
      const { result: paced } = await runInChild(paceTask, {
        ...pace,
        endpoint,
        insertsOnlySeconds: warmUpSeconds,
      });
      mirror.tell(WRITER_ENDED);
      const { result: mirrored } = await mirror.done;
      checkRound(mirrored, paced);
      return { mirrored, paced };
    } finally {
      await mirror.end();
    }
  });
}

function checkRound({ summary }: MirrorOutcome, paced: Paced): void {
  for (const target of TARGETS) {
    const rows = summary.tables[0]?.rows[target];
    if (rows !== paced.inserts)
      throw new GlasshouseError('bug', `The ${target} has ${rows} rows, and ${paced.inserts} items were written.`);
  }
}

const SIZES = {
  full: { pace: { perSecond: 1000, seconds: 35 }, warmUpSeconds: 5, rounds: 3 },
  smoke: { pace: { perSecond: 200, seconds: 2 }, warmUpSeconds: 0.5, rounds: 1 },
} as const;

const MOST_MS = 1000;
/** The pace counts as kept at so much of it. */
const PACE_KEPT = 0.98;

export const freshnessMeasurement: Measurement = {
  name: 'freshness',
  async measure(size, report) {
    const { pace, warmUpSeconds, rounds } = SIZES[size];
    const measured: Round[] = [];
    for (let round = 1; round <= rounds; round++) {
      report(`round ${round} of ${rounds}: ${pace.perSecond} changes a second for ${pace.seconds} s`);
      measured.push(await freshnessRound(pace, warmUpSeconds));
    }
    return [
      figureOf(
        {
          name: 'freshness.pace',
          what: 'changes written to the embedded DynamoDB',
          unit: 'changes/s',
          goal: { of: 'measured', is: 'at least', value: pace.perSecond * PACE_KEPT },
        },
        { measured: measured.map(({ paced }) => paced.changes / paced.seconds) },
      ),
      ...TARGETS.flatMap((target) => spreadFigures(target, measured)),
    ];
  },
};

function spreadFigures(target: TargetName, rounds: readonly Round[]): Figure[] {
  return (['p50', 'p95', 'p99'] as const).map((share) =>
    figureOf(
      {
        name: `freshness.${target}.${share}`,
        what: `from a write to its being in the ${target}, ${share}`,
        unit: 'ms',
        ...(share === 'p95' && { goal: { of: 'measured', is: 'at most', value: MOST_MS } as const }),
      },
      { measured: rounds.map(({ mirrored }) => mirrored.spread[target][share]) },
    ),
  );
}

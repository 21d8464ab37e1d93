import { setTimeout as delay } from 'node:timers/promises';
import { mirrorableStream } from '../adapters/aws/dynamodb-table.ts';
import { createStreamReader } from '../adapters/aws/stream-reader.ts';
import type { StreamReader } from '../adapters/aws/stream-reader.ts';
import type { Mirror, MirrorTable } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import { parseStreamArn } from '../core/version.ts';
import { mirrorSource } from '../flows/mirror-table.ts';
import type { ChangeSource, TypedChange } from '../flows/ports.ts';
import { layoutOf } from './layout.ts';
import { Meter } from './meter.ts';
import type { CommonOptions, RunSummary, TableSummary, TargetName } from './results.ts';
import { createSnapshotSource, isSnapshotDone, markSnapshotDone } from './snapshot.ts';
import type { OpenSource } from './source.ts';
import { findMirroredTable, openSource } from './source.ts';
import { summaryOf, tableSummary } from './summary.ts';
import type { TableMirror } from './table-mirror.ts';
import { captureTableOf, openTableMirror } from './table-mirror.ts';
import { createUpkeep } from './upkeep.ts';
import type { Workspace } from './workspace.ts';
import { openWorkspace } from './workspace.ts';

const PROGRESS_EVERY_MS = 250;

/** A commit costs files: changes gather this long before they are made durable, which freshness can spare. */
const CADENCE_MS = 150;
/** Items of a snapshot that become durable together: large files, and the live stream waits for few of them. */
const SNAPSHOT_RECORDS = 5000;
const FEED_CADENCE = { maxKeys: 50_000, applyFrom: 1 };

/** What is shared by all tables of a running mirror. */
export interface Running {
  readonly workspace: Workspace;
  readonly source: OpenSource;
  readonly options: CommonOptions;
  /** Whether to come to an end once every stream is read to its tip; asked again and again. */
  readonly endWhenIdle: () => boolean;
  /** Called once a target has changes where a reader sees them. */
  readonly onApplied?: (target: TargetName, changes: readonly TypedChange[]) => void;
}

/**
 * Runs a mirror: until the signal, or with `untilIdle` until every stream is read to its tip and every target has it. A
 * second start continues where the first stopped, however it stopped. Throws a GlasshouseError: `gap` where a stream lost
 * what was not read, `unavailable` where a store or a port cannot be used.
 */
export async function runMirror(
  mirror: Mirror,
  options: CommonOptions & { readonly untilIdle: boolean },
): Promise<RunSummary> {
  const workspace = await openWorkspace(mirror, options.dir, { access: 'write', signal: options.signal });
  try {
    const source = await openSource(mirror.source, layoutOf(options.dir));
    try {
      options.log(`Mirroring ${mirror.tables.map((table) => table.name).join(', ')} from ${source.name}.`);
      return await runTables(mirror.tables, { workspace, source, options, endWhenIdle: () => options.untilIdle });
    } finally {
      await source.close();
    }
  } finally {
    await workspace.close();
  }
}

/** Runs the tables side by side; when one fails, all end, and its error is thrown. */
export async function runTables(tables: readonly MirrorTable[], running: Running): Promise<RunSummary> {
  const failed = new AbortController();
  const signal = AbortSignal.any([running.options.signal, failed.signal]);
  const options = { ...running.options, signal };
  const total = new Meter(Date.now);
  const meters = new Map(tables.map((table) => [table, new Meter(Date.now, total)]));
  const progress = setInterval(() => options.onProgress(total.event('streaming')), PROGRESS_EVERY_MS);
  try {
    const runs = [...meters].map(([table, meter]) =>
      runTable(table, meter, { ...running, options }).catch((thrown: unknown) => {
        failed.abort();
        throw thrown;
      }),
    );
    // All are waited for: a store must not be closed under one that is still ending.
    for (const one of await Promise.allSettled(runs)) if (one.status === 'rejected') throw one.reason;
    const summaries: TableSummary[] = [];
    for (const [table, meter] of meters) summaries.push(await tableSummary(running.workspace, table, meter));
    return summaryOf(total, summaries);
  } finally {
    clearInterval(progress);
  }
}

async function runTable(table: MirrorTable, meter: Meter, running: Running): Promise<void> {
  const { workspace, source, options } = running;
  const described = await findMirroredTable(source, workspace.layout, { table, ...options });
  if (described === null) return;
  const streamArn = mirrorableStream(described, source.endpoint);
  const upkeep = createUpkeep(workspace, options.log);
  const capturing = captureTableOf(table, described.key);
  const mirror = await openTableMirror(workspace, table, capturing, {
    cadence: FEED_CADENCE,
    meter,
    signal: options.signal,
    log: options.log,
    onApplied: (target, changes) => {
      upkeep.applied();
      running.onApplied?.(target, changes);
    },
  });
  upkeep.watch(mirror.open);
  const reader = createStreamReader({ client: source.streams, streamArn });
  const stream = mirrorStream(mirror, reader, running);
  await Promise.all([stream, takeSnapshot(table, mirror, { streamArn, running })]);
  await mirror.drain();
  await upkeep.settle();
}

function mirrorStream(mirror: TableMirror, reader: StreamReader, running: Running): Promise<void> {
  let lastMs = 0;
  const beforeBatch = async (): Promise<void> => {
    const waitMs = lastMs + CADENCE_MS - Date.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal: running.options.signal }).catch(() => undefined);
    lastMs = Date.now();
  };
  const parts = {
    source: endingWhenIdle(reader, running.endWhenIdle),
    capture: mirror.capture,
    writer: mirror.writer,
    nowMillis: Date.now,
    gatherRecords: 1,
    beforeBatch,
  };
  return mirrorSource(parts, mirror.positions, running.options.signal);
}

/** Idle rounds after which everything has come that was written before the first of them. */
const IDLE_ROUNDS = 2;

/** The reader's batches; once it is to end, up to the one with which all has come that was written before then. */
function endingWhenIdle(reader: StreamReader, endWhenIdle: () => boolean): ChangeSource {
  return {
    async *batches(from, signal) {
      let roundsThen: number | null = null;
      for await (const batch of reader.batches(from, signal)) {
        yield batch;
        if (!endWhenIdle()) continue;
        roundsThen ??= reader.idleRounds;
        if (reader.caughtUp && reader.idleRounds >= roundsThen + IDLE_ROUNDS) return;
      }
    },
  };
}

/**
 * Scans in what the table had before its stream was read. The stream is read from its beginning or from positions, so
 * either way from before the scan.
 */
async function takeSnapshot(
  table: MirrorTable,
  mirror: TableMirror,
  from: { readonly streamArn: string; readonly running: Running },
): Promise<void> {
  const { workspace, source, options } = from.running;
  const { signal } = options;
  const epoch = parseStreamArn(from.streamArn)?.epoch;
  if (epoch === undefined)
    throw new GlasshouseError('unavailable', `The stream ARN ${from.streamArn} has no label that tells when it began.`);
  if (await isSnapshotDone(workspace.layout, table.name, epoch)) return;
  const snapshot = createSnapshotSource(source.dynamodb, table.from, epoch);
  await mirrorSource(
    {
      source: snapshot,
      capture: mirror.capture,
      writer: mirror.writer,
      nowMillis: Date.now,
      gatherRecords: SNAPSHOT_RECORDS,
    },
    null,
    signal,
  );
  if (signal.aborted) return;
  await markSnapshotDone(workspace.layout, table.name, epoch);
  options.log(`${table.name}: the items that were there before are in the changelog.`);
}

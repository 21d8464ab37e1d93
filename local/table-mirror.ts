import { setTimeout as delay } from 'node:timers/promises';
import { Capture } from '../flows/capture.ts';
import type { CaptureTable } from '../flows/capture.ts';
import { Feed } from '../flows/feed.ts';
import { START, catchUp } from '../flows/mirror-table.ts';
import type { Changelog, StreamPositions, TypedChange } from '../flows/ports.ts';
import { TableWriter } from '../flows/table-writer.ts';
import type { MirrorTable } from '../core/config.ts';
import { DEFAULT_SCHEMA_LIMITS } from '../core/schema.ts';
import type { Meter } from './meter.ts';
import type { TargetName } from './results.ts';
import type { OpenTable, Workspace } from './workspace.ts';

/** A mirrored table, ready for its source. */
export interface TableMirror {
  readonly open: OpenTable;
  readonly capture: Capture;
  readonly writer: TableWriter;
  readonly feeds: readonly Feed[];
  readonly changelog: Changelog;
  /** Where the source is to be read from; null: from its beginning. */
  readonly positions: StreamPositions | null;
  /** Applies all that waits. */
  drain(): Promise<void>;
}

/** How changes gather before they are applied. */
export interface FeedCadence {
  readonly maxKeys: number;
  readonly applyFrom: number;
}

export interface TableMirrorOptions {
  readonly cadence: FeedCadence;
  readonly meter: Meter;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Called once a target has changes where a reader sees them. */
  readonly onApplied?: (target: TargetName, changes: readonly TypedChange[]) => void;
}

/** What capture has to know of a table, once its key is known. */
export function captureTableOf(table: MirrorTable, key: CaptureTable['key']): CaptureTable {
  return {
    table: table.name,
    sourceTable: table.from,
    key,
    declared: table.columns,
    limits: { ...DEFAULT_SCHEMA_LIMITS, maxColumns: table.maxColumns },
  };
}

const MAX_BACKOFF_MS = 5000;

/** Opens a table and brings its targets up to its changelog, which is ahead of them after a stop or a kill. */
export async function openTableMirror(
  workspace: Workspace,
  table: MirrorTable,
  capturing: CaptureTable,
  options: TableMirrorOptions,
): Promise<TableMirror> {
  const capture = await Capture.open(capturing, workspace.registry);
  const open = await workspace.openTable(table, capture.schema);
  const feeds: Feed[] = [];
  for (const [name, target] of open.targets) {
    options.meter.track(name);
    const feed = new Feed(target, (await target.mark()) ?? START, {
      ...options.cadence,
      backoffMs: (attempt) => Math.min(MAX_BACKOFF_MS, 50 * 2 ** attempt),
      sleep: (ms) => delay(ms, undefined, { signal: options.signal }).catch(() => undefined),
      isStopped: () => options.signal.aborted,
      onTrouble: (message) =>
        options.log(`${table.name}: the ${name} cannot take changes now, trying again. ${message}`),
      onApplied: (_counts, changes) => {
        options.meter.onApplied(name, changes);
        options.onApplied?.(name, changes);
      },
    });
    await catchUp(open.changelog, target, feed, capture.schema);
    feeds.push(feed);
  }
  const positions = await open.changelog.positions();
  const writer = new TableWriter(
    {
      changelog: open.changelog,
      quarantine: workspace.quarantine,
      feeds,
      onKept: (captured) => options.meter.onKept(captured),
    },
    positions,
  );
  return {
    open,
    capture,
    writer,
    feeds,
    changelog: open.changelog,
    positions,
    drain: async () => {
      for (const feed of feeds) await feed.drain();
    },
  };
}

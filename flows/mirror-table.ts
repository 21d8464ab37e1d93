import type { TableSchema } from '../core/schema.ts';
import { decodeNormalisedRow } from '../core/row.ts';
import type { Capture, Captured } from './capture.ts';
import type { Feed } from './feed.ts';
import type {
  ChangeSource,
  Changelog,
  ChangelogMark,
  Quarantine,
  SourceBatch,
  StreamPositions,
  Target,
} from './ports.ts';

/** One mirrored table's parts. */
export interface MirrorTableParts {
  readonly capture: Capture;
  readonly changelog: Changelog;
  readonly quarantine: Quarantine;
  readonly source: ChangeSource;
  readonly feeds: readonly Feed[];
  readonly nowMillis: () => number;
  /** Called once a batch is durable in the changelog. */
  readonly onCaptured?: (captured: Captured, deliveries: number) => void;
  /** Called before the next batch is asked for: where a cadence waits. */
  readonly beforeBatch?: () => Promise<void>;
}

/** The mark before the first append. */
export const START: ChangelogMark = { sequence: 0, snapshotId: 0 };

/**
 * Mirrors one table until its source ends or the signal comes: capture, append, then feed the targets. While one batch
 * is being made durable the next is captured. A batch is offered to the targets only when the changelog has it, and
 * positions are written with the changes that they cover, in one commit.
 */
export async function mirrorTable(parts: MirrorTableParts, signal: AbortSignal): Promise<void> {
  const positions = await parts.changelog.positions();
  const failed = new AbortController();
  let previous: Promise<void> = Promise.resolve();
  try {
    for await (const batch of parts.source.batches(positions, AbortSignal.any([signal, failed.signal]))) {
      const captured = await parts.capture.capture(batch.deliveries, parts.nowMillis());
      await previous;
      previous = keep(parts, captured, batch);
      // Its failure is thrown at the next await, here or below; a source that waits for records must not hold that up.
      previous.catch(() => failed.abort());
      await parts.beforeBatch?.();
    }
  } finally {
    await previous;
  }
  for (const feed of parts.feeds) await feed.drain();
}

async function keep(parts: MirrorTableParts, captured: Captured, batch: SourceBatch): Promise<void> {
  if (captured.quarantined.length > 0) await parts.quarantine.put(captured.quarantined);
  const mark = await appendBatch(parts.changelog, captured, batch.positions);
  parts.onCaptured?.(captured, batch.deliveries.length);
  if (mark === null) return;
  for (const feed of parts.feeds) await feed.offer(captured.changes, captured.schema, mark);
}

/** Null where there was nothing to write. */
async function appendBatch(
  changelog: Changelog,
  captured: Captured,
  positions: StreamPositions | null,
): Promise<ChangelogMark | null> {
  if (captured.changes.length === 0 && positions === null) return null;
  const envelopes = captured.changes.map((captured) => captured.change);
  return (await changelog.append(envelopes, positions)).mark;
}

/**
 * Brings a target up to the changelog: what was appended after its mark, as after a stop between an append and its apply.
 * Returns the number of changes that were read again.
 */
export async function catchUp(changelog: Changelog, target: Target, feed: Feed, schema: TableSchema): Promise<number> {
  const mark = await target.mark();
  const newest = await changelog.newest();
  if (newest === null || (mark !== null && mark.sequence >= newest.sequence)) return 0;
  let read = 0;
  for await (const piece of changelog.readAfter(mark)) {
    read += piece.changes.length;
    const changes = piece.changes.map((change) => ({
      change,
      row: change.row === null ? null : decodeNormalisedRow(change.row, schema),
    }));
    await feed.offer(changes, schema, piece.mark);
  }
  await feed.drain();
  return read;
}

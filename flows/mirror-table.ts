import { decodeNormalisedRow } from '../core/row.ts';
import type { TableSchema } from '../core/schema.ts';
import type { Capture } from './capture.ts';
import type { Feed } from './feed.ts';
import type { ChangeSource, Changelog, ChangelogMark, StreamPositions, Target } from './ports.ts';
import type { TableWriter } from './table-writer.ts';

/** What brings one source of a table into its mirror. */
export interface MirrorSourceParts {
  readonly source: ChangeSource;
  readonly capture: Capture;
  readonly writer: TableWriter;
  readonly nowMillis: () => number;
  /** Called before the next batch is asked for: where a cadence waits. */
  readonly beforeBatch?: () => Promise<void>;
}

/** The mark before the first append. */
export const START: ChangelogMark = { sequence: 0, snapshotId: 0 };

/**
 * Mirrors a source from its positions until it ends or the signal comes: capture, then append and offer. While one batch
 * is being made durable the next is captured. Returns when all that was delivered is durable and offered.
 */
export async function mirrorSource(
  parts: MirrorSourceParts,
  from: StreamPositions | null,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  let previous: Promise<void> = Promise.resolve();
  try {
    for await (const batch of parts.source.batches(from, AbortSignal.any([signal, failed.signal]))) {
      const captured = await parts.capture.capture(batch.deliveries, parts.nowMillis());
      await previous;
      previous = parts.writer.keep(captured, batch.positions);
      // Its failure is thrown at the next await, here or below; a source that waits for records must not hold that up.
      previous.catch(() => failed.abort());
      await parts.beforeBatch?.();
    }
  } finally {
    await previous;
  }
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

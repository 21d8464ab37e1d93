import type { TableSchema } from '../core/schema.ts';
import type { Envelope } from '../core/envelope.ts';
import type { Capture, Captured } from './capture.ts';
import type { Feed } from './feed.ts';
import type {
  ChangeSource,
  Changelog,
  ChangelogMark,
  QuarantineEntry,
  SourceBatch,
  StreamPositions,
  Target,
} from './ports.ts';
import type { TableWriter } from './table-writer.ts';

/** What brings one source of a table into its mirror. */
export interface MirrorSourceParts {
  readonly source: ChangeSource;
  readonly capture: Capture;
  readonly writer: TableWriter;
  readonly nowMillis: () => number;
  /** Batches are gathered until they have so many records, and kept together; 1 keeps each as it comes. */
  readonly gatherRecords: number;
  /** Called before the next batch is asked for: where a cadence waits. */
  readonly beforeBatch?: () => Promise<void>;
}

/** The mark before the first append. */
export const START: ChangelogMark = { sequence: 0, snapshotId: 0 };

/**
 * Mirrors a source from its positions until it ends or the signal comes: capture, then append and offer. While some
 * batches are being made durable the next are captured. Returns when all that was delivered is durable and offered.
 */
export async function mirrorSource(
  parts: MirrorSourceParts,
  from: StreamPositions | null,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  let previous: Promise<void> = Promise.resolve();
  let gathered = new Gathered();
  const keepGathered = async (): Promise<void> => {
    await previous;
    previous = parts.writer.keep(gathered.captured(parts.capture.schema), gathered.positions);
    // Its failure is thrown at the next await, here or below; a source that waits for records must not hold that up.
    previous.catch(() => failed.abort());
    gathered = new Gathered();
  };
  try {
    for await (const batch of parts.source.batches(from, AbortSignal.any([signal, failed.signal]))) {
      gathered.add(await parts.capture.capture(batch.deliveries, parts.nowMillis()), batch);
      if (gathered.records >= parts.gatherRecords || isEmpty(batch)) await keepGathered();
      await parts.beforeBatch?.();
    }
    await keepGathered();
  } finally {
    await previous;
  }
}

function isEmpty(batch: SourceBatch): boolean {
  return batch.deliveries.length === 0 && (batch.captured?.length ?? 0) === 0;
}

/** Captured batches that will be kept together, and the positions after the last of them. */
class Gathered {
  positions: StreamPositions | null = null;
  private readonly changes: Envelope[] = [];
  private readonly quarantined: QuarantineEntry[] = [];
  private rescued = 0;

  get records(): number {
    return this.changes.length + this.quarantined.length;
  }

  add(captured: Captured, batch: SourceBatch): void {
    for (const change of batch.captured ?? []) this.changes.push(change);
    for (const change of captured.changes) this.changes.push(change);
    for (const entry of captured.quarantined) this.quarantined.push(entry);
    this.rescued += captured.rescued;
    this.positions = batch.positions ?? this.positions;
  }

  captured(schema: TableSchema): Captured {
    return { changes: this.changes, quarantined: this.quarantined, rescued: this.rescued, schema };
  }
}

/**
 * Brings a target up to the changelog: what was appended after its mark, as after a stop between an append and its apply.
 * Returns the number of changes that were read again.
 */
export async function catchUp(changelog: Changelog, target: Target, feed: Feed, schema: TableSchema): Promise<number> {
  const newest = await changelog.newest();
  if (newest === null) return 0;
  const mark = markWithin(await target.mark(), newest);
  if (mark !== null && mark.sequence === newest.sequence) return 0;
  let read = 0;
  for await (const piece of changelog.readAfter(mark)) {
    read += piece.changes.length;
    await feed.offer(piece.changes, schema, piece.mark);
  }
  await feed.drain();
  return read;
}

/** A target's mark; null where it is of another changelog than this one, which was made anew while the target was kept. */
function markWithin(mark: ChangelogMark | null, newest: ChangelogMark): ChangelogMark | null {
  return mark === null || mark.sequence > newest.sequence ? null : mark;
}

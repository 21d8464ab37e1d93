import type { Captured } from './capture.ts';
import type { Feed } from './feed.ts';
import type { Changelog, Quarantine, StreamPositions } from './ports.ts';

export interface TableWriterParts {
  readonly changelog: Changelog;
  readonly quarantine: Quarantine;
  readonly feeds: readonly Feed[];
  /** Called once a batch is durable in the changelog. */
  readonly onKept?: (captured: Captured) => void;
}

/**
 * Makes captured batches durable and hands them to the targets, one batch at a time: a target's mark says that it has
 * all that was appended before, so no batch may be offered before an older one.
 */
export class TableWriter {
  private readonly parts: TableWriterParts;
  private positions: StreamPositions | null;
  private queue: Promise<unknown> = Promise.resolve();

  /** `positions`: those of the newest append; they are written with every later one, so the newest snapshot always has them. */
  constructor(parts: TableWriterParts, positions: StreamPositions | null) {
    this.parts = parts;
    this.positions = positions;
  }

  /** Keeps a batch; returns once it is durable and offered. Null positions: they have not moved. */
  keep(captured: Captured, positions: StreamPositions | null): Promise<void> {
    const turn = this.queue.then(() => this.keepNow(captured, positions));
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  private async keepNow(captured: Captured, positions: StreamPositions | null): Promise<void> {
    const { changelog, quarantine, feeds, onKept } = this.parts;
    if (captured.quarantined.length > 0) await quarantine.put(captured.quarantined);
    const moved = positions !== null && positions !== this.positions;
    if (captured.changes.length > 0 || moved) {
      const next = positions ?? this.positions;
      const { mark } = await changelog.append(captured.changes, next);
      this.positions = next;
      // An append of positions alone is no change to have: a mark beyond the newest change would be taken for another changelog's.
      const reached = captured.changes.length > 0 ? mark : null;
      for (const feed of feeds) await feed.offer(captured.changes, captured.schema, reached);
    }
    onKept?.(captured);
  }
}

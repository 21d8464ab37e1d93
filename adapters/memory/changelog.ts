import type { Envelope } from '../../core/envelope.ts';
import type { Changelog, ChangelogMark, ChangelogPiece, StreamPositions } from '../../flows/ports.ts';

interface Append {
  readonly mark: ChangelogMark;
  readonly envelopes: readonly Envelope[];
  readonly positions: StreamPositions | null;
}

/** A changelog that lives as long as its object does. */
export interface MemoryChangelog extends Changelog {
  /** Every change that was ever appended, in order: what a mirror must come to. */
  all(): readonly Envelope[];
}

/** `pieceChanges`: the most changes in one piece of `readAfter`, so that an append can come in several. */
export function createMemoryChangelog(pieceChanges = 1000): MemoryChangelog {
  const appends: Append[] = [];
  return {
    all: () => appends.flatMap((append) => append.envelopes),
    append(envelopes, positions) {
      const sequence = appends.length + 1;
      const mark = { sequence, snapshotId: sequence * 7 };
      appends.push({ mark, envelopes: [...envelopes], positions });
      return Promise.resolve({ mark, rows: envelopes.length });
    },
    positions: () => Promise.resolve(appends.findLast((append) => append.positions !== null)?.positions ?? null),
    // An append of positions alone has nothing to read.
    newest: () => Promise.resolve(appends.findLast((append) => append.envelopes.length > 0)?.mark ?? null),
    async *readAfter(mark) {
      // As a real store does: whoever reads must not count on an answer at once.
      await Promise.resolve();
      const later = appends.filter((append) => append.mark.sequence > (mark?.sequence ?? 0));
      for (const append of later) yield* piecesOf(append, pieceChanges);
    },
  };
}

function* piecesOf({ envelopes, mark }: Append, size: number): Generator<ChangelogPiece> {
  for (let from = 0; from < envelopes.length; from += size) {
    const isLast = from + size >= envelopes.length;
    yield { changes: envelopes.slice(from, from + size), mark: isLast ? mark : null };
  }
}

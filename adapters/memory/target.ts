import type { KeyHash, TypedRow } from '../../core/change.ts';
import { outranks } from '../../core/merge.ts';
import type { Version } from '../../core/version.ts';
import type { ChangelogMark, Target, TargetRow } from '../../flows/ports.ts';

interface Held {
  readonly version: Version;
  /** Null for a tombstone, which stays for ever. */
  readonly row: TypedRow | null;
}

/** A target that lives as long as its object does, with the guard, the tombstones and the mark of a real one. */
export function createMemoryTarget(): Target {
  const held = new Map<KeyHash, Held>();
  let mark: ChangelogMark | null = null;
  return {
    mark: () => Promise.resolve(mark),
    apply(changes, _schema, newMark) {
      let applied = 0;
      for (const { change, row } of changes) {
        if (!outranks(change, held.get(change.keyHash)?.version)) continue;
        held.set(change.keyHash, { version: change.version, row });
        applied++;
      }
      mark = newMark;
      return Promise.resolve({ applied, stale: changes.length - applied });
    },
    async *rows(schema) {
      // As a real store does: whoever reads must not count on an answer at once.
      await Promise.resolve();
      const rows: TargetRow[] = [];
      for (const [keyHash, { version, row }] of held) {
        if (row === null) continue;
        // A schema only ever gains columns at its end: what an older row lacks is null.
        const cells = schema.columns.map((_, index) => row.cells[index] ?? null);
        rows.push({ keyHash, version, cells, rescued: row.rescued });
      }
      yield rows;
    },
  };
}

import type { Quarantine, QuarantineEntry } from '../../flows/ports.ts';

/** A quarantine that lives as long as its object does. */
export interface MemoryQuarantine extends Quarantine {
  /** Every entry, those that a retry put in twice too. */
  all(): readonly QuarantineEntry[];
}

export function createMemoryQuarantine(): MemoryQuarantine {
  const kept: QuarantineEntry[] = [];
  return {
    all: () => kept,
    put(entries) {
      kept.push(...entries);
      return Promise.resolve();
    },
    counts(table) {
      const kinds = new Map<string, string>();
      for (const entry of kept) {
        if (entry.table === table) kinds.set(JSON.stringify([entry.kind, entry.place, entry.raw]), entry.kind);
      }
      const counts: Record<string, number> = {};
      for (const kind of kinds.values()) counts[kind] = (counts[kind] ?? 0) + 1;
      return Promise.resolve(counts);
    },
  };
}

import type { SnapshotPoint } from '../core/dynamodb/normalise.ts';
import type { Image } from '../core/dynamodb/stream-record.ts';
import type { Envelope } from '../core/envelope.ts';
import type { Captured } from './capture.ts';
import type { Delivered, QuarantineEntry } from './ports.ts';

/** What became of entries that were captured again. */
export interface Recaptured {
  /** What was accepted now, as it was (with its own version), and why it comes again. */
  readonly changes: readonly Envelope[];
  /** By entry, in the order given: whether it stays. */
  readonly stays: readonly boolean[];
}

/**
 * Entries as capture takes them, in their order; null for one that stays: an item of a snapshot, where nobody says of which.
 * `snapshotOf` may.
 */
export function deliveriesOf(
  entries: readonly QuarantineEntry[],
  snapshotOf: (entry: QuarantineEntry) => SnapshotPoint | null = () => null,
): (Delivered | null)[] {
  return entries.map((entry): Delivered | null => {
    const { raw, place } = entry;
    if (place.kind !== 'scan') return { kind: 'text', text: raw, place };
    const snapshot = snapshotOf(entry);
    const item = snapshot === null ? null : itemOf(raw);
    return snapshot === null || item === null ? null : { kind: 'item', item, snapshot, place };
  });
}

function itemOf(raw: string): Image | null {
  try {
    return JSON.parse(raw) as Image;
  } catch {
    // No item was ever written so; it stays.
    return null;
  }
}

/** Sorts what capture made of deliveries. What it refuses bears the very place that was delivered. */
export function recapturedOf(deliveries: readonly (Delivered | null)[], captured: Captured): Recaptured {
  const refused = new Set<unknown>(captured.quarantined.map(({ place }) => place));
  return {
    changes: captured.changes.map(asRedriven),
    stays: deliveries.map((delivery) => delivery === null || refused.has(delivery.place)),
  };
}

/** A change that comes by way of quarantine. That a delete was by TTL stays known. */
export function asRedriven(change: Envelope): Envelope {
  return change.cause === 'user' ? { ...change, cause: 'redrive' } : change;
}

/** Reads a line of a quarantine file; null where it is no entry. */
export function parseQuarantineLine(line: string): QuarantineEntry | null {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    // Not JSON, and so no entry.
    return null;
  }
  if (typeof entry !== 'object' || entry === null) return null;
  const { table, raw, place } = entry as Partial<QuarantineEntry>;
  const isEntry = typeof table === 'string' && typeof raw === 'string' && typeof place === 'object';
  return isEntry ? (entry as QuarantineEntry) : null;
}

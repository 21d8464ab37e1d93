import type { KeyHash } from '../core/change.ts';
import type { Envelope } from '../core/envelope.ts';
import type { Version } from '../core/version.ts';
import type { Captured } from './capture.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** What is kept of a batch to be told at its end. */
export interface BatchNotes {
  readonly startedAtMillis: number;
  /** The batch's indexes of the records that were set aside, rising. */
  readonly setAside: number[];
  readonly newestVersions: Map<KeyHash, Version>;
  changes: number;
  rescued: number;
  stale: number;
  /** Null before the first change, as are the next two. */
  oldestCommitMicros: number | null;
  firstVersion: Version | null;
  lastVersion: Version | null;
}

/** Where it is told. */
export interface NoteParts {
  /** The mirror's name of the table. */
  readonly table: string;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly nowMillis: () => number;
}

export function createNotes(startedAtMillis: number): BatchNotes {
  return {
    startedAtMillis,
    setAside: [],
    newestVersions: new Map(),
    changes: 0,
    rescued: 0,
    stale: 0,
    oldestCommitMicros: null,
    firstVersion: null,
    lastVersion: null,
  };
}

/** Adds what some records of a batch came to. `setAside`: the batch's indexes of those of them that are in quarantine. */
export function noteChunk(
  parts: NoteParts,
  notes: BatchNotes,
  { changes, rescued }: Captured,
  setAside: readonly number[],
): void {
  notes.setAside.push(...setAside);
  notes.changes += changes.length;
  notes.rescued += rescued;
  notes.firstVersion ??= changes[0]?.version ?? null;
  notes.lastVersion = changes.at(-1)?.version ?? notes.lastVersion;
  for (const change of changes) noteChange(parts, notes, change);
}

/** So many are named in the log. */
const MOST_NAMED = 10;

/**
 * DynamoDB promises that a key's records come in the order of their sequence numbers. Should it break that, the guarded
 * merge is right all the same, but somebody should know.
 */
function noteChange({ log, table }: NoteParts, notes: BatchNotes, change: Envelope): void {
  const { keyHash, version, committedAtMicros } = change;
  if (notes.oldestCommitMicros === null || committedAtMicros < notes.oldestCommitMicros)
    notes.oldestCommitMicros = committedAtMicros;
  const before = notes.newestVersions.get(keyHash);
  if (before === undefined || before < version) {
    notes.newestVersions.set(keyHash, version);
    return;
  }
  notes.stale++;
  if (notes.stale <= MOST_NAMED)
    log.warn('A key’s sequence number did not rise', { table, keyHash, before, after: version });
}

/** Counts the records that are done, which are the first of the batch; the rest comes again, and is counted then. */
export function reportBatch(
  { metrics, log, table, nowMillis }: NoteParts,
  notes: BatchNotes,
  { done, records }: { readonly done: number; readonly records: number },
): void {
  const { oldestCommitMicros, startedAtMillis, rescued, stale, firstVersion, lastVersion } = notes;
  const now = nowMillis();
  const lagMs = oldestCommitMicros === null ? null : now - Math.floor(oldestCommitMicros / 1000);
  const quarantined = notes.setAside.filter((record) => record < done).length;
  metrics.add('CapturedChanges', done - quarantined, { table });
  metrics.add('QuarantinedRecords', quarantined, { table });
  metrics.add('RescuedRows', rescued, { table });
  metrics.add('StaleSequences', stale, { table });
  if (lagMs !== null) metrics.add('CaptureLag', lagMs, { table });
  log.info('Captured a batch', {
    table,
    changes: notes.changes,
    quarantined: notes.setAside.length,
    rescued,
    comeAgain: records - done,
    firstVersion,
    lastVersion,
    lagMs,
    tookMs: now - startedAtMillis,
  });
}

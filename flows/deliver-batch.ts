import type { Envelope } from '../core/envelope.ts';
import type { KeyHash } from '../core/change.ts';
import type { Version } from '../core/version.ts';
import type { Capture, Captured } from './capture.ts';
import type { DeliveryParts } from './deliver-changes.ts';
import { deliverChanges } from './deliver-changes.ts';
import type { Log, LogFields } from './log.ts';
import type { Delivered, Quarantine } from './ports.ts';

export interface DeliverBatchParts extends DeliveryParts {
  /** Its rows are quoted as `rowStyleFor` says. */
  readonly capture: Capture;
  readonly quarantine: Quarantine;
  readonly log: Log;
  readonly nowMillis: () => number;
}

/** Which records of a batch must come again: the first of these and all after it. Empty: none. */
export interface BatchResponse {
  readonly batchItemFailures: { readonly itemIdentifier: string }[];
}

/**
 * Captures the records of one Lambda event and hands them to every target. What it returns as done is durable: in both
 * targets or in quarantine. Throws where the whole batch must come again.
 */
export async function deliverBatch(
  parts: DeliverBatchParts,
  records: readonly unknown[],
  untilMillis: number,
): Promise<BatchResponse> {
  const { capture, quarantine, nowMillis } = parts;
  const startedAtMillis = nowMillis();
  const deliveries = records.map(deliveredOf);
  const captured = await capture.capture(deliveries, startedAtMillis);
  if (captured.quarantined.length > 0) await quarantine.put(captured.quarantined);
  reportStaleSequences(parts, captured.changes);
  const made = { schema: captured.schema, style: capture.style };
  const untaken = await deliverChanges(parts, captured.changes, made, untilMillis);
  const [firstUntaken = captured.changes.length] = untaken;
  const done = recordsBefore(deliveries, captured, firstUntaken);
  report(parts, captured, { done, firstUntaken, startedAtMillis });
  if (done === records.length) return { batchItemFailures: [] };
  return { batchItemFailures: [{ itemIdentifier: sequenceNumberOf(records[done]) }] };
}

/** What log lines about an event bear, by which a change's version is found. */
export function spanOfRecords({ Records: records }: { readonly Records: readonly unknown[] }): LogFields {
  return {
    records: records.length,
    firstSequence: sequenceNumberOf(records[0]),
    lastSequence: sequenceNumberOf(records.at(-1)),
  };
}

function deliveredOf(record: unknown): Delivered {
  // Lambda does not say which shard a batch is of.
  return { kind: 'record', record, place: { kind: 'stream', shardId: '', sequenceNumber: sequenceNumberOf(record) } };
}

/** As the stream wrote it; empty where there is none, which makes Lambda send the whole batch again. */
function sequenceNumberOf(record: unknown): string {
  const body = (record as { readonly dynamodb?: { readonly SequenceNumber?: unknown } } | null | undefined)?.dynamodb;
  return typeof body?.SequenceNumber === 'string' ? body.SequenceNumber : '';
}

/** How many records come before the one that became this change: each became a change or an entry of the quarantine, in order. */
function recordsBefore(deliveries: readonly Delivered[], { changes, quarantined }: Captured, change: number): number {
  if (change === changes.length) return deliveries.length;
  let setAside = 0;
  for (const [index, { place }] of deliveries.entries()) {
    if (quarantined[setAside]?.place === place) setAside++;
    else if (index - setAside === change) return index;
  }
  return deliveries.length;
}

interface Outcome {
  /** Records that need not come again. */
  readonly done: number;
  readonly firstUntaken: number;
  readonly startedAtMillis: number;
}

/** Counts what is done; the rest comes again, and is counted then. */
function report(parts: DeliverBatchParts, captured: Captured, { done, firstUntaken, startedAtMillis }: Outcome): void {
  const { metrics, log, table, nowMillis } = parts;
  const { changes, quarantined, rescued } = captured;
  const setAside = done - firstUntaken;
  const now = nowMillis();
  metrics.add('CapturedChanges', firstUntaken, { table });
  metrics.add('QuarantinedRecords', setAside, { table });
  metrics.add('RescuedRows', rescued, { table });
  const lagMs = changes.length === 0 ? null : now - oldestCommitMillis(changes);
  if (lagMs !== null) metrics.add('CaptureLag', lagMs, { table });
  const counts = { table, changes: changes.length, quarantined: quarantined.length, rescued };
  log.info('Captured a batch', {
    ...counts,
    comeAgain: changes.length + quarantined.length - done,
    firstVersion: changes[0]?.version ?? null,
    lastVersion: changes.at(-1)?.version ?? null,
    lagMs,
    tookMs: now - startedAtMillis,
  });
}

function oldestCommitMillis(changes: readonly Envelope[]): number {
  let oldest = Infinity;
  for (const { committedAtMicros } of changes) if (committedAtMicros < oldest) oldest = committedAtMicros;
  return Math.floor(oldest / 1000);
}

/** So many are named in the log. */
const MOST_NAMED = 10;

/**
 * DynamoDB promises that a key's records come in the order of their sequence numbers. Should it break that, the guarded
 * merge is right all the same, but somebody should know.
 */
function reportStaleSequences({ metrics, log, table }: DeliverBatchParts, changes: readonly Envelope[]): void {
  const newest = new Map<KeyHash, Version>();
  let stale = 0;
  for (const { keyHash, version } of changes) {
    const before = newest.get(keyHash);
    if (before !== undefined && before >= version) {
      if (++stale <= MOST_NAMED)
        log.warn('A key’s sequence number did not rise', { table, keyHash, before, after: version });
    } else newest.set(keyHash, version);
  }
  metrics.add('StaleSequences', stale, { table });
}

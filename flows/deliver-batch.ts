import { setImmediate } from 'node:timers/promises';
import { FIREHOSE_LIMITS } from '../core/firehose-batches.ts';
import type { BatchNotes } from './batch-notes.ts';
import { createNotes, noteChunk, reportBatch } from './batch-notes.ts';
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

/** As many as Firehose takes in two requests, so that none goes half empty. What is held of a chunk is let go once its lines are encoded. */
const CHUNK_RECORDS = 2 * FIREHOSE_LIMITS.recordsPerRequest;

/**
 * Captures the records of one Lambda event and hands them to every target, in chunks: while some are on their way, the
 * next are captured. What it returns as done is durable: in both targets or in quarantine. Throws where the whole batch
 * must come again.
 */
export async function deliverBatch(
  parts: DeliverBatchParts,
  records: readonly unknown[],
  untilMillis: number,
): Promise<BatchResponse> {
  const notes = createNotes(parts.nowMillis());
  const chunks: Promise<number>[] = [];
  try {
    for (let from = 0; from < records.length; from += CHUNK_RECORDS) {
      const { end } = await beginChunk(parts, notes, records, { from, untilMillis });
      // Its failure is met at the end, and must not end the process before.
      end.catch(() => undefined);
      chunks.push(end);
      // Lets what is on its way be sent.
      await setImmediate();
    }
  } finally {
    // Nothing must happen behind the back of whoever is told of a failure.
    await Promise.allSettled(chunks);
  }
  const done = Math.min(records.length, ...(await Promise.all(chunks)));
  reportBatch(parts, notes, { done, records: records.length });
  if (done === records.length) return { batchItemFailures: [] };
  return { batchItemFailures: [{ itemIdentifier: sequenceNumberOf(records[done]) }] };
}

interface ChunkPlace {
  /** The batch's index of its first record. */
  readonly from: number;
  readonly untilMillis: number;
}

/** A delivery under way. `end` gives the batch's index of the first record that must come again, or Infinity. */
interface Begun {
  readonly end: Promise<number>;
}

/** Captures a chunk and begins to deliver it. */
async function beginChunk(
  parts: DeliverBatchParts,
  notes: BatchNotes,
  records: readonly unknown[],
  { from, untilMillis }: ChunkPlace,
): Promise<Begun> {
  const { capture, quarantine } = parts;
  const deliveries = records.slice(from, from + CHUNK_RECORDS).map(deliveredOf);
  const following = (): Delivered[] => records.slice(from + CHUNK_RECORDS).map(deliveredOf);
  const captured = await capture.capture(deliveries, notes.startedAtMillis, following);
  if (captured.quarantined.length > 0) await quarantine.put(captured.quarantined);
  const { recordOf, setAside } = recordsOf(deliveries, captured);
  noteChunk(
    parts,
    notes,
    captured,
    setAside.map((record) => from + record),
  );
  const made = { schema: captured.schema, style: capture.style };
  const end = deliverChanges(parts, captured.changes, made, untilMillis).then(([first]) =>
    first === undefined ? Infinity : from + recordOf(first),
  );
  return { end };
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

/** Which record became which change, and which were set aside: each became one of the two, in order. */
function recordsOf(
  deliveries: readonly Delivered[],
  { quarantined }: Captured,
): { readonly recordOf: (change: number) => number; readonly setAside: readonly number[] } {
  if (quarantined.length === 0) return { recordOf: (change) => change, setAside: [] };
  const places = new Set(quarantined.map(({ place }) => place));
  const setAside: number[] = [];
  const captured: number[] = [];
  for (const [record, { place }] of deliveries.entries()) (places.has(place) ? setAside : captured).push(record);
  return { recordOf: (change) => captured[change] ?? deliveries.length, setAside };
}

/** What log lines about an event bear, by which a change's version is found. */
export function spanOfRecords({ Records: records }: { readonly Records: readonly unknown[] }): LogFields {
  return {
    records: records.length,
    firstSequence: sequenceNumberOf(records[0]),
    lastSequence: sequenceNumberOf(records.at(-1)),
  };
}

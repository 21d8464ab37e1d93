import { PREFIXES } from '../core/aws-names.ts';
import { parseFailedBatch } from '../core/failed-batch.ts';
import type { Delivered, QuarantineEntry } from './ports.ts';
import { deliveriesOf, parseQuarantineLine, recapturedOf } from './redrive-quarantine.ts';
import type { RedriveObject } from './redriving.ts';
import { readText, tableInKey, unknownTable } from './redriving.ts';

/**
 * A batch that Lambda gave up on: its records are captured as they would have been, those that are refused go to
 * quarantine, and the object has done its service.
 */
export const redriveFailedBatch: RedriveObject = async (redriving, shelf, key) => {
  const text = await readText(shelf, key);
  if (text === null) return {};
  const batch = parseFailedBatch(text);
  if (batch === null) {
    redriving.note(`${key}: no batch of Lambda with its payload. The object stays.`);
    return { unknown: 1 };
  }
  const found = batch.sourceTable === null ? null : await redriving.tableOfSource(batch.sourceTable);
  if (found === null) {
    redriving.note(unknownTable(key, batch.sourceTable ?? ''));
    return { unknown: batch.records.length };
  }
  const { parts } = redriving;
  const deliveries = batch.records.map((record): Delivered => ({
    kind: 'record',
    record,
    place: { kind: 'stream', shardId: batch.shardId, sequenceNumber: sequenceNumberOf(record) },
  }));
  const captured = await found.table.capture.capture(deliveries, parts.nowMillis());
  if (captured.quarantined.length > 0) await parts.quarantine.put(captured.quarantined);
  await found.table.deliver(captured.changes, captured.schema);
  await shelf.settle(key, null);
  parts.metrics.add('RedrivenRecords', captured.changes.length, { table: found.name });
  return { redriven: captured.changes.length, refused: captured.quarantined.length };
};

function sequenceNumberOf(record: unknown): string {
  const body = (record as { readonly dynamodb?: { readonly SequenceNumber?: unknown } } | null)?.dynamodb;
  return typeof body?.SequenceNumber === 'string' ? body.SequenceNumber : 'unknown';
}

/** An object of quarantine: what is accepted now goes on with its own version, the rest stays in it. */
export const redriveQuarantined: RedriveObject = async (redriving, shelf, key) => {
  const name = tableInKey(key, PREFIXES.quarantine);
  const [text, table] = [await readText(shelf, key), await redriving.table(name)];
  if (text === null) return {};
  if (table === null) {
    redriving.note(unknownTable(key, name));
    return { unknown: 1 };
  }
  const lines = text.split('\n').filter((line) => line !== '');
  const entries = lines.map(parseQuarantineLine);
  const known = entries.filter((entry): entry is QuarantineEntry => entry !== null);
  const { parts } = redriving;
  const deliveries = deliveriesOf(known);
  const captured = await table.capture.capture(
    deliveries.filter((one) => one !== null),
    parts.nowMillis(),
  );
  const { changes, stays } = recapturedOf(deliveries, captured);
  const unknown = lines.length - known.length;
  const refused = stays.filter(Boolean).length;
  if (unknown > 0) redriving.note(`${key}: ${unknown} of its lines are no entries of quarantine. They stay.`);
  if (refused < known.length) {
    await table.deliver(changes, captured.schema);
    const staying = new Set(known.filter((_, index) => stays[index]));
    const rest = lines.filter((_, index) => {
      const entry = entries[index] ?? null;
      return entry === null || staying.has(entry);
    });
    await shelf.settle(key, rest.length === 0 ? null : `${rest.join('\n')}\n`);
    parts.metrics.add('RedrivenRecords', changes.length, { table: name });
  }
  return { redriven: known.length - refused, refused, unknown };
};

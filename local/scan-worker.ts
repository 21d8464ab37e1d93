import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { createRecordFilesSource } from '../adapters/files/record-files.ts';
import type { NormaliseContext } from '../core/dynamodb/normalise.ts';
import { scanRecord } from '../core/dynamodb/record-scan.ts';
import type { Envelope } from '../core/envelope.ts';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import { rowLayout } from '../core/row.ts';
import { schemaFromJson } from '../core/schema.ts';
import type { Delivered, SourceBatch } from '../flows/ports.ts';
import type { FromScanner, ScanContext, ToScanner } from './scan-messages.ts';
import { packEnvelopes } from './scan-messages.ts';
import type { ScanTask } from './scanned-files.ts';

/** Batches that may be on their way to the other thread: the bound of what both hold. */
const BATCHES_AHEAD = 6;

/** Reads files and scans their records on a thread of its own, as far ahead as it is let. */
async function scanFiles(port: MessagePort, task: ScanTask): Promise<void> {
  const stop = new AbortController();
  let context: NormaliseContext | null = null;
  let credit = BATCHES_AHEAD;
  let wake: () => void = () => undefined;
  port.on('message', (message: ToScanner) => {
    if (message.kind === 'context') context = contextOf(message.context);
    else if (message.kind === 'more') credit++;
    else stop.abort();
    wake();
  });
  const source = createRecordFilesSource(task.files, { ...task.limits, standardInput: process.stdin });
  for await (const batch of source.batches(null, stop.signal)) {
    while (credit === 0 && !stop.signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
    if (stop.signal.aborted) break;
    credit--;
    port.postMessage(scanBatch(batch, context));
    // A message that has come, such as a newer schema, is taken in before the next batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  port.postMessage({ kind: 'end' } satisfies FromScanner);
}

function contextOf({ table, key, schema }: ScanContext): NormaliseContext {
  return { table, key, layout: rowLayout(schemaFromJson(schema)), capturedAtMicros: 0 };
}

function scanBatch(batch: SourceBatch, context: NormaliseContext | null): FromScanner {
  const envelopes: Envelope[] = [];
  const deliveries: Delivered[] = [];
  const now = context === null ? null : { ...context, capturedAtMicros: Date.now() * 1000 };
  for (const delivery of batch.deliveries) {
    const scanned = now !== null && delivery.kind === 'text' ? scanRecord(delivery.text, now) : null;
    if (scanned === null) deliveries.push(delivery);
    else envelopes.push(scanned.change);
  }
  return { kind: 'batch', envelopes: packEnvelopes(envelopes), deliveries };
}

if (parentPort !== null) {
  const port = parentPort;
  scanFiles(port, workerData as ScanTask)
    .catch((thrown: unknown) => {
      const code = thrown instanceof GlasshouseError ? thrown.code : 'bug';
      port.postMessage({ kind: 'failed', code, message: messageOf(thrown) } satisfies FromScanner);
    })
    .finally(() => port.close());
}

import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { createRecordFilesSource } from '../adapters/files/record-files.ts';
import type { NormaliseContext } from '../core/dynamodb/normalise.ts';
import { RecordBytesScanner } from '../core/dynamodb/record-bytes.ts';
import { scanRecord } from '../core/dynamodb/record-scan.ts';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import { ChangePacker, buffersOf } from '../core/packed-changes.ts';
import { rowLayout } from '../core/row.ts';
import { schemaFromJson } from '../core/schema.ts';
import type { Delivered, SourceBatch } from '../flows/ports.ts';
import type { FromScanner, ScanContext, ToScanner } from './scan-messages.ts';
import type { ScanTask } from './scanned-files.ts';

/** Batches that may be on their way to the other thread: the bound of what both hold. One, until it is known how to scan. */
const BATCHES_AHEAD = 6;

/** Reads files and scans their records on a thread of its own, as far ahead as it is let. */
async function scanFiles(port: MessagePort, task: ScanTask): Promise<void> {
  const stop = new AbortController();
  const scanner = new LineScanner();
  let credit = 1;
  let isTold = false;
  let wake: () => void = () => undefined;
  port.on('message', (message: ToScanner) => {
    if (message.kind === 'context') {
      if (!isTold) credit += BATCHES_AHEAD - 1;
      isTold = true;
      scanner.newest = message.context;
    } else if (message.kind === 'more') credit++;
    else stop.abort();
    wake();
  });
  const options = { ...task.limits, standardInput: process.stdin, take: scanner.take };
  for await (const batch of createRecordFilesSource(task.files, options).batches(null, stop.signal)) {
    const message = scanner.finish(batch);
    port.postMessage(message, message.changes === null ? [] : buffersOf(message.changes));
    credit--;
    // A message that has come, such as a newer schema, is taken in before the next batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (credit === 0 && !stop.signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
    if (stop.signal.aborted) break;
    scanner.adoptNewest();
  }
  port.postMessage({ kind: 'end' } satisfies FromScanner);
}

/** Packs what it can of a batch's lines while they are read. */
class LineScanner {
  /** How to scan from the next batch on; a batch is scanned to one schema. */
  newest: ScanContext | null = null;
  private adopted: ScanContext | null = null;
  private readonly packer = new ChangePacker();
  private context: NormaliseContext | null = null;
  private bytes: RecordBytesScanner | null = null;

  adoptNewest(): void {
    if (this.newest === null || this.newest === this.adopted) return;
    this.adopted = this.newest;
    const { table, key } = this.newest;
    const schema = schemaFromJson(this.newest.schema);
    this.context = { table, key, layout: rowLayout(schema), capturedAtMicros: 0 };
    this.bytes = new RecordBytesScanner({ table, key, schema });
  }

  readonly take = (bytes: Buffer, from: number, to: number): boolean => {
    // A line that ends as on Windows has a blank more, which JSON allows.
    const end = bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to;
    return this.bytes?.pack(bytes, from, end, this.packer) ?? false;
  };

  /** All that was taken of a batch, and of the rest what can be scanned as text. */
  finish(batch: SourceBatch): Extract<FromScanner, { kind: 'batch' }> {
    const { context, packer } = this;
    if (context === null) return { kind: 'batch', changes: null, deliveries: batch.deliveries };
    const deliveries: Delivered[] = [];
    for (const delivery of batch.deliveries) {
      const scanned = delivery.kind === 'text' ? scanRecord(delivery.text, context) : null;
      if (scanned === null) deliveries.push(delivery);
      else packer.add(scanned.change);
    }
    const changes = packer.size === 0 ? null : packer.take(context.layout.schema.version, Date.now() * 1000);
    return { kind: 'batch', changes, deliveries };
  }
}

const CARRIAGE_RETURN = 13;

if (parentPort !== null) {
  const port = parentPort;
  scanFiles(port, workerData as ScanTask)
    .catch((thrown: unknown) => {
      const code = thrown instanceof GlasshouseError ? thrown.code : 'bug';
      port.postMessage({ kind: 'failed', code, message: messageOf(thrown) } satisfies FromScanner);
    })
    .finally(() => port.close());
}

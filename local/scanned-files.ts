import { Worker } from 'node:worker_threads';
import { createRecordFilesSource } from '../adapters/files/record-files.ts';
import type { RecordFilesOptions } from '../adapters/files/record-files.ts';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import { unpacked } from '../core/packed-changes.ts';
import type { KeyAttributes, TableSchema } from '../core/schema.ts';
import { schemaToJson } from '../core/schema.ts';
import type { ChangeSource } from '../flows/ports.ts';
import { builtScript } from './built-script.ts';
import type { FromScanner, ToScanner } from './scan-messages.ts';

/** What the scanning thread is started with. */
export interface ScanTask {
  readonly files: readonly string[];
  readonly limits: Omit<RecordFilesOptions, 'standardInput' | 'take'>;
}

/** Files of stream records as a source, scanned ahead where that can be done. */
export interface ScannedFiles extends ChangeSource {
  /** Tells how to scan from here on. What was scanned to an older schema stays right: a newer one has more columns only. */
  useSchema(schema: TableSchema, table: { readonly sourceTable: string | null; readonly key: KeyAttributes }): void;
}

/** What scans ahead holds a few batches only; without a limit its collector would let garbage grow to gigabytes first. */
const SCANNER_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 48 };

/**
 * Reads files on a second thread, which also normalises the ordinary records: the first has then to do only with what is
 * out of the ordinary, and with writing. Standard input, or code that was not built, is read on this thread.
 */
export function createScannedFiles(task: ScanTask): ScannedFiles {
  const script = builtScript('scan-worker');
  if (script === null || task.files.includes('-')) {
    const source = createRecordFilesSource(task.files, { ...task.limits, standardInput: process.stdin });
    return { ...source, useSchema: () => undefined };
  }
  let worker: Worker | null = null;
  const tell = (message: ToScanner): void => worker?.postMessage(message);
  return {
    useSchema: (schema, { sourceTable, key }) =>
      tell({ kind: 'context', context: { table: sourceTable, key, schema: schemaToJson(schema) } }),
    async *batches(_from, signal) {
      const started = new Worker(script, { workerData: task, resourceLimits: SCANNER_LIMITS });
      worker = started;
      try {
        for await (const message of messagesOf(started, signal)) {
          if (message.kind === 'end') return;
          if (message.kind === 'failed') throw new GlasshouseError(message.code, message.message);
          const captured = message.changes === null ? [] : unpacked(message.changes);
          yield { deliveries: message.deliveries, captured, positions: null };
          tell({ kind: 'more' });
        }
      } finally {
        worker = null;
        await started.terminate();
      }
    },
  };
}

/** A thread's messages in order, until it ends or the signal comes. Throws where it dies. */
async function* messagesOf(worker: Worker, signal: AbortSignal): AsyncGenerator<FromScanner> {
  const queue: (FromScanner | GlasshouseError)[] = [];
  let wake: () => void = () => undefined;
  worker.on('message', (message: FromScanner) => {
    queue.push(message);
    wake();
  });
  worker.on('error', (thrown) => {
    const message = `The thread that reads the files ended: ${messageOf(thrown)}`;
    queue.push(new GlasshouseError('bug', message, { cause: thrown }));
    wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const message = queue.shift();
      if (message instanceof GlasshouseError) throw message;
      if (message !== undefined) yield message;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

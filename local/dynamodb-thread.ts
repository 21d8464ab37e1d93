import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ErrorCode } from '../core/errors.ts';
import { GlasshouseError } from '../core/errors.ts';
import { builtScript } from './built-script.ts';
import type { EmbeddedDynamoDbOptions } from './dynamodb/server.ts';

/** From the thread that serves the embedded DynamoDB. */
export type FromDynamoDb =
  | { readonly kind: 'started'; readonly endpoint: string }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

export interface ServedDynamoDb {
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Starts the embedded DynamoDB on a thread of its own, where that was built: its writers and the mirror then do not wait
 * for each other. Throws as `startEmbeddedDynamoDb`.
 */
export async function startDynamoDbThread(
  options: Pick<EmbeddedDynamoDbOptions, 'port' | 'path'>,
): Promise<ServedDynamoDb> {
  const script = builtScript('dynamodb-worker');
  if (script === null) {
    const { startEmbeddedDynamoDb } = await import('./dynamodb/server.ts');
    return startEmbeddedDynamoDb(options);
  }
  const worker = new Worker(script, { workerData: options });
  const answer = async (): Promise<FromDynamoDb> => ((await once(worker, 'message')) as [FromDynamoDb])[0];
  const started = await answer();
  if (started.kind === 'failed') throw new GlasshouseError(started.code, started.message);
  if (started.kind === 'closed') throw new GlasshouseError('bug', 'The embedded DynamoDB ended before it began.');
  return {
    endpoint: started.endpoint,
    async close() {
      const closed = answer();
      worker.postMessage('close');
      await closed;
      await worker.terminate();
    },
  };
}

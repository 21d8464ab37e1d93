import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import type { FromDynamoDb } from './dynamodb-thread.ts';
import type { EmbeddedDynamoDbOptions } from './dynamodb/server.ts';
import { startEmbeddedDynamoDb } from './dynamodb/server.ts';

/** The embedded DynamoDB on a thread of its own. Any message to it is the wish that it end. */
async function serve(port: MessagePort, options: EmbeddedDynamoDbOptions): Promise<void> {
  const tell = (message: FromDynamoDb): void => port.postMessage(message);
  try {
    const server = await startEmbeddedDynamoDb(options);
    port.once('message', () => {
      void server.close().then(() => {
        tell({ kind: 'closed' });
        port.close();
      });
    });
    tell({ kind: 'started', endpoint: server.endpoint });
  } catch (thrown) {
    const code = thrown instanceof GlasshouseError ? thrown.code : 'bug';
    tell({ kind: 'failed', code, message: messageOf(thrown) });
    port.close();
  }
}

if (parentPort !== null) await serve(parentPort, workerData as EmbeddedDynamoDbOptions);

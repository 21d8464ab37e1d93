import { setTimeout as delay } from 'node:timers/promises';
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteItemCommand, UpdateItemCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { openDynamoDb } from '../adapters/aws/clients.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { Task } from './child-task.ts';
import { createImages } from './record-image.ts';
import { BENCH_TABLE } from './records.ts';

export interface PaceParams {
  readonly endpoint: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** At first there is little to update: so long all changes are new items. */
  readonly insertsOnlySeconds: number;
}

export interface Paced {
  readonly changes: number;
  /** New items among them. */
  readonly inserts: number;
  /** From the first change to the last one's reply. */
  readonly seconds: number;
}

/** When a change was sent, by the writer's clock, in epoch milliseconds: a number of 13 digits. */
export const WRITTEN_AT = 'written_at';

const BATCH = 25;
const TICK_MS = 50;
const MOST_UNDER_WAY = 64;

/** Of five changes one is an UpdateItem of its own; a request for each change would measure the SDK and the database. */
const UPDATES = 1 / 5;

/**
 * Writes items of about 1.1 KB to a DynamoDB at a pace: four changes in five are new items by BatchWriteItem, one is an
 * UpdateItem of an item that is there for a while. No item is updated twice.
 */
export const paceTask: Task<PaceParams, Paced> = {
  name: 'pace',
  async run(params) {
    const client = openDynamoDb({ endpoint: params.endpoint, region: 'us-east-1' });
    try {
      // The mirror makes it when it starts.
      await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { TableName: BENCH_TABLE });
      return await keepPace(params, createWriter(client));
    } finally {
      client.destroy();
    }
  },
};

type Writer = ReturnType<typeof createWriter>;

async function keepPace(params: PaceParams, writer: Writer): Promise<Paced> {
  const perTick = Math.round((params.perSecond * TICK_MS) / 1000);
  const ticks = Math.round((params.seconds * 1000) / TICK_MS);
  const insertTicks = Math.round((params.insertsOnlySeconds * 1000) / TICK_MS);
  const startedAtMs = performance.now();
  let inserts = 0;
  let updates = 0;
  for (let tick = 0; tick < ticks; tick++) {
    const waitMs = startedAtMs + tick * TICK_MS - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const toUpdate = tick < insertTicks ? 0 : Math.round(perTick * UPDATES);
    await writer.insert(inserts, perTick - toUpdate);
    inserts += perTick - toUpdate;
    for (const last = updates + toUpdate; updates < last; updates++) await writer.update(updates);
  }
  await writer.settled();
  const seconds = (performance.now() - startedAtMs) / 1000;
  // The last tick's own time belongs to the pace, however soon its replies came.
  return { changes: inserts + updates, inserts, seconds: Math.max(seconds, params.seconds) };
}

/** Writes that go out side by side; each waits only while too many are under way. */
function createWriter(client: DynamoDBClient) {
  const images = createImages(5);
  const underWay = new Set<Promise<unknown>>();
  const send = async (request: Promise<unknown>): Promise<void> => {
    const kept = request.finally(() => underWay.delete(kept));
    // Its failure is thrown where it is waited for; until then it is no unhandled one.
    kept.catch(() => undefined);
    underWay.add(kept);
    if (underWay.size >= MOST_UNDER_WAY) await Promise.race(underWay);
  };
  return {
    async insert(from: number, count: number): Promise<void> {
      for (let first = from; first < from + count; first += BATCH) {
        const keys = Array.from({ length: Math.min(BATCH, from + count - first) }, (_, index) => first + index);
        const puts = keys.map((key) => ({
          PutRequest: {
            Item: {
              ...(JSON.parse(images.image(key, 1)) as Record<string, AttributeValue>),
              [WRITTEN_AT]: { N: String(Date.now()) },
            },
          },
        }));
        const command = new BatchWriteItemCommand({ RequestItems: { [BENCH_TABLE]: puts } });
        await send(client.send(command).then(({ UnprocessedItems }) => checkProcessed(UnprocessedItems)));
      }
    },
    update(key: number): Promise<void> {
      const command = new UpdateItemCommand({
        TableName: BENCH_TABLE,
        Key: JSON.parse(`{${images.keys(key)}}`) as Record<string, AttributeValue>,
        UpdateExpression: `SET order_status = :status, #total = :total, ${WRITTEN_AT} = :now`,
        ExpressionAttributeNames: { '#total': 'total' },
        ExpressionAttributeValues: {
          ':status': { S: 'changed' },
          ':total': { N: `${key}.25` },
          ':now': { N: String(Date.now()) },
        },
      });
      return send(client.send(command));
    },
    async settled(): Promise<void> {
      await Promise.all(underWay);
    },
  };
}

function checkProcessed(unprocessed: Readonly<Record<string, unknown>> | undefined): void {
  if (unprocessed !== undefined && Object.keys(unprocessed).length > 0)
    throw new GlasshouseError('bug', 'The embedded DynamoDB left items of a batch unprocessed.');
}

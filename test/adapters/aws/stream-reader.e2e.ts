import { BatchWriteItemCommand, CreateTableCommand, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, expect, it } from 'vitest';
import { openDynamoDb, openDynamoDbStreams } from '../../../adapters/aws/clients.ts';
import { describeTable, mirrorableStream, scanTable } from '../../../adapters/aws/dynamodb-table.ts';
import { createStreamReader } from '../../../adapters/aws/stream-reader.ts';
import type { StreamPositions } from '../../../flows/ports.ts';
import { startEmbeddedDynamoDb } from '../../../local/dynamodb/server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A table `orders` in an embedded DynamoDB whose shards end every 50 records. */
async function openOrders() {
  const server = await startEmbeddedDynamoDb({ shardRecords: 50 });
  cleanups.push(() => server.close());
  const dynamoDb = openDynamoDb({ endpoint: server.endpoint });
  const streams = openDynamoDbStreams({ endpoint: server.endpoint });
  cleanups.push(
    () => dynamoDb.destroy(),
    () => streams.destroy(),
  );
  await dynamoDb.send(
    new CreateTableCommand({
      TableName: 'orders',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'B' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  const streamArn = mirrorableStream(await describeTable(dynamoDb, 'orders'));
  return { dynamoDb, openReader: () => createStreamReader({ client: streams, streamArn }) };
}

interface StreamImage {
  readonly eventName: string;
  readonly dynamodb: { readonly Keys: { readonly id: { readonly B: string } }; readonly NewImage?: unknown };
}

it('the stream of a table whose shards split all the time, read with restarts, makes exactly the table', async () => {
  const { dynamoDb, openReader } = await openOrders();
  const idOf = (index: number) => ({ B: Buffer.from([index % 100]) });
  const write = async (from: number, to: number): Promise<void> => {
    for (let start = from; start < to; start += 20) {
      const puts = Array.from({ length: 20 }, (_, offset) => start + offset).map((index) => ({
        PutRequest: { Item: { id: idOf(index), n: { N: `${index}.${'7'.repeat(30)}` } } },
      }));
      await dynamoDb.send(new BatchWriteItemCommand({ RequestItems: { orders: puts } }));
    }
  };
  await write(0, 400);
  const made = new Map<string, unknown>();
  const newest = new Map<string, bigint>();
  let positions: StreamPositions | null = null;
  let records = 0;
  for (let run = 0; run < 4; run++) {
    const reader = openReader();
    // The stream goes on, and splits, while it is read.
    const writing = run < 3 ? write(400 + run * 200, 600 + run * 200) : Promise.resolve();
    for await (const batch of reader.batches(positions, new AbortController().signal)) {
      for (const delivery of batch.deliveries) {
        if (delivery.kind !== 'record' || delivery.place.kind !== 'stream') throw new Error('not a stream record');
        const { eventName, dynamodb } = delivery.record as StreamImage;
        const sequence = BigInt(delivery.place.sequenceNumber);
        expect(sequence).toBeGreaterThan(newest.get(dynamodb.Keys.id.B) ?? 0n);
        newest.set(dynamodb.Keys.id.B, sequence);
        if (eventName === 'REMOVE') made.delete(dynamodb.Keys.id.B);
        else made.set(dynamodb.Keys.id.B, dynamodb.NewImage);
        records++;
      }
      positions = batch.positions;
      if (run < 3 ? batch.deliveries.length > 0 : reader.caughtUp) break;
    }
    await writing;
    if (run === 2) {
      await dynamoDb.send(new DeleteItemCommand({ TableName: 'orders', Key: { id: idOf(3) } }));
      await dynamoDb.send(
        new PutItemCommand({ TableName: 'orders', Item: { id: idOf(4), b: { BS: [Buffer.from([255])] } } }),
      );
    }
  }
  const scanned = new Map<string, unknown>();
  for await (const page of scanTable(dynamoDb, 'orders', { segments: 3 })) {
    for (const item of page) scanned.set((item.id as { B: string }).B, item);
  }
  expect(made).toEqual(scanned);
  expect(scanned.size).toBe(99);
  expect(records).toBe(1_002);
  // However many shards there were, a checkpoint names only those at the stream's edge and their nearest parents.
  expect(Object.keys(positions?.shards ?? {}).length).toBeLessThanOrEqual(8);
});

it('a record that is written while the reader waits is delivered, and the caught-up state follows', async () => {
  const { dynamoDb, openReader } = await openOrders();
  const reader = openReader();
  const seen: boolean[] = [];
  for await (const batch of reader.batches(null, new AbortController().signal)) {
    seen.push(batch.deliveries.length > 0);
    if (seen.length === 1) {
      expect(reader.caughtUp).toBe(true);
      await dynamoDb.send(new PutItemCommand({ TableName: 'orders', Item: { id: { B: Buffer.from([1]) } } }));
    }
    if (seen.includes(true) && reader.caughtUp) break;
  }
  expect(seen.filter(Boolean)).toHaveLength(1);
});

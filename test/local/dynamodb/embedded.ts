import { expect } from 'vitest';
import {
  CreateTableCommand,
  DynamoDBClient,
  ScanCommand,
  type AttributeValue,
  type StreamViewType,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import {
  type EmbeddedDynamoDb,
  type EmbeddedDynamoDbOptions,
  startEmbeddedDynamoDb,
} from '../../../local/dynamodb/server.ts';

export interface Embedded {
  readonly server: EmbeddedDynamoDb;
  readonly db: DynamoDBClient;
  readonly streams: DynamoDBStreamsClient;
  readonly close: () => Promise<void>;
}

/** A running embedded DynamoDB and the SDK's clients for it. */
export async function startEmbedded(options: EmbeddedDynamoDbOptions = {}): Promise<Embedded> {
  const server = await startEmbeddedDynamoDb(options);
  const { db, streams } = clientsOf(server.endpoint);
  const close = async (): Promise<void> => {
    db.destroy();
    streams.destroy();
    await server.close();
  };
  return { server, db, streams, close };
}

export function clientsOf(endpoint: string): { db: DynamoDBClient; streams: DynamoDBStreamsClient } {
  const config = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  };
  return { db: new DynamoDBClient(config), streams: new DynamoDBStreamsClient(config) };
}

/** Creates a table with the key `id` (a string), and a stream unless `viewType` is null. Returns the stream's ARN. */
export async function createTable(
  db: DynamoDBClient,
  name: string,
  viewType: StreamViewType | null = 'NEW_AND_OLD_IMAGES',
): Promise<string> {
  const { TableDescription } = await db.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      ...(viewType === null ? {} : { StreamSpecification: { StreamEnabled: true, StreamViewType: viewType } }),
    }),
  );
  return TableDescription?.LatestStreamArn ?? '';
}

export async function shardsOf(streams: DynamoDBStreamsClient, arn: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  let after: string | undefined;
  do {
    const { StreamDescription: page } = await streams.send(
      new DescribeStreamCommand({ StreamArn: arn, ...(after === undefined ? {} : { ExclusiveStartShardId: after }) }),
    );
    shards.push(...(page?.Shards ?? []));
    after = page?.LastEvaluatedShardId;
  } while (after !== undefined);
  return shards;
}

/** All records of a shard, until its end or, in an open one, until a page is empty. */
export async function shardRecords(streams: DynamoDBStreamsClient, arn: string, shardId: string): Promise<_Record[]> {
  const start = new GetShardIteratorCommand({ StreamArn: arn, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' });
  let { ShardIterator: iterator } = await streams.send(start);
  const records: _Record[] = [];
  while (iterator !== undefined) {
    const page = await streams.send(new GetRecordsCommand({ ShardIterator: iterator }));
    records.push(...(page.Records ?? []));
    iterator = page.Records?.length ? page.NextShardIterator : undefined;
  }
  return records;
}

/** All records of a stream, shard by shard in the order of their opening, which puts parents before their children. */
export async function streamRecords(streams: DynamoDBStreamsClient, arn: string): Promise<_Record[]> {
  const records: _Record[] = [];
  for (const shard of await shardsOf(streams, arn))
    records.push(...(await shardRecords(streams, arn, shard.ShardId ?? '')));
  return records;
}

/** What the records say: `INSERT a`, `MODIFY a`, `REMOVE a`. */
export function outline(records: readonly _Record[]): string[] {
  return records.map((record) => `${record.eventName ?? ''} ${record.dynamodb?.Keys?.id?.S ?? ''}`);
}

export type Items = Map<string, Record<string, AttributeValue>>;

/** The table that the records make, by the key `id`. */
export function replay(records: readonly _Record[]): Items {
  const items: Items = new Map();
  for (const { dynamodb } of records) {
    const id = dynamodb?.Keys?.id?.S ?? '';
    // The two clients have each their own type of the same values.
    if (dynamodb?.NewImage) items.set(id, dynamodb.NewImage);
    else items.delete(id);
  }
  return items;
}

export async function scanTable(db: DynamoDBClient, name: string): Promise<Items> {
  const items: Items = new Map();
  let start: Record<string, AttributeValue> | undefined;
  do {
    const page = await db.send(
      new ScanCommand({ TableName: name, ...(start === undefined ? {} : { ExclusiveStartKey: start }) }),
    );
    for (const item of page.Items ?? []) items.set(item.id?.S ?? '', item);
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return items;
}

/** Waits until what is read is as expected: `await eventually(read).toEqual(...)`. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { interval: 5, timeout: 50_000 });
}

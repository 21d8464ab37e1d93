import { CreateTableCommand, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Context } from 'aws-lambda';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DynamoDbSchemaRegistry } from '../../adapters/aws/dynamodb-schema-registry.ts';
import { openDynamoDbStreams } from '../../adapters/aws/clients.ts';
import { createStreamReader } from '../../adapters/aws/stream-reader.ts';
import { createMemoryTarget } from '../../adapters/memory/target.ts';
import { initialSchema } from '../../core/schema.ts';
import type { TableSchema } from '../../core/schema.ts';
import { normaliseItem } from '../../core/dynamodb/normalise.ts';
import type { Envelope } from '../../core/envelope.ts';
import { parseEnvelopeLine } from '../../core/envelope.ts';
import { rowLayout } from '../../core/row.ts';
import { epochOf } from '../../core/version.ts';
import type { BatchResponse } from '../../flows/deliver-batch.ts';
import { createRandom } from '../../local/shop/random.ts';
import { type Embedded, createTable, scanTable, startEmbedded } from '../local/dynamodb/embedded.ts';
import { rowsOf, typedChange } from '../support/changes.ts';
import { ID_KEY } from '../support/dynamodb.ts';
import { type FakeAwsServer, startFakeAws } from '../support/fake-aws-server.ts';
import { parseStagedLine } from '../support/memory-delivery.ts';

const CONTEXT = {
  awsRequestId: 'request-1',
  functionName: 'glasshouse-shop-orders-capture',
  getRemainingTimeInMillis: () => 60_000,
} as Context;

const ENVIRONMENT = {
  MIRROR: 'shop',
  TABLE: 'orders',
  SOURCE_TABLE: 'Orders',
  MAX_COLUMNS: '12',
  CONTROL_TABLE: 'glasshouse-shop-control',
  CONTROL_BUCKET: 'glasshouse-shop-control',
  LAKEHOUSE_STREAM: 'shop-orders-lakehouse',
  WAREHOUSE_STREAM: 'shop-orders-warehouse',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'any',
  AWS_SECRET_ACCESS_KEY: 'any',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
};

type Handler = (event: { readonly Records: readonly unknown[] }, context: Context) => Promise<BatchResponse>;

let embedded: Embedded;
let aws: FakeAwsServer;
let handler: Handler;
let streamArn: string;
const random = createRandom(7);

beforeAll(async () => {
  embedded = await startEmbedded({ shardRecords: 120 });
  // Every fifth record is refused at first.
  aws = await startFakeAws((record) => record % 5 !== 3);
  for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', embedded.server.endpoint);
  vi.stubEnv('AWS_ENDPOINT_URL_FIREHOSE', aws.endpoint);
  vi.stubEnv('AWS_ENDPOINT_URL_S3', aws.endpoint);
  streamArn = await createTable(embedded.db, 'Orders');
  await createControlTable();
  handler = (await import('../../lambdas/capture.ts')).handler;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await aws.close();
  await embedded.close();
});

async function createControlTable(): Promise<void> {
  await embedded.db.send(
    new CreateTableCommand({
      TableName: ENVIRONMENT.CONTROL_TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
}

/** Writes a history: rows that change, come and go, with new attributes, odd texts, and one that no record holds. */
async function writeHistory(): Promise<void> {
  for (let write = 0; write < 400; write++) {
    const id = { S: `order-${random.below(40)}` };
    if (random.below(5) === 0) {
      await embedded.db.send(new DeleteItemCommand({ TableName: 'Orders', Key: { id } }));
    } else await embedded.db.send(new PutItemCommand({ TableName: 'Orders', Item: { id, ...someAttributes(write) } }));
  }
  // 390 KB as DynamoDB counts, and 1.1 MB or more as JSON.
  const flags = { L: new Array<AttributeValue>(190_000).fill({ BOOL: false }) };
  await embedded.db.send(
    new PutItemCommand({ TableName: 'Orders', Item: { id: { S: 'large' }, flags, note: { S: 'kept' } } }),
  );
}

function someAttributes(write: number): Record<string, AttributeValue> {
  const all: Record<string, AttributeValue> = {
    total: { N: `${random.below(100_000)}.${random.below(100)}` },
    note: { S: `"${write}"\\ \u0001 ü 😀` },
    lines: { L: [{ M: { sku: { S: `s${random.below(9)}` }, n: { N: '3' } } }] },
    tags: { SS: ['b', 'a'] },
    paid: { BOOL: random.below(2) === 0 },
    exact: { N: '12345678901234567890.123456789012345678' },
    photo: { B: Buffer.from([write % 256, 0, 255]) },
    ...(write % 9 === 0 ? { total: { S: 'not a number' } } : {}),
    ...(write > 200 ? { [`late_${write % 8}`]: { S: 'late' } } : {}),
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.below(6) > 0));
}

/** The records of the stream, as Lambda gets them. */
async function lambdaRecords(): Promise<unknown[]> {
  const client = openDynamoDbStreams({ endpoint: embedded.server.endpoint });
  const stop = new AbortController();
  const records: unknown[] = [];
  const reader = createStreamReader({ client, streamArn });
  for await (const batch of reader.batches(null, stop.signal)) {
    for (const delivery of batch.deliveries) if (delivery.kind === 'record') records.push(delivery.record);
    if (records.length >= 1 && isLast(records)) break;
  }
  stop.abort();
  client.destroy();
  return records;
}

function isLast(records: readonly unknown[]): boolean {
  return JSON.stringify((records.at(-1) as { readonly dynamodb: { readonly Keys: unknown } }).dynamodb.Keys).includes(
    'large',
  );
}

/** Lambda's way: batches in order, some of them twice, a failed one again from the record that is named. */
async function invokeWith(records: readonly unknown[]): Promise<void> {
  for (let from = 0; from < records.length;) {
    const batch = records.slice(from, from + 1 + random.below(60));
    const { batchItemFailures } = await handler({ Records: batch }, CONTEXT);
    expect(batchItemFailures).toEqual([]);
    if (random.below(4) > 0) from += batch.length;
  }
}

/** Brings what a stream took into a target, in some other order and in pieces. */
async function merged(changes: readonly Envelope[], schema: TableSchema) {
  const target = createMemoryTarget();
  const shuffled = changes.map((change) => ({ change, at: random.below(1_000_000) })).sort((a, b) => a.at - b.at);
  for (let from = 0; from < shuffled.length; from += 37) {
    const piece = shuffled.slice(from, from + 37).map(({ change }) => typedChange(change, schema));
    await target.apply(piece, schema, { sequence: from + 1, snapshotId: from });
  }
  return rowsOf(target, schema);
}

function linesTaken(stream: string): string[] {
  return (aws.taken.get(stream) ?? []).flatMap((record) => record.split('\n')).filter((line) => line !== '');
}

describe('the capture function', () => {
  it('says what to do before the deployment has registered a schema', async () => {
    await expect(handler({ Records: [] }, CONTEXT)).rejects.toThrow('run `cdk deploy` again');
  });

  it('brings a table, through Firehose’s refusals and Lambda’s repetitions, to both targets as it is', async () => {
    const registry = new DynamoDbSchemaRegistry(embedded.db, ENVIRONMENT.CONTROL_TABLE);
    await registry.save('orders', initialSchema(ID_KEY, {}));
    await writeHistory();
    const records = await lambdaRecords();
    await invokeWith(records);

    const schema = (await registry.newest('orders')) ?? initialSchema(ID_KEY, {});
    expect(schema.columns.length).toBe(12);
    const inLake = linesTaken(ENVIRONMENT.LAKEHOUSE_STREAM).map(parseEnvelopeLine);
    const inWarehouse = linesTaken(ENVIRONMENT.WAREHOUSE_STREAM).map(parseStagedLine);
    expect(inLake.length).toBeGreaterThan(records.length);

    const source = await sourceRows(schema, epochOf(inLake[0]?.version ?? ('' as never)));
    for (const changes of [inLake, inWarehouse]) {
      const rows = (await merged(changes, schema)).map(({ keyHash, cells, rescued }) => ({ keyHash, cells, rescued }));
      expect(rows.filter(({ cells }) => cells[0] !== 'large')).toEqual(
        source.filter(({ cells }) => cells[0] !== 'large'),
      );
      const large = rows.find(({ cells }) => cells[0] === 'large');
      expect(large?.cells).toContain('kept');
      expectPointer(large?.rescued ?? '');
    }
  });
});

/** What the mirror must come to: every item of the table, normalised. */
async function sourceRows(schema: TableSchema, epoch: ReturnType<typeof epochOf>) {
  const layout = rowLayout(schema);
  const context = { table: 'Orders', key: ID_KEY, layout, capturedAtMicros: 0 };
  const target = createMemoryTarget();
  const items = [...(await scanTable(embedded.db, 'Orders')).values()].map(wireItem);
  const changes = items.map((item) => normaliseItem(item, { epoch, takenAtMicros: 0 }, context).change);
  await target.apply(
    changes.map((change) => typedChange(change, schema)),
    schema,
    { sequence: 1, snapshotId: 1 },
  );
  return (await rowsOf(target, schema)).map(({ keyHash, cells, rescued }) => ({ keyHash, cells, rescued }));
}

/** The SDK gives binary as bytes; the wire has base64. */
function wireItem(item: Readonly<Record<string, AttributeValue>>): Record<string, unknown> {
  const attributes = Object.entries(item).map(([name, value]): [string, unknown] => [
    name,
    value.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') },
  ]);
  return Object.fromEntries(attributes);
}

function expectPointer(rescued: string): void {
  const { flags } = JSON.parse(rescued) as { readonly flags: Readonly<Record<'bytes' | 'sha256' | 's3', unknown>> };
  // Beyond the twelve columns: rescued with its types, and so it went out.
  const content = `{"L":[${new Array<string>(190_000).fill('{"BOOL":false}').join(',')}]}`;
  const sha256 = createHash('sha256').update(content).digest('hex');
  const key = `oversized/orders/${sha256}`;
  expect(flags).toEqual({ bytes: content.length, sha256, s3: `s3://${ENVIRONMENT.CONTROL_BUCKET}/${key}` });
  expect(aws.objects.get(`${ENVIRONMENT.CONTROL_BUCKET}/${key}`)?.toString()).toContain(content);
}

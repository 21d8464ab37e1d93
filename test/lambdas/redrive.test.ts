import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  S3Client,
} from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { schemaText } from '../../core/control.ts';
import { envelopeLine, parseEnvelopeLine } from '../../core/envelope.ts';
import type { RedrivePage } from '../../core/redrive-page.ts';
import { changeOf } from '../support/changes.ts';
import { schemaOf, streamRecord } from '../support/dynamodb.ts';
import { parseStagedLine } from '../support/memory-delivery.ts';

const ENVIRONMENT = {
  MIRROR: 'shop',
  CONTROL_TABLE: 'control',
  CONTROL_BUCKET: 'control-bucket',
  LAKE_BUCKET: 'lake',
  STAGING_BUCKET: 'staging',
  QUEUE_URL: 'https://sqs/live',
  DEAD_LETTER_URL: 'https://sqs/dead',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'any',
  AWS_SECRET_ACCESS_KEY: 'any',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
};
const CONTEXT = { awsRequestId: '1', getRemainingTimeInMillis: () => 900_000 } as Context;
const SCHEMA = schemaOf({ note: { kind: 'string' } });
const TABLES = [{ table: 'orders', sourceTable: 'orders', maxColumns: 500 }];

const dynamodb = mockClient(DynamoDBClient);
const firehose = mockClient(FirehoseClient);
const s3 = mockClient(S3Client);
const sqs = mockClient(SQSClient);
let handler: (event: unknown, context: Context) => Promise<RedrivePage>;

beforeAll(async () => {
  for (const [name, value] of Object.entries(ENVIRONMENT)) vi.stubEnv(name, value);
  handler = (await import('../../lambdas/redrive.ts')).handler;
});
afterAll(() => void vi.unstubAllEnvs());

/** The buckets, by bucket and key. */
let objects: Map<string, string>;

beforeEach(() => {
  [dynamodb, firehose, s3, sqs].forEach((mock) => mock.reset());
  objects = new Map();
  dynamodb.on(QueryCommand).resolves({ Items: [{ schema: { S: schemaText(SCHEMA) } }] });
  firehose.on(PutRecordBatchCommand).callsFake(({ Records: records }: { Records: unknown[] }) => ({
    FailedPutCount: 0,
    RequestResponses: records.map(() => ({ RecordId: '1' })),
  }));
  sqs.on(ReceiveMessageCommand).resolves({});
  s3.on(ListObjectsV2Command).callsFake(
    ({ Bucket, Prefix, StartAfter = '' }: { Bucket: string; Prefix: string; StartAfter?: string }) => {
      const keys = [...objects.keys()]
        .filter((key) => key.startsWith(`${Bucket}/${Prefix}`))
        .map((key) => key.slice(Bucket.length + 1));
      return { Contents: keys.filter((key) => key > StartAfter).map((Key) => ({ Key, Size: 1 })) };
    },
  );
  s3.on(GetObjectCommand).callsFake(({ Bucket, Key }: { Bucket: string; Key: string }) => {
    const text = objects.get(`${Bucket}/${Key}`);
    if (text === undefined) throw new NoSuchKey({ message: 'gone', $metadata: {} });
    const body = { transformToByteArray: () => Promise.resolve(new Uint8Array(Buffer.from(text))) };
    return { Body: body as unknown as GetObjectCommandOutput['Body'] };
  });
  s3.on(DeleteObjectCommand).callsFake(
    ({ Bucket, Key }: { Bucket: string; Key: string }) => void objects.delete(`${Bucket}/${Key}`),
  );
});

/** What each stream was sent, by its name. */
function sentTo(stream: string): string[] {
  return firehose
    .commandCalls(PutRecordBatchCommand)
    .map((call) => call.args[0].input)
    .filter((input) => input.DeliveryStreamName === stream)
    .flatMap((input) => input.Records ?? [])
    .map(({ Data }) => Buffer.from(Data ?? []).toString());
}

describe('the redrive function', () => {
  it('sends everything that was set aside where it belongs, and moves it below redriven/', async () => {
    const [batch, quarantined, undelivered] = [1, 2, 3].map((at) =>
      changeOf({ id: 'a', at, image: { note: { S: 'x' } } }, SCHEMA),
    );
    const record = (at: number) =>
      streamRecord({
        event: 'MODIFY',
        keys: { id: { S: 'a' } },
        sequence: `10000000000000000000${at}`,
        image: { note: { S: 'x' } },
      });
    const place = { kind: 'stream', shardId: '', sequenceNumber: '2' };
    const entry = {
      table: 'orders',
      kind: 'key-type',
      reason: 'r',
      place,
      raw: JSON.stringify(record(2)),
      quarantinedAtMillis: 1,
    };
    objects.set(
      'control-bucket/aws/lambda/m/s/1',
      JSON.stringify({ payload: JSON.stringify({ Records: [record(1)] }) }),
    );
    objects.set('control-bucket/quarantine/orders/2026/11/22/q.ndjson', `${JSON.stringify(entry)}\n`);
    const line = envelopeLine(undelivered ?? changeOf({ id: 'a', at: 3 }, SCHEMA));
    objects.set(
      'lake/errors/orders/iceberg-failed/1',
      JSON.stringify({ rawData: Buffer.from(line).toString('base64') }),
    );
    const page = await handler({ tables: TABLES, cursor: null }, CONTEXT);
    const one = { found: 1, redriven: 1, refused: 0, unknown: 0 };
    expect(page).toMatchObject({
      cursor: null,
      notes: [],
      counts: { 'failed-batches': one, quarantine: one, 'lakehouse-errors': one },
    });
    const versions = [batch?.version, quarantined?.version, undelivered?.version];
    expect(sentTo('glasshouse-shop-orders-lakehouse').map((text) => parseEnvelopeLine(text).version)).toEqual(versions);
    const staged = sentTo('glasshouse-shop-orders-warehouse').flatMap((text) => text.trim().split('\n'));
    expect(staged.map((text) => parseStagedLine(text).version)).toEqual(versions.slice(0, 2));
    expect(objects.size).toBe(0);
    expect(s3.commandCalls(CopyObjectCommand).map((call) => call.args[0].input.Key)).toEqual([
      'redriven/aws/lambda/m/s/1',
      'redriven/quarantine/orders/2026/11/22/q.ndjson',
      'redriven/errors/orders/iceberg-failed/1',
    ]);
  });

  it('moves nothing that Firehose did not take', async () => {
    firehose.on(PutRecordBatchCommand).rejects(Object.assign(new Error('no'), { name: 'AccessDeniedException' }));
    objects.set('control-bucket/aws/lambda/m/s/1', JSON.stringify({ payload: { Records: [streamRecord({})] } }));
    await expect(handler({ tables: TABLES, cursor: null }, CONTEXT)).rejects.toThrow('Could not put changes');
    expect(objects.size).toBe(1);
  });

  it('goes on from a cursor', async () => {
    objects.set('lake/errors/orders/1', 'a riddle');
    objects.set('lake/errors/orders/2', 'a riddle');
    const cursor = { kind: 'lakehouse-errors', after: 'errors/orders/1' };
    const { counts } = await handler({ tables: TABLES, cursor }, CONTEXT);
    expect(counts['lakehouse-errors']).toEqual({ found: 1, redriven: 0, refused: 0, unknown: 1 });
  });

  it('says how it is to be called', async () => {
    await expect(handler({}, CONTEXT)).rejects.toThrow('Call it by `glasshouse redrive --deployed`');
  });
});

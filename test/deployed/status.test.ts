import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { schemaText } from '../../core/control.ts';
import { statusOfDeployed } from '../../deployed/status.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { DEPLOYMENT, mirrorWith, options, serviceError } from './mirror-config.ts';

const cloudwatch = mockClient(CloudWatchClient);
const dynamodb = mockClient(DynamoDBClient);
const s3 = mockClient(S3Client);
const sqs = mockClient(SQSClient);
const ssm = mockClient(SSMClient);

function objectsBelow(bucket: string, prefix: string, keys: readonly string[]): void {
  const listed = { Bucket: bucket, Prefix: prefix, MaxKeys: 200 };
  s3.on(ListObjectsV2Command, listed).resolves({ Contents: keys.map((Key) => ({ Key, Size: 1 })) });
  s3.on(ListObjectsV2Command, { ...listed, StartAfter: keys.at(-1) }).resolves({});
}

/** A mirror to which nothing has happened. */
beforeEach(() => {
  [cloudwatch, dynamodb, s3, sqs, ssm].forEach((mock) => mock.reset());
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: JSON.stringify(DEPLOYMENT) } });
  cloudwatch.on(GetMetricDataCommand).resolves({ MetricDataResults: [] });
  dynamodb.on(QueryCommand).resolves({ Items: [] });
  dynamodb.on(GetItemCommand).resolves({});
  s3.on(ListObjectsV2Command).resolves({});
  sqs.on(GetQueueAttributesCommand).resolves({ Attributes: { ApproximateNumberOfMessages: '0' } });
});

const status = () => statusOfDeployed(mirrorWith(), options());

describe('statusOfDeployed', () => {
  it('of a mirror to which nothing has happened', async () => {
    const nothing = { lagMs: null, changes: 0, errorObjects: 0 };
    expect(await status()).toEqual({
      mirror: 'shop',
      region: 'eu-central-1',
      version: '0.1.0',
      dashboard: 'https://console/dashboard',
      failedBatches: 0,
      tables: [
        {
          table: 'orders',
          columns: 0,
          targets: { lakehouse: nothing, warehouse: nothing },
          quarantined: {},
          quarantinedObjects: 0,
          rescuedRows: 0,
          iteratorAgeMs: null,
        },
      ],
      loads: { waiting: 0, deadLetters: 0, wakeUpsToday: 0, billedSecondsToday: 0, spentTodayUsd: 0 },
    });
  });

  it('tells how far each target is, and what it took in', async () => {
    dynamodb.on(QueryCommand).resolves({ Items: [{ schema: { S: schemaText(schemaOf({ a: { kind: 'string' } })) } }] });
    const progress = {
      sequence: 3,
      snapshotId: '9',
      newestCommittedAtMicros: 1,
      freshAtMillis: Date.now() - 60_000,
      changes: 17,
    };
    dynamodb
      .on(GetItemCommand, { Key: { pk: { S: 'progress#orders' }, sk: { S: 'lakehouse' } } })
      .resolves({ Item: { body: { S: JSON.stringify(progress) } } });
    const [table] = (await status()).tables;
    expect(table).toMatchObject({ columns: 2, targets: { lakehouse: { changes: 17 }, warehouse: { lagMs: null } } });
    expect(table?.targets.lakehouse?.lagMs).toBeGreaterThanOrEqual(60_000);
  });

  it('counts what was set aside, by kind of reason, and what was not delivered', async () => {
    objectsBelow('control-bucket', 'quarantine/orders/', ['quarantine/orders/a']);
    const entry = (kind: string) => JSON.stringify({ table: 'orders', kind, reason: 'r', place: { kind }, raw: kind });
    const lines = [entry('key-type'), entry('no-keys'), entry('no-keys')].map((line) => `${line}\n`).join('');
    const body = { transformToString: () => Promise.resolve(lines) };
    s3.on(GetObjectCommand).resolves({ Body: body as unknown as NonNullable<GetObjectCommandOutput['Body']> });
    s3.on(ListObjectsV2Command, { Bucket: 'control-bucket', Prefix: 'quarantine/orders/' }).resolves({
      Contents: [{ Key: 'quarantine/orders/a', Size: 1 }],
    });
    s3.on(ListObjectsV2Command, { StartAfter: 'quarantine/orders/a' }).resolves({});
    objectsBelow('control-bucket', 'aws/lambda/', ['aws/lambda/x', 'aws/lambda/y']);
    objectsBelow('lake', 'errors/orders/', ['errors/orders/1']);
    objectsBelow('staging', 'errors/orders/', ['errors/orders/1', 'errors/orders/2']);
    const { tables, failedBatches } = await status();
    expect(failedBatches).toBe(2);
    expect(tables[0]).toMatchObject({
      quarantined: { 'key-type': 1, 'no-keys': 1 },
      quarantinedObjects: 1,
      targets: { lakehouse: { errorObjects: 1 }, warehouse: { errorObjects: 2 } },
    });
  });

  it('counts no further than is worth while, and reads none of so many', async () => {
    const keys = (from: number) =>
      Array.from({ length: 200 }, (_, n) => ({ Key: `quarantine/orders/${1000 + from + n}`, Size: 1 }));
    s3.on(ListObjectsV2Command, { Prefix: 'quarantine/orders/' }).resolves({ Contents: keys(0) });
    const [table] = (await status()).tables;
    expect(table).toMatchObject({ quarantined: null, quarantinedObjects: 1000 });
    expect(s3.commandCalls(GetObjectCommand)).toEqual([]);
  });

  it('asks CloudWatch for the age of the iterator and for what was rescued', async () => {
    cloudwatch
      .on(GetMetricDataCommand)
      .resolvesOnce({ MetricDataResults: [{ Id: 'm0', Values: [40, 120] }] })
      .resolvesOnce({ MetricDataResults: [{ Id: 'm0', Values: [2, 3] }] });
    expect((await status()).tables[0]).toMatchObject({ iteratorAgeMs: 120, rescuedRows: 5 });
    const asked = cloudwatch
      .commandCalls(GetMetricDataCommand)
      .map((call) => call.args[0].input.MetricDataQueries?.[0]?.MetricStat);
    expect(asked).toMatchObject([
      {
        Stat: 'Maximum',
        Metric: { MetricName: 'IteratorAge', Dimensions: [{ Value: 'glasshouse-shop-orders-capture' }] },
      },
      {
        Stat: 'Sum',
        Metric: {
          Namespace: 'Glasshouse',
          MetricName: 'RescuedRows',
          Dimensions: [{ Value: 'shop' }, { Value: 'orders' }],
        },
      },
    ]);
  });

  it('tells what waits to be loaded, and what loading cost today', async () => {
    sqs
      .on(GetQueueAttributesCommand, { QueueUrl: 'https://sqs/live' })
      .resolves({ Attributes: { ApproximateNumberOfMessages: '4' } });
    sqs
      .on(GetQueueAttributesCommand, { QueueUrl: 'https://sqs/dead' })
      .resolves({ Attributes: { ApproximateNumberOfMessages: '2' } });
    const today = new Date().toISOString().slice(0, 10);
    dynamodb
      .on(GetItemCommand, { Key: { pk: { S: 'load' }, sk: { S: `spend#${today}` } } })
      .resolves({ Item: { wakeUps: { N: '3' }, billedSeconds: { N: '180' } } });
    expect((await status()).loads).toEqual({
      waiting: 4,
      deadLetters: 2,
      wakeUpsToday: 3,
      billedSecondsToday: 180,
      spentTodayUsd: 0.15,
    });
  });

  it('has but what there is: a lakehouse alone', async () => {
    ssm.on(GetParameterCommand).resolves({ Parameter: { Value: JSON.stringify({ ...DEPLOYMENT, warehouse: null }) } });
    const { loads, tables } = await status();
    expect(loads).toBeNull();
    expect(Object.keys(tables[0]?.targets ?? {})).toEqual(['lakehouse']);
  });

  it.each([
    [
      'CloudWatch',
      () => cloudwatch.on(GetMetricDataCommand).rejects(serviceError('AccessDeniedException')),
      'Could not ask CloudWatch for the metrics',
    ],
    [
      'SQS',
      () => sqs.on(GetQueueAttributesCommand).rejects(serviceError('QueueDoesNotExist')),
      'Could not ask how much waits in https://sqs/live',
    ],
    ['S3', () => s3.on(ListObjectsV2Command).rejects(serviceError('AccessDenied')), 'Could not list s3://'],
  ])('says what failed where %s cannot be asked', async (_, fail, message) => {
    fail();
    await expect(status()).rejects.toThrow(message);
  });
});

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  BatchExecuteStatementCommand,
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { schemaText } from '../../core/control.ts';
import { loadMark } from '../../flows/load-submission.ts';
import { schemaOf } from '../support/dynamodb.ts';

const REDSHIFT = {
  workgroup: 'glasshouse-shop',
  cluster: null,
  database: 'glasshouse',
  secretArn: null,
  dbUser: null,
  baseCapacity: 8,
};
const ENVIRONMENT = {
  MIRROR: 'shop',
  CONTROL_TABLE: 'control',
  STAGING_BUCKET: 'staging',
  QUEUE_URL: 'queue-url',
  COPY_ROLE_ARN: 'arn:aws:iam::123456789012:role/copy',
  REDSHIFT: JSON.stringify(REDSHIFT),
  VIEW_SCHEMA: 'public',
  OBJECTIVE_SECONDS: '60',
  DAILY_BUDGET_USD: '10',
};
const CONTEXT = {
  awsRequestId: 'request-1',
  functionName: 'glasshouse-shop-load',
  getRemainingTimeInMillis: () => 600_000,
} as Context;

const dynamoDb = mockClient(DynamoDBClient);
const redshift = mockClient(RedshiftDataClient);
const sqs = mockClient(SQSClient);
const s3 = mockClient(S3Client);

/** The function as Lambda starts it, in this environment. */
async function start(environment: Readonly<Record<string, string>> = ENVIRONMENT) {
  for (const [name, value] of Object.entries({ AWS_REGION: 'eu-central-1', ...environment })) vi.stubEnv(name, value);
  vi.resetModules();
  const { handler } = await import('../../lambdas/load.ts');
  return handler;
}

/** The control table, without its conditions: nobody else is there. */
function keepItems(): void {
  const items = new Map<string, Record<string, AttributeValue>>();
  const name = (key: Record<string, AttributeValue> | undefined): string => `${key?.pk?.S ?? ''} ${key?.sk?.S ?? ''}`;
  dynamoDb
    .on(GetItemCommand)
    .callsFake(({ Key }: { Key: Record<string, AttributeValue> }) => ({ Item: items.get(name(Key)) }));
  dynamoDb.on(PutItemCommand).callsFake(({ Item }: { Item: Record<string, AttributeValue> }) => {
    items.set(name(Item), Item);
    return {};
  });
  dynamoDb.on(DeleteItemCommand).callsFake(({ Key }: { Key: Record<string, AttributeValue> }) => {
    items.delete(name(Key));
    return {};
  });
  dynamoDb.on(UpdateItemCommand).resolves({});
  dynamoDb
    .on(QueryCommand)
    .resolves({ Items: [{ schema: { S: schemaText(schemaOf({ note: { kind: 'string' } })) } }] });
}

beforeEach(() => {
  for (const mock of [dynamoDb, redshift, sqs, s3]) mock.reset();
  keepItems();
  for (const method of ['log', 'info', 'error'] as const) vi.spyOn(console, method).mockReturnValue(undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('the load function', () => {
  it('looks, finds nothing, and wakes nobody', async () => {
    sqs.on(GetQueueAttributesCommand).resolves({ Attributes: { ApproximateNumberOfMessages: '0' } });
    const handler = await start();
    expect(await handler({ tables: ['orders'] }, CONTEXT)).toEqual({ outcome: 'idle', loads: 0, changes: 0 });
    expect(redshift.calls()).toEqual([]);
  });

  it('loads what a notice of S3 tells of, and removes the notice', async () => {
    const s3Part = { bucket: { name: 'staging' }, object: { key: 'staged/orders/2026/11/22/x-1.gz', size: 1 } };
    const body = JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: s3Part }] });
    sqs
      .on(GetQueueAttributesCommand)
      .resolvesOnce({ Attributes: { ApproximateNumberOfMessages: '1' } })
      .resolves({});
    sqs
      .on(ReceiveMessageCommand)
      .resolvesOnce({ Messages: [{ MessageId: 'm', ReceiptHandle: 'receipt', Body: body }] })
      .resolves({});
    sqs.on(DeleteMessageBatchCommand).resolves({});
    s3.on(PutObjectCommand).resolves({});
    redshift.on(BatchExecuteStatementCommand).resolves({ Id: 'batch' });
    redshift.on(ExecuteStatementCommand).resolves({ Id: 'query' });
    redshift.on(DescribeStatementCommand).resolves({ Id: 'x', Status: 'FINISHED', UpdatedAt: new Date() });
    redshift.on(GetStatementResultCommand).callsFake(() => {
      const manifest = s3.commandCalls(PutObjectCommand)[0]?.args[0].input.Key ?? '';
      const isAsked = redshift.commandCalls(ExecuteStatementCommand).at(-1)?.args[0].input.Sql?.includes('_ledger');
      const mark = loadMark(`s3://staging/${manifest}`);
      const row = ['orders', String(mark), '7', '5', '1790000000000000'].map((stringValue) => ({ stringValue }));
      return { Records: isAsked === true ? [row] : [] };
    });
    const handler = await start();
    expect(await handler({}, CONTEXT)).toEqual({ outcome: 'loaded', loads: 1, changes: 7 });
    const batches = redshift.commandCalls(BatchExecuteStatementCommand).map((call) => call.args[0].input);
    expect(batches.map((batch) => batch.Sqls?.[0]?.slice(0, 20))).toEqual([
      'CREATE SCHEMA IF NOT',
      'LOCK TABLE "shop_bas',
    ]);
    expect(batches[1]).toMatchObject({ WorkgroupName: 'glasshouse-shop', Database: 'glasshouse' });
    expect(batches[1]?.ClientToken).toHaveLength(64);
    expect(batches[1]?.Sqls?.join()).toContain(`IAM_ROLE '${ENVIRONMENT.COPY_ROLE_ARN}'`);
    const manifest = s3.commandCalls(PutObjectCommand)[0]?.args[0].input.Body;
    expect(JSON.parse(typeof manifest === 'string' ? manifest : '')).toEqual({
      entries: [{ url: 's3://staging/staged/orders/2026/11/22/x-1.gz', mandatory: true }],
    });
    expect(sqs.commandCalls(DeleteMessageBatchCommand)[0]?.args[0].input.Entries).toEqual([
      { Id: '0', ReceiptHandle: 'receipt' },
    ]);
    expect(dynamoDb.commandCalls(UpdateItemCommand)).toHaveLength(1);
  });

  it.each([
    [{ REDSHIFT: '{' }, /REDSHIFT/],
    [{ REDSHIFT: '{"workgroup":"a","cluster":"b","database":"c"}' }, /names no workgroup or cluster/],
    [{ DAILY_BUDGET_USD: 'ten' }, /DAILY_BUDGET_USD is "ten"/],
    [{ OBJECTIVE_SECONDS: '0' }, /OBJECTIVE_SECONDS/],
    [{ QUEUE_URL: '' }, /QUEUE_URL/],
  ])('does not start with %j', async (wrong, message) => {
    await expect(start({ ...ENVIRONMENT, ...wrong })).rejects.toThrow(message);
  });
});

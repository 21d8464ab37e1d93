import { DescribeTableCommand, DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { AthenaClient, GetQueryExecutionCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { GlueClient } from '@aws-sdk/client-glue';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { schemaText } from '../../core/control.ts';
import type { ResourceAnswer, ResourceRequest } from '../../flows/register-answer.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { FakeGlue } from '../support/fake-glue.ts';

const RUNTIME = { AWS_REGION: 'eu-central-1', POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_DEV: 'false' };
const ENVIRONMENT = {
  MIRROR: 'shop',
  CONTROL_TABLE: 'control',
  DATABASE: '',
  LAKE_BUCKET: '',
  WORKGROUP: '',
  OPTIMIZER_ROLE_ARN: '',
  SNAPSHOT_DAYS: '',
};
const LAKE = {
  DATABASE: 'shop',
  LAKE_BUCKET: 'lake',
  WORKGROUP: 'glasshouse-shop',
  OPTIMIZER_ROLE_ARN: 'arn:aws:iam::123456789012:role/keeper',
  SNAPSHOT_DAYS: '5',
};
const CONTEXT = {
  awsRequestId: 'request-1',
  functionName: 'glasshouse-shop-registrar',
  getRemainingTimeInMillis: () => 300_000,
} as Context;

const request = (part: 'schema' | 'lake'): ResourceRequest => ({
  RequestType: 'Create',
  ResponseURL: 'https://answers/1?Signature=s3cr3t',
  StackId: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Shop/1',
  RequestId: 'r-1',
  LogicalResourceId: 'Orders',
  ResourceProperties: {
    part,
    table: 'orders',
    sourceArn: 'arn:aws:dynamodb:eu-central-1:123456789012:table/Orders',
    key: '',
    columns: '{"total":"decimal(12,2)"}',
    maxColumns: '500',
  },
});

const dynamoDb = mockClient(DynamoDBClient);
const glue = mockClient(GlueClient);
const athena = mockClient(AthenaClient);
const answers: ResourceAnswer[] = [];

/** The function as Lambda starts it, in this environment. */
async function start(environment: Readonly<Record<string, string>>) {
  for (const [name, value] of Object.entries({ ...RUNTIME, ...environment })) vi.stubEnv(name, value);
  vi.resetModules();
  const { handler } = await import('../../lambdas/registrar.ts');
  return handler;
}

beforeEach(() => {
  for (const mock of [dynamoDb, glue, athena]) mock.reset();
  answers.length = 0;
  vi.stubGlobal('fetch', (_: string, { body }: { body: Buffer }) => {
    answers.push(JSON.parse(body.toString()) as ResourceAnswer);
    return Promise.resolve({ ok: true });
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe('the registrar function', () => {
  it('registers the first schema of a table, whose key it asks the source for', async () => {
    dynamoDb.on(QueryCommand).resolves({ Items: [] });
    dynamoDb.on(PutItemCommand).resolves({});
    dynamoDb.on(DescribeTableCommand).resolves({
      Table: {
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      },
    });
    await (
      await start(ENVIRONMENT)
    )(request('schema'), CONTEXT);
    expect(answers).toMatchObject([
      { Status: 'SUCCESS', PhysicalResourceId: 'shop/orders/schema', Data: { schemaVersion: '1', columns: '2' } },
    ]);
    const put = dynamoDb.commandCalls(PutItemCommand)[0]?.args[0].input;
    expect(put).toMatchObject({ TableName: 'control', Item: { pk: { S: 'schema#orders' }, sk: { S: '000001' } } });
  });

  it('makes the lake’s tables, their optimizers and their views', async () => {
    const fake = new FakeGlue('shop', { mock: glue });
    dynamoDb.on(QueryCommand).resolves({ Items: [{ schema: { S: schemaText(schemaOf()) } }] });
    athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q-1' });
    athena.on(GetQueryExecutionCommand).resolves({ QueryExecution: { Status: { State: 'SUCCEEDED' } } });
    await (
      await start({ ...ENVIRONMENT, ...LAKE })
    )(request('lake'), CONTEXT);
    expect(answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: 'shop/orders/lake' }]);
    expect([...fake.tables.keys()]).toEqual(['orders__changes', 'orders']);
    expect(fake.optimizers.size).toBe(6);
    const statements = athena.commandCalls(StartQueryExecutionCommand).map((call) => call.args[0].input.QueryString);
    expect(statements.map((sql) => /VIEW\s+\S+/.exec(sql ?? '')?.[0])).toEqual([
      expect.stringContaining('orders_live'),
      expect.stringContaining('orders_history'),
    ]);
  });

  it('answers why it could not', async () => {
    dynamoDb.on(QueryCommand).rejects(Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' }));
    await (
      await start({ ...ENVIRONMENT, ...LAKE })
    )(request('lake'), CONTEXT);
    expect(answers).toMatchObject([{ Status: 'FAILED', Reason: expect.stringContaining('not authorized') as string }]);
  });
});

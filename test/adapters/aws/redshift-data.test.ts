import {
  BatchExecuteStatementCommand,
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { openRedshiftData, redshiftStatements } from '../../../adapters/aws/redshift-data.ts';
import type { RedshiftAddress } from '../../../core/contract.ts';
import { steppedTiming } from '../../support/stepped-timing.ts';

const WORKGROUP: RedshiftAddress = {
  workgroup: 'glasshouse-shop',
  cluster: null,
  database: 'glasshouse',
  secretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:admin',
  dbUser: null,
  baseCapacity: 8,
};
const CLUSTER: RedshiftAddress = {
  workgroup: null,
  cluster: 'shop',
  database: 'dev',
  secretArn: null,
  dbUser: 'loader',
  baseCapacity: null,
};

const mock = mockClient(RedshiftDataClient);
let timing = steppedTiming();

beforeEach(() => {
  mock.reset();
  timing = steppedTiming();
});

function statements(address = WORKGROUP) {
  return redshiftStatements({ client: new RedshiftDataClient({ region: 'us-east-1' }), address, timing });
}

function failing(name: string, message = name): Error {
  return Object.assign(new Error(message), { name });
}

describe('submitting a batch', () => {
  it('names the workgroup, its secret and the token', async () => {
    mock.on(BatchExecuteStatementCommand).resolves({ Id: 'x' });
    expect(await statements().submit(['SELECT 1', 'SELECT 2'], 'token')).toBe('x');
    expect(mock.commandCalls(BatchExecuteStatementCommand)[0]?.args[0].input).toEqual({
      WorkgroupName: 'glasshouse-shop',
      Database: 'glasshouse',
      SecretArn: WORKGROUP.secretArn,
      Sqls: ['SELECT 1', 'SELECT 2'],
      ClientToken: 'token',
    });
  });

  it('names the cluster and its user; without a token the SDK makes one', async () => {
    mock.on(BatchExecuteStatementCommand).resolves({ Id: 'x' });
    await statements(CLUSTER).submit(['SELECT 1'], null);
    expect(mock.commandCalls(BatchExecuteStatementCommand)[0]?.args[0].input).toEqual({
      ClusterIdentifier: 'shop',
      Database: 'dev',
      DbUser: 'loader',
      Sqls: ['SELECT 1'],
    });
  });

  it.each([
    ['ThrottlingException', 'throttled'],
    ['ActiveStatementsExceededException', 'throttled'],
    ['ActiveSessionsExceededException', 'throttled'],
    ['InternalServerException', 'unavailable'],
    ['DatabaseConnectionException', 'unavailable'],
    ['BatchExecuteStatementException', 'unavailable'],
    ['ECONNRESET', 'unavailable'],
  ])('tries again after %s with the same token, and in the end says %s', async (name, code) => {
    mock.on(BatchExecuteStatementCommand).rejectsOnce(failing(name)).resolves({ Id: 'x' });
    expect(await statements().submit(['SELECT 1'], 'token')).toBe('x');
    const tokens = mock.commandCalls(BatchExecuteStatementCommand).map((call) => call.args[0].input.ClientToken);
    expect(tokens).toEqual(['token', 'token']);
    mock.on(BatchExecuteStatementCommand).rejects(failing(name));
    await expect(statements().submit(['SELECT 1'], 'token')).rejects.toMatchObject({ code });
    expect(timing.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(20_000);
  });

  it('waits for a warehouse between two states, and tells a wrong name', async () => {
    mock
      .on(BatchExecuteStatementCommand)
      .rejectsOnce(failing('ValidationException', 'Redshift cluster is paused'))
      .rejects(failing('ValidationException', 'Redshift endpoint is not valid'));
    await expect(statements(CLUSTER).submit(['SELECT 1'], 'token')).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(
        /submit 1 statements to the cluster shop: .*Check the name.*aws\.redshift/,
      ) as string,
    });
    expect(timing.waits).toHaveLength(1);
  });

  it('says what to do where it is not allowed', async () => {
    mock.on(BatchExecuteStatementCommand).rejects(failing('AccessDeniedException', 'not yours'));
    await expect(statements().submit(['SELECT 1'], null)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('cdk deploy') as string,
    });
  });

  it('does not take an answer without an id', async () => {
    mock.on(BatchExecuteStatementCommand).resolves({});
    await expect(statements().submit(['SELECT 1'], null)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('asking after a batch', () => {
  const ended = new Date(1_790_000_005_000);

  it('lets the service wait, half a minute at a time', async () => {
    mock.on(DescribeStatementCommand).callsFake((input: { WaitTimeSeconds?: number }) => {
      timing.advance((input.WaitTimeSeconds ?? 0) * 1000);
      return timing.now() >= 1_790_000_070_000
        ? { Id: 'x', Status: 'FINISHED', UpdatedAt: ended }
        : { Id: 'x', Status: 'STARTED' };
    });
    const state = await statements().describe('x', timing.now() + 75_500);
    expect(state).toEqual({ state: 'finished', endedAtMillis: ended.getTime() });
    const waits = mock.commandCalls(DescribeStatementCommand).map((call) => call.args[0].input.WaitTimeSeconds);
    expect(waits).toEqual([30, 30, 15]);
    expect(timing.waits).toEqual([]);
  });

  it('waits itself where the service does not, and gives up at the deadline', async () => {
    mock.on(DescribeStatementCommand).resolves({ Id: 'x', Status: 'PICKED' });
    const deadline = timing.now() + 10_000;
    expect(await statements().describe('x', deadline)).toEqual({ state: 'running' });
    expect(timing.now()).toBe(deadline);
    expect(mock.commandCalls(DescribeStatementCommand).length).toBeLessThan(20);
  });

  it('asks once where there is no time to wait', async () => {
    mock.on(DescribeStatementCommand).resolves({ Id: 'x', Status: 'SUBMITTED' });
    expect(await statements().describe('x', timing.now())).toEqual({ state: 'running' });
    expect(mock.commandCalls(DescribeStatementCommand)[0]?.args[0].input).toEqual({ Id: 'x' });
  });

  it('says which statement failed, and why', async () => {
    mock.on(DescribeStatementCommand).resolves({
      Id: 'x',
      Status: 'FAILED',
      Error: 'Query #2 failed',
      UpdatedAt: ended,
      SubStatements: [
        { Id: 'x:1', Status: 'FINISHED' },
        { Id: 'x:2', Status: 'FAILED', Error: 'ERROR: no' },
        { Id: 'x:3', Status: 'ABORTED' },
      ],
    });
    expect(await statements().describe('x', timing.now())).toEqual({
      state: 'failed',
      message: 'ERROR: no',
      statement: 1,
      endedAtMillis: ended.getTime(),
    });
  });

  it('takes an aborted one for failed', async () => {
    mock.on(DescribeStatementCommand).resolves({ Id: 'x', Status: 'ABORTED', UpdatedAt: ended });
    expect(await statements().describe('x', timing.now())).toMatchObject({ state: 'failed', statement: null });
  });

  it('that nobody remembers says so; another refusal is an error', async () => {
    mock
      .on(DescribeStatementCommand)
      .rejectsOnce(failing('ResourceNotFoundException', 'Query does not exist.'))
      .rejectsOnce(failing('ValidationException', 'Statement id x does not exist'))
      .rejects(failing('AccessDeniedException'));
    expect(await statements().describe('x', timing.now())).toEqual({ state: 'unknown' });
    expect(await statements().describe('x', timing.now())).toEqual({ state: 'unknown' });
    await expect(statements().describe('x', timing.now())).rejects.toMatchObject({ code: 'config' });
  });

  it('tries again where too many wait for the same statement', async () => {
    mock
      .on(DescribeStatementCommand)
      .rejectsOnce(failing('ActiveWaitingRequestsExceededException'))
      .resolves({ Id: 'x', Status: 'FINISHED', UpdatedAt: ended });
    expect(await statements().describe('x', timing.now() + 5_000)).toMatchObject({ state: 'finished' });
  });

  it('does not take an answer without a status', async () => {
    mock.on(DescribeStatementCommand).resolves({ Id: 'x' });
    await expect(statements().describe('x', timing.now())).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a query', () => {
  beforeEach(() => {
    mock.on(ExecuteStatementCommand).resolves({ Id: 'q' });
    mock.on(DescribeStatementCommand).resolves({ Id: 'q', Status: 'FINISHED' });
  });

  it('has all its pages, every value as text', async () => {
    mock
      .on(GetStatementResultCommand, { Id: 'q' })
      .resolvesOnce({
        Records: [[{ stringValue: '' }, { isNull: true }, { longValue: -7 }]],
        NextToken: 'more',
      })
      .resolves({ Records: [[{ booleanValue: false }, { doubleValue: 0.5 }, { blobValue: new Uint8Array([1]) }]] });
    expect(await statements().query('SELECT 1', timing.now() + 1000)).toEqual([
      ['', null, '-7'],
      ['false', '0.5', 'AQ=='],
    ]);
    expect(mock.commandCalls(GetStatementResultCommand).map((call) => call.args[0].input.NextToken)).toEqual([
      undefined,
      'more',
    ]);
  });

  it('does not round a number that JavaScript cannot hold', async () => {
    mock.on(GetStatementResultCommand).resolves({
      ColumnMetadata: [{ name: 'big', typeName: 'int8' }],
      Records: [[{ longValue: 2 ** 60 }]],
    });
    await expect(statements().query('SELECT 1', timing.now() + 1000)).rejects.toThrow(/big \(int8\).*VARCHAR/);
  });

  it.each([
    ['ERROR: 1023 Serializable isolation violation', 'conflict'],
    ['ERROR: syntax error', 'unavailable'],
  ])('that fails with %s is an error %s', async (message, code) => {
    mock.on(DescribeStatementCommand).resolves({ Id: 'q', Status: 'FAILED', Error: message });
    await expect(statements().query('SELECT  1\nFROM x', timing.now() + 1000)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('"SELECT 1 FROM x"') as string,
    });
  });

  it('that takes too long says so', async () => {
    mock.on(DescribeStatementCommand).resolves({ Id: 'q', Status: 'STARTED' });
    await expect(statements().query('SELECT 1', timing.now() + 1000)).rejects.toThrow(/q is still running/);
  });
});

it('a client of the Data API outlasts the longest wait', async () => {
  const client = openRedshiftData('us-east-1');
  expect(await client.config.region()).toBe('us-east-1');
  client.destroy();
});

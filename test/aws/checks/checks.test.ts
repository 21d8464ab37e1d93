import {
  CloudWatchClient,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { GetTableCommand, GlueClient, UpdateTableCommand } from '@aws-sdk/client-glue';
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import {
  BatchExecuteStatementCommand,
  DescribeStatementCommand,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { FIREHOSE_LIMITS } from '../../../core/firehose-batches.ts';
import { parseEnvelopeLine } from '../../../core/envelope.ts';
import { openClients } from '../../../deployed/clients.ts';
import type { DeployedVerifyReport } from '../../../deployed/results.ts';
import { DEPLOYMENT, mirrorWith, serviceError } from '../../deployed/mirror-config.ts';
import { statusOfOneTable } from '../status-of-one-table.ts';
import type { World } from '../world.ts';
import { specialKey } from '../source-changes.ts';
import { ALL_CHECKS } from './all-checks.ts';
import { harmlessLine } from './harmless-line.ts';

const cloudwatch = mockClient(CloudWatchClient);
const firehose = mockClient(FirehoseClient);
const glue = mockClient(GlueClient);
const lambda = mockClient(LambdaClient);
const redshift = mockClient(RedshiftDataClient);
beforeEach(() => {
  [cloudwatch, firehose, glue, lambda, redshift].forEach((mock) => mock.reset());
});

const MIRROR = mirrorWith();
const NOW = Date.UTC(2026, 10, 23);
const EQUAL: DeployedVerifyReport = {
  equal: true,
  tables: [{ table: 'orders', sourceRows: 9, targets: { lakehouse: { rows: 9, differences: 0 } }, checksum: 'c' }],
  differences: [],
  valuesCompared: 99,
  comparedAgain: 0,
};

function worldWith(change: Partial<World> = {}, verified = EQUAL): World {
  const [table] = MIRROR.tables;
  if (table === undefined) throw new Error('The mirror has no table.');
  let now = NOW;
  const target = { lagMs: 1, changes: 40, errorObjects: 0 };
  const doctor = { mirror: 'shop', region: 'eu-central-1', checks: [], wrong: 0, warnings: 0 };
  const status = statusOfOneTable('orders', { lakehouse: target, warehouse: target });
  return {
    clients: openClients('eu-central-1'),
    mirror: MIRROR,
    table,
    deployment: DEPLOYMENT,
    timing: { now: () => now, chance: () => 0.5, wait: (ms) => Promise.resolve(void (now += ms)) },
    signal: new AbortController().signal,
    seen: { doctor, status, verified, written: 40, sinceMillis: NOW },
    write: () => Promise.resolve(),
    untilFresh: () => Promise.resolve(),
    verify: () => Promise.resolve(EQUAL),
    ...change,
  };
}

function settled(id: string, world = worldWith()) {
  const check = ALL_CHECKS[id];
  if (check === undefined) throw new Error(`There is no check ${id}.`);
  return check.look(world);
}

describe('what the run itself has seen', () => {
  it('settles claims without which nothing would have arrived', async () => {
    expect(await settled('required-columns')).toMatchObject({ verdict: 'holds' });
    const world = worldWith();
    expect(await settled('required-columns', { ...world, seen: { ...world.seen, written: 41 } })).toMatchObject({
      verdict: 'broken',
      how: expect.stringContaining('40 of 41 changes') as string,
    });
  });

  it('settles claims about single rows by the proof', async () => {
    expect(await settled('athena-json-text')).toMatchObject({ verdict: 'holds' });
    const difference = {
      table: 'orders',
      target: 'lakehouse',
      kind: 'different',
      key: specialKey('json-numbers'),
      columns: [{ column: 'document', source: 'a', target: 'b' }],
    } as const;
    const world = worldWith({}, { ...EQUAL, equal: false, differences: [difference] });
    expect(await settled('athena-json-text', world)).toEqual({
      verdict: 'broken',
      how: 'Verify tells json-numbers as not equal in the lakehouse (document).',
    });
    expect(await settled('athena-exact-casts', world)).toMatchObject({ verdict: 'holds' });
    expect(await settled('data-api-doubles')).toMatchObject({ verdict: 'open' });
  });

  it('leaves open what a mirror of one target does not have', async () => {
    const world = worldWith({ deployment: { ...DEPLOYMENT, lakehouse: null, warehouse: null } });
    const open = { verdict: 'open' };
    for (const id of ['client-token', 'glue-field-ids', 'glue-version-id', 'refused-record-answer', 'maintain-names'])
      expect(await settled(id, world)).toMatchObject(open);
  });
});

describe('Firehose', () => {
  it('a harmless line is an envelope of the size that was asked for', () => {
    const line = harmlessLine('flood', 1_024_000, NOW);
    expect(Buffer.byteLength(line)).toBe(1_024_000);
    expect(parseEnvelopeLine(line)).toMatchObject({ key: '["flood",1]', operation: 'delete' });
  });

  it('is given the largest request that may be one', async () => {
    firehose
      .on(PutRecordBatchCommand)
      .resolves({ FailedPutCount: 0, RequestResponses: ['a', 'b', 'c'].map((RecordId) => ({ RecordId })) });
    expect(await settled('firehose-request-size')).toMatchObject({ verdict: 'holds' });
    const { Records: records = [] } = firehose.commandCalls(PutRecordBatchCommand)[0]?.args[0].input ?? {};
    const base64 = records.map((record) => Buffer.from(record.Data ?? '').toString('base64').length);
    const encoded = base64.reduce((sum, length) => sum + length, 0);
    expect(encoded).toBeLessThan(FIREHOSE_LIMITS.requestBytes);
    expect(encoded).toBeGreaterThan(FIREHOSE_LIMITS.requestBytes * 0.95);
  });

  it('is asked for more than it takes until it refuses a part, and told by its answer', async () => {
    const refused = { ErrorCode: 'ServiceUnavailableException' };
    firehose
      .on(PutRecordBatchCommand)
      .rejectsOnce(serviceError('ServiceUnavailableException'))
      .resolves({ FailedPutCount: 1, RequestResponses: [{ RecordId: 'a' }, refused] });
    expect(await settled('refused-record-answer')).toMatchObject({ verdict: 'holds' });
    firehose
      .on(PutRecordBatchCommand)
      .resolves({ FailedPutCount: 1, RequestResponses: [{ ...refused, RecordId: 'b' }] });
    expect(await settled('refused-record-answer')).toMatchObject({ verdict: 'broken' });
    firehose.on(PutRecordBatchCommand).resolves({ FailedPutCount: 0, RequestResponses: [] });
    expect(await settled('refused-record-answer')).toMatchObject({ verdict: 'open' });
  });
});

describe('a capture that is broken for a while', () => {
  const VARIABLES = { LAKEHOUSE_STREAM: 'ours', MIRROR: 'shop' };
  beforeEach(() => {
    lambda
      .on(GetFunctionConfigurationCommand)
      .resolves({ Environment: { Variables: VARIABLES }, LastUpdateStatus: 'Successful' });
    lambda.on(UpdateFunctionConfigurationCommand).resolves({});
  });
  const streams = () =>
    lambda
      .commandCalls(UpdateFunctionConfigurationCommand)
      .map((call) => call.args[0].input.Environment?.Variables?.LAKEHOUSE_STREAM);

  it('gets its stream back, and both targets must be equal then', async () => {
    expect(await settled('checkpoint-at-lowest-failure')).toMatchObject({ verdict: 'holds' });
    expect(streams()).toEqual(['glasshouse-test-no-such-stream', 'ours']);
    const differing = { verify: () => Promise.resolve({ ...EQUAL, equal: false }) };
    expect(await settled('checkpoint-at-lowest-failure', worldWith(differing))).toMatchObject({ verdict: 'broken' });
  });

  it('gets its stream back also where the writing fails', async () => {
    const write = () => Promise.reject(new Error('throttled'));
    await expect(settled('checkpoint-at-lowest-failure', worldWith({ write }))).rejects.toThrow('throttled');
    expect(streams()).toEqual(['glasshouse-test-no-such-stream', 'ours']);
  });
});

describe('Glue', () => {
  const TABLE = {
    Name: 'orders__changes',
    VersionId: '7',
    CatalogId: '111122223333',
    Parameters: { table_type: 'ICEBERG' },
    IcebergTableMetadata: {
      FormatVersion: '2',
      TableUuid: 'u',
      Location: 's3://lake/tables/orders__changes',
      CurrentSchemaId: 0,
      Schemas: [
        { SchemaId: 0, Type: 'struct' as const, Fields: [{ Id: 1, Name: '_key', Type: 'string', Required: true }] },
      ],
      LastColumnId: 9,
      Properties: {},
      DefaultSpecId: 0,
      PartitionSpecs: [],
      DefaultSortOrderId: 0,
      SortOrders: [],
    },
  };

  it('must refuse an update with a version that is not the newest', async () => {
    glue.on(GetTableCommand).resolves({ Table: TABLE });
    glue.on(UpdateTableCommand).rejects(serviceError('ConcurrentModificationException'));
    expect(await settled('glue-version-id')).toMatchObject({ verdict: 'holds' });
    expect(glue.commandCalls(UpdateTableCommand)[0]?.args[0].input.VersionId).toBe('6');
    glue.on(UpdateTableCommand).resolves({});
    expect(await settled('glue-version-id')).toMatchObject({ verdict: 'broken' });
    glue.on(UpdateTableCommand).rejects(serviceError('InvalidInputException'));
    expect(await settled('glue-version-id')).toMatchObject({ verdict: 'broken' });
  });
});

describe('Redshift', () => {
  it('must give a repeated batch the id of the first', async () => {
    redshift.on(BatchExecuteStatementCommand).resolves({ Id: 'one' });
    expect(await settled('client-token')).toMatchObject({ verdict: 'holds' });
    const tokens = redshift.commandCalls(BatchExecuteStatementCommand).map((call) => call.args[0].input.ClientToken);
    expect(new Set(tokens).size).toBe(1);
    redshift.reset();
    redshift.on(BatchExecuteStatementCommand).resolvesOnce({ Id: 'one' }).resolves({ Id: 'two' });
    expect(await settled('client-token')).toMatchObject({ verdict: 'broken' });
  });

  it('must name the statement of a batch that failed', async () => {
    redshift.on(BatchExecuteStatementCommand).resolves({ Id: 'one' });
    const parts = ['FINISHED', 'FAILED', 'ABORTED'] as const;
    redshift.on(DescribeStatementCommand).resolves({
      Status: 'FAILED',
      SubStatements: parts.map((Status, n) => ({
        Id: `one:${n}`,
        Status,
        Error: Status === 'FAILED' ? 'Divide by zero' : undefined,
      })),
    });
    expect(await settled('substatements-name-failure')).toMatchObject({ verdict: 'holds' });
    redshift.on(DescribeStatementCommand).resolves({ Status: 'FAILED', Error: 'Divide by zero' });
    expect(await settled('substatements-name-failure')).toMatchObject({ verdict: 'broken' });
  });
});

describe('CloudWatch', () => {
  it('must know of captured changes before their order is judged', async () => {
    const captured = (values: number[]) => ({ MetricDataResults: [{ Values: values }] });
    cloudwatch.on(GetMetricDataCommand).resolves(captured([]));
    expect(await settled('keys-rise-in-a-batch')).toMatchObject({ verdict: 'open' });
    cloudwatch.reset();
    cloudwatch
      .on(GetMetricDataCommand)
      .resolvesOnce(captured([30, 10]))
      .resolves(captured([]));
    expect(await settled('keys-rise-in-a-batch')).toMatchObject({ verdict: 'holds' });
    cloudwatch.reset();
    cloudwatch
      .on(GetMetricDataCommand)
      .resolvesOnce(captured([40]))
      .resolves(captured([2]));
    expect(await settled('keys-rise-in-a-batch')).toMatchObject({ verdict: 'broken' });
  });

  it('must bring an alarm to the topic', async () => {
    cloudwatch.on(DescribeAlarmsCommand).resolves({ MetricAlarms: [{ AlarmName: 'glasshouse-shop-one' }] });
    cloudwatch.on(SetAlarmStateCommand).resolves({});
    const action = (HistorySummary: string) => ({ AlarmHistoryItems: [{ HistorySummary }] });
    cloudwatch
      .on(DescribeAlarmHistoryCommand)
      .resolvesOnce({ AlarmHistoryItems: [] })
      .resolves(action('Successfully executed action arn:aws:sns:x'));
    expect(await settled('alarm-topic')).toMatchObject({ verdict: 'holds' });
    cloudwatch.on(DescribeAlarmHistoryCommand).resolves(action('Failed to execute action arn:aws:sns:x'));
    expect(await settled('alarm-topic')).toMatchObject({ verdict: 'broken' });
    cloudwatch.on(DescribeAlarmHistoryCommand).resolves({});
    expect(await settled('alarm-topic')).toMatchObject({ verdict: 'open' });
  });
});

import { AthenaClient, GetQueryExecutionCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, it } from 'vitest';
import { maintainDeployed } from '../../deployed/maintain.ts';
import { DEPLOYMENT, mirrorWith, options } from './mirror-config.ts';

const athena = mockClient(AthenaClient);
const ssm = mockClient(SSMClient);
const STATEMENTS = [
  'OPTIMIZE shop.orders__changes REWRITE DATA USING BIN_PACK',
  'VACUUM shop.orders__changes',
  'OPTIMIZE shop.orders REWRITE DATA USING BIN_PACK',
  'VACUUM shop.orders',
];
const DONE = { QueryExecution: { Status: { State: 'SUCCEEDED' as const }, Statistics: { DataScannedInBytes: 7 } } };

function deployedAs(change: Partial<typeof DEPLOYMENT>): void {
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: JSON.stringify({ ...DEPLOYMENT, ...change }) } });
}

beforeEach(() => {
  athena.reset();
  ssm.reset();
  deployedAs({});
  athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q' });
  athena.on(GetQueryExecutionCommand).resolves(DONE);
});

const submitted = () => athena.commandCalls(StartQueryExecutionCommand).map((call) => call.args[0].input.QueryString);

it('compacts and vacuums each table of the lake, in the workgroup of the mirror', async () => {
  const report = await maintainDeployed(mirrorWith(), { ...options(), dryRun: false });
  expect(submitted()).toEqual(STATEMENTS);
  expect(athena.commandCalls(StartQueryExecutionCommand)[0]?.args[0].input.WorkGroup).toBe('glasshouse-shop');
  expect(report.statements.map(({ sql, scannedBytes }) => [sql, scannedBytes])).toEqual(
    STATEMENTS.map((sql) => [sql, 7]),
  );
  expect(report.notes).toEqual(['Redshift vacuums and analyses its tables by itself: there is nothing to do.']);
});

it('shows what it would do, and does nothing', async () => {
  const report = await maintainDeployed(mirrorWith(), { ...options(), dryRun: true });
  expect(report.statements.map(({ sql }) => sql)).toEqual(STATEMENTS);
  expect(submitted()).toEqual([]);
});

it('runs a statement again that says that there is more to do', async () => {
  const more = {
    State: 'FAILED' as const,
    StateChangeReason: 'ICEBERG_VACUUM_MORE_RUNS_NEEDED: Removed 1000 files in this round',
  };
  athena
    .on(GetQueryExecutionCommand)
    .resolvesOnce(DONE)
    .resolvesOnce({ QueryExecution: { Status: more } })
    .resolves(DONE);
  await maintainDeployed(mirrorWith(), { ...options(), dryRun: false });
  expect(submitted()).toEqual([STATEMENTS[0], STATEMENTS[1], ...STATEMENTS.slice(1)]);
});

it('ends with the first that fails', async () => {
  athena
    .on(GetQueryExecutionCommand)
    .resolves({ QueryExecution: { Status: { State: 'FAILED', StateChangeReason: 'no such table' } } });
  await expect(maintainDeployed(mirrorWith(), { ...options(), dryRun: false })).rejects.toThrow('no such table');
  expect(submitted()).toHaveLength(1);
});

it('has nothing to do without a lakehouse, and stops when it is asked to', async () => {
  deployedAs({ lakehouse: null });
  expect((await maintainDeployed(mirrorWith(), { ...options(), dryRun: false })).statements).toEqual([]);
  deployedAs({});
  const stopped = options({ signal: AbortSignal.abort() });
  await expect(maintainDeployed(mirrorWith(), { ...stopped, dryRun: false })).rejects.toThrow('aborted');
});

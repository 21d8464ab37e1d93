import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecutionStatus,
  type Row,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { athenaStatements, queryRows, runStatement, type TextRow } from '../../../adapters/aws/athena-statements.ts';
import { quietly } from '../../../adapters/aws/clients.ts';
import { virtualTiming } from '../../support/fake-dynamodb-streams.ts';
import { throttled, unreachable } from '../../support/fake-glue.ts';

function open() {
  const client = quietly(() => new AthenaClient({ region: 'eu-central-1' }));
  const athena = mockClient(client);
  const timing = virtualTiming();
  let tokens = 0;
  const newToken = () => `token-${String(++tokens).padStart(32, '0')}`;
  const access = { client, workgroup: 'glasshouse-shop', database: 'shop', timing, newToken };
  athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q-1' });
  const ends = (...states: readonly QueryExecutionStatus[]) => {
    const answers = athena.on(GetQueryExecutionCommand);
    for (const Status of states.slice(0, -1)) answers.resolvesOnce({ QueryExecution: { Status } });
    answers.resolves({ QueryExecution: { Status: states.at(-1), Statistics: { DataScannedInBytes: 4096 } } });
  };
  return { athena, timing, access, ends, soon: timing.now() + 60_000 };
}

const failed = (StateChangeReason: string, Retryable = false): QueryExecutionStatus => ({
  State: 'FAILED',
  StateChangeReason,
  AthenaError: { ErrorCategory: 2, Retryable },
});

describe('runStatement', () => {
  it('submits in its workgroup and database, waits for the end, and says what was scanned', async () => {
    const { athena, access, ends, soon, timing } = open();
    ends({ State: 'QUEUED' }, { State: 'RUNNING' }, { State: 'RUNNING' }, { State: 'SUCCEEDED' });
    expect(await runStatement(access, 'SELECT 1', soon)).toEqual({ queryId: 'q-1', scannedBytes: 4096 });
    expect(athena.commandCalls(StartQueryExecutionCommand)[0]?.args[0].input).toEqual({
      QueryString: 'SELECT 1',
      ClientRequestToken: `token-${'1'.padStart(32, '0')}`,
      WorkGroup: 'glasshouse-shop',
      QueryExecutionContext: { Database: 'shop' },
    });
    expect(timing.waits).toHaveLength(3);
  });

  it('repeats a submission whose reply was lost under the same token, so that it runs once', async () => {
    const { athena, access, ends, soon } = open();
    athena
      .on(StartQueryExecutionCommand)
      .rejectsOnce(unreachable())
      .rejectsOnce(throttled())
      .resolves({ QueryExecutionId: 'q-1' });
    ends({ State: 'SUCCEEDED' });
    await runStatement(access, 'SELECT 1', soon);
    const tokens = athena.commandCalls(StartQueryExecutionCommand).map((call) => call.args[0].input.ClientRequestToken);
    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
  });

  it('asks on while Athena throttles the asking', async () => {
    const { athena, access, soon } = open();
    athena
      .on(GetQueryExecutionCommand)
      .rejectsOnce(throttled())
      .rejectsOnce(throttled())
      .resolves({ QueryExecution: { Status: { State: 'SUCCEEDED' } } });
    expect(await runStatement(access, 'SELECT 1', soon)).toEqual({ queryId: 'q-1', scannedBytes: 0 });
  });

  it('submits anew, under another token, what Athena says may be submitted again', async () => {
    const { athena, access, ends, soon } = open();
    ends(failed('GENERIC_INTERNAL_ERROR', true), failed('GENERIC_INTERNAL_ERROR', true), { State: 'SUCCEEDED' });
    await runStatement(access, 'SELECT 1', soon);
    const tokens = athena.commandCalls(StartQueryExecutionCommand).map((call) => call.args[0].input.ClientRequestToken);
    expect(new Set(tokens).size).toBe(3);
  });

  it('submits nothing more than three times', async () => {
    const { athena, access, ends, soon } = open();
    ends(failed('GENERIC_INTERNAL_ERROR', true));
    await expect(runStatement(access, 'SELECT 1', soon)).rejects.toMatchObject({ code: 'unavailable' });
    expect(athena.commandCalls(StartQueryExecutionCommand)).toHaveLength(3);
  });

  it.each([
    ['ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update', 'conflict', /Run it again/],
    [
      'Insufficient permissions to execute the query. Insufficient Lake Formation permission(s)',
      'config',
      /lakeFormation: true/,
    ],
    ['Access denied when writing to location s3://results', 'config', /Give whoever runs it/],
    ['TABLE_NOT_FOUND: line 1:15: Table does not exist', 'unavailable', /See the query q-1 in the Athena console/],
  ])('says of %s what to do', async (reason, code, remedy) => {
    const { access, ends, soon } = open();
    ends(failed(reason));
    const thrown = runStatement(access, 'SELECT *\n  FROM orders', soon);
    await expect(thrown).rejects.toMatchObject({ code, message: expect.stringMatching(remedy) as string });
    await expect(thrown).rejects.toThrow(/failed the statement "SELECT \* FROM orders" \(query q-1\)/);
  });

  it('says that the workgroup’s limit was reached', async () => {
    const { access, ends, soon } = open();
    ends({ State: 'CANCELLED', StateChangeReason: 'Query cancelled! : Bytes scanned limit was exceeded' });
    await expect(runStatement(access, 'SELECT 1', soon)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/Athena cancelled.*aws\.lakehouse\.queryLimitGb/) as string,
    });
  });

  it('stops a statement that has not ended at the deadline', async () => {
    const { athena, access, ends, timing } = open();
    ends({ State: 'RUNNING' });
    await expect(runStatement(access, 'SELECT 1', timing.now() + 10_000)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/had not ended the statement "SELECT 1".*was stopped/) as string,
    });
    expect(athena.commandCalls(StopQueryExecutionCommand)[0]?.args[0].input).toEqual({ QueryExecutionId: 'q-1' });
    expect(timing.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(10_000);
  });

  it('fails as late where the stopping is refused', async () => {
    const { athena, access, ends, timing } = open();
    ends({ State: 'RUNNING' });
    athena.on(StopQueryExecutionCommand).rejects(new Error('AccessDeniedException'));
    await expect(runStatement(access, 'SELECT 1', timing.now() + 1_000)).rejects.toThrow(/had not ended/);
  });

  it('is throttled for no longer than it has time', async () => {
    const { athena, access, timing } = open();
    athena.on(StartQueryExecutionCommand).rejects(throttled());
    await expect(runStatement(access, 'SELECT 1', timing.now() + 3_000)).rejects.toMatchObject({ code: 'throttled' });
  });

  it.each([
    ['a request that is not valid', { name: 'InvalidRequestException', message: 'WorkGroup is not found.' }],
    ['a refusal', { name: 'AccessDeniedException', message: 'not authorized' }],
  ])('does not repeat %s', async (_, { name, message }) => {
    const { athena, access, soon } = open();
    athena.on(StartQueryExecutionCommand).rejects(Object.assign(new Error(message), { name }));
    await expect(runStatement(access, 'SELECT 1', soon)).rejects.toThrow(
      new RegExp(`Could not submit "SELECT 1" to Athena: ${name}: ${message}`),
    );
    expect(athena.commandCalls(StartQueryExecutionCommand)).toHaveLength(1);
  });

  it('does not guess at an answer that names no query', async () => {
    const { athena, access, soon } = open();
    athena.on(StartQueryExecutionCommand).resolves({});
    await expect(runStatement(access, 'SELECT 1', soon)).rejects.toThrow(/without naming its query/);
  });

  it('keeps the middle of a statement out of messages', async () => {
    const { access, ends, soon } = open();
    ends(failed('SYNTAX_ERROR'));
    const sql = `SELECT ${'a, '.repeat(40)} 'a secret' FROM orders`;
    await expect(runStatement(access, sql, soon)).rejects.not.toThrow(/secret/);
  });
});

describe('athenaStatements', () => {
  it('gives each statement its time from when it is run', async () => {
    const { access, ends, timing } = open();
    ends({ State: 'RUNNING' });
    const statements = athenaStatements(access, 5_000);
    await timing.wait(60_000, new AbortController().signal);
    await expect(statements.run('SELECT 1')).rejects.toThrow(/had not ended/);
    expect(timing.waits.length).toBeGreaterThan(4);
  });
});

describe('queryRows', () => {
  const ColumnInfo = [
    { Name: 'id', Type: 'varchar' },
    { Name: 'note', Type: 'varchar' },
  ];
  const row = (...cells: readonly (string | null)[]): Row => ({
    Data: cells.map((cell) => (cell === null ? {} : { VarCharValue: cell })),
  });
  const page = (rows: readonly Row[], NextToken?: string) => ({
    ResultSet: { Rows: [...rows], ResultSetMetadata: { ColumnInfo } },
    NextToken,
  });
  const all = async (pages: AsyncIterable<readonly TextRow[]>): Promise<TextRow[]> => {
    const rows: TextRow[] = [];
    for await (const one of pages) rows.push(...one);
    return rows;
  };

  it('gives the rows of every page without the header, and tells null from empty', async () => {
    const { athena, access, ends, soon } = open();
    ends({ State: 'SUCCEEDED' });
    athena
      .on(GetQueryResultsCommand)
      .resolvesOnce(page([row('id', 'note'), row('a', ''), row('b', null)], 'next'))
      .resolvesOnce(page([row('id', 'note')], 'last'))
      .resolves(page([row('c', 'x')]));
    expect(await all(queryRows(access, 'SELECT id, note FROM orders', soon))).toEqual([
      ['a', ''],
      ['b', null],
      ['id', 'note'],
      ['c', 'x'],
    ]);
    const asked = athena.commandCalls(GetQueryResultsCommand).map((call) => call.args[0].input);
    expect(asked.map((input) => input.NextToken)).toEqual([undefined, 'next', 'last']);
    expect(asked.every((input) => input.QueryExecutionId === 'q-1' && input.MaxResults === 1000)).toBe(true);
  });

  it('keeps the first row of an answer that has no header, as that of SHOW', async () => {
    const { athena, access, ends, soon } = open();
    ends({ State: 'SUCCEEDED' });
    athena.on(GetQueryResultsCommand).resolves(page([row('orders', 'x')]));
    expect(await all(queryRows(access, 'SHOW TABLES', soon))).toEqual([['orders', 'x']]);
  });

  it('gives nothing for an empty table', async () => {
    const { athena, access, ends, soon } = open();
    ends({ State: 'SUCCEEDED' });
    athena.on(GetQueryResultsCommand).resolves(page([row('id', 'note')]));
    expect(await all(queryRows(access, 'SELECT id, note FROM orders', soon))).toEqual([]);
  });

  it('waits out throttling between pages', async () => {
    const { athena, access, ends, soon } = open();
    ends({ State: 'SUCCEEDED' });
    athena
      .on(GetQueryResultsCommand)
      .resolvesOnce(page([row('id', 'note'), row('a', 'x')], 'next'))
      .rejectsOnce(throttled())
      .resolves(page([row('b', 'y')]));
    expect(await all(queryRows(access, 'SELECT id, note FROM orders', soon))).toHaveLength(2);
  });

  it('refuses a row that is no row of its columns', async () => {
    const { athena, access, ends, soon } = open();
    ends({ State: 'SUCCEEDED' });
    athena.on(GetQueryResultsCommand).resolves(page([row('id', 'note'), row('a')]));
    await expect(all(queryRows(access, 'SELECT id, note FROM orders', soon))).rejects.toThrow(
      /a row of 1 cells for the 2 columns of the query q-1/,
    );
  });
});

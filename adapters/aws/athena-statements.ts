import {
  AthenaClient,
  type ColumnInfo,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecutionStatus,
  type Row,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { randomUUID } from 'node:crypto';
import { GlasshouseError } from '../../core/errors.ts';
import type { LakeStatements } from '../../flows/register-ports.ts';
import { shown, statementFailure } from './athena-failure.ts';
import { backoffMs } from './backoff.ts';
import { quietly } from './clients.ts';
import { explainFailure } from './failure.ts';
import type { Timing } from './timing.ts';
import { systemTiming } from './timing.ts';
import { withinDeadline } from './within-deadline.ts';

/** A client of Athena in the environment's region, or another; the caller destroys it. */
export function openAthena(region?: string): AthenaClient {
  return quietly(() => new AthenaClient(region === undefined ? {} : { region }));
}

/** How Athena is reached. Where results go and how they are encrypted is the workgroup's to say. */
export interface AthenaAccess {
  readonly client: AthenaClient;
  readonly workgroup: string;
  readonly database: string;
  readonly timing?: Timing;
  /** Names one submission, so that a repeated request does not start a second query: at least 32 characters. */
  readonly newToken?: () => string;
}

export interface FinishedStatement {
  readonly queryId: string;
  /** What Athena bills by. */
  readonly scannedBytes: number;
}

/** A row as Athena gives it: text, or null. An empty text is not null. */
export type TextRow = readonly (string | null)[];

/** How often a statement is submitted that Athena says may succeed if it is submitted again. */
const MOST_SUBMISSIONS = 3;
const LONGEST_POLL_MS = 2_000;
const ROWS_A_PAGE = 1_000;
const NEVER = new AbortController().signal;

/** Statements with a time limit each, as a flow takes them. */
export function athenaStatements(access: AthenaAccess, patienceMs: number): LakeStatements {
  const { timing = systemTiming } = access;
  return {
    run: async (sql) => {
      await runStatement(access, sql, timing.now() + patienceMs);
    },
  };
}

/**
 * Runs a statement to its end. One that failed for a passing reason is submitted again, so give it only statements that may
 * run twice. Past the deadline (epoch milliseconds) it is stopped.
 * @throws GlasshouseError `conflict` where another writer committed to the table first, `config` where a permission or
 *   the workgroup's limit is in the way, `throttled`, or `unavailable` for the rest.
 */
export async function runStatement(
  access: AthenaAccess,
  sql: string,
  deadlineMillis: number,
): Promise<FinishedStatement> {
  for (let submission = 1; ; submission++) {
    const queryId = await submit(access, sql, deadlineMillis);
    const { status, scannedBytes } = await ending(access, sql, queryId, deadlineMillis);
    if (status.State === 'SUCCEEDED') return { queryId, scannedBytes };
    const mayRetry = status.State === 'FAILED' && status.AthenaError?.Retryable === true;
    if (!mayRetry || submission === MOST_SUBMISSIONS) throw statementFailure(status, sql, queryId);
  }
}

/**
 * The rows of a query, in pages of at most a thousand, in the query's order. Throws as `runStatement` does, and
 * `unavailable` for an answer that is no table.
 */
export async function* queryRows(
  access: AthenaAccess,
  sql: string,
  deadlineMillis: number,
): AsyncGenerator<readonly TextRow[]> {
  const { queryId } = await runStatement(access, sql, deadlineMillis);
  let token: string | undefined;
  let isFirst = true;
  do {
    const page = await call(access, `read the rows of the Athena query ${queryId}`, deadlineMillis, () =>
      access.client.send(
        new GetQueryResultsCommand({ QueryExecutionId: queryId, MaxResults: ROWS_A_PAGE, NextToken: token }),
      ),
    );
    const columns = page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? [];
    const rows = page.ResultSet?.Rows ?? [];
    const body = isFirst && isHeader(rows[0], columns) ? rows.slice(1) : rows;
    if (body.length > 0) yield body.map((row) => textRow(row, columns, queryId));
    isFirst = false;
    token = page.NextToken;
  } while (token !== undefined);
}

async function submit(access: AthenaAccess, sql: string, deadlineMillis: number): Promise<string> {
  const { client, workgroup, database, newToken = randomUUID } = access;
  const command = {
    QueryString: sql,
    ClientRequestToken: newToken(),
    WorkGroup: workgroup,
    QueryExecutionContext: { Database: database },
  };
  const { QueryExecutionId } = await call(access, `submit ${shown(sql)} to Athena`, deadlineMillis, () =>
    client.send(new StartQueryExecutionCommand(command)),
  );
  if (QueryExecutionId !== undefined) return QueryExecutionId;
  throw new GlasshouseError(
    'unavailable',
    `Athena took the statement ${shown(sql)} without naming its query. Try again.`,
  );
}

async function ending(
  access: AthenaAccess,
  sql: string,
  queryId: string,
  deadlineMillis: number,
): Promise<{ readonly status: QueryExecutionStatus; readonly scannedBytes: number }> {
  const { client, timing = systemTiming } = access;
  for (let attempt = 1; ; attempt++) {
    const { QueryExecution } = await call(access, `ask after the Athena query ${queryId}`, deadlineMillis, () =>
      client.send(new GetQueryExecutionCommand({ QueryExecutionId: queryId })),
    );
    const status = QueryExecution?.Status;
    if (status?.State === 'SUCCEEDED' || status?.State === 'FAILED' || status?.State === 'CANCELLED') {
      return { status, scannedBytes: QueryExecution?.Statistics?.DataScannedInBytes ?? 0 };
    }
    const delayMs = Math.min(LONGEST_POLL_MS, backoffMs(attempt, timing.chance()));
    if (timing.now() + delayMs >= deadlineMillis) {
      await stop(client, queryId);
      throw new GlasshouseError(
        'unavailable',
        `Athena had not ended the statement ${shown(sql)} (query ${queryId}) when its time was over, so it was stopped. ` +
          'Try again; where it is always too slow, see in the Athena console what it waits for.',
      );
    }
    await timing.wait(delayMs, NEVER);
  }
}

/** Nobody waits for the query any more. Where it cannot be stopped it ends by itself, and that is not worth another error. */
async function stop(client: AthenaClient, queryId: string): Promise<void> {
  try {
    await client.send(new StopQueryExecutionCommand({ QueryExecutionId: queryId }));
  } catch {
    return;
  }
}

async function call<T>(
  { timing = systemTiming }: AthenaAccess,
  what: string,
  deadlineMillis: number,
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await withinDeadline(what, send, { timing, atMillis: deadlineMillis });
  } catch (thrown) {
    throw explainFailure(thrown, what);
  }
}

/** Athena gives the columns' names as the first row of a query, and gives none for what is no query. */
function isHeader(row: Row | undefined, columns: readonly ColumnInfo[]): boolean {
  const cells = row?.Data;
  return cells?.length === columns.length && cells.every((cell, index) => cell.VarCharValue === columns[index]?.Name);
}

function textRow(row: Row, columns: readonly ColumnInfo[], queryId: string): TextRow {
  const cells = row.Data ?? [];
  if (cells.length !== columns.length) {
    throw new GlasshouseError(
      'unavailable',
      `Athena gave a row of ${cells.length} cells for the ${columns.length} columns of the query ${queryId}. Try again.`,
    );
  }
  return cells.map((cell) => cell.VarCharValue ?? null);
}

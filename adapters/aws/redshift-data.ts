import type {
  ColumnMetadata,
  DescribeStatementResponse,
  Field,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data';
import {
  BatchExecuteStatementCommand,
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  RedshiftDataClient as Client,
} from '@aws-sdk/client-redshift-data';
import type { RedshiftAddress } from '../../core/contract.ts';
import { GlasshouseError } from '../../core/errors.ts';
import { loadFailureKind } from '../../core/load-failure.ts';
import type { Submission, WarehouseStatements } from '../../flows/load-ports.ts';
import { shown } from './athena-failure.ts';
import { backoffMs } from './backoff.ts';
import { quietly } from './clients.ts';
import { explainRedshiftFailure, isForgotten, isPassing } from './redshift-failure.ts';
import type { Timing } from './timing.ts';
import { systemTiming } from './timing.ts';
import { withinDeadline } from './within-deadline.ts';

/** How a Redshift is reached. */
export interface RedshiftAccess {
  readonly client: RedshiftDataClient;
  readonly address: RedshiftAddress;
  readonly timing?: Timing;
}

/** A row of a result: its values as text, whatever their type. */
export type RedshiftRow = readonly (string | null)[];

/** The Data API answers at the latest after so many seconds of waiting. */
const LONGEST_WAIT_SECONDS = 30;
/** A call that does not wait for a statement is tried again for so long. */
const PATIENCE_MS = 20_000;
/** Where an answer says `running` sooner than this, the service has not waited, and we do. */
const WAITED_MS = 900;
const NEVER = new AbortController().signal;

/** A client of the Data API. Its connections outlast the longest wait. */
export function openRedshiftData(region?: string): RedshiftDataClient {
  return quietly(
    () =>
      new Client({
        requestHandler: { connectionTimeout: 5_000, socketTimeout: (LONGEST_WAIT_SECONDS + 30) * 1000 },
        ...(region === undefined ? {} : { region }),
      }),
  );
}

/** The Data API as the loader uses it. One BatchExecuteStatement is one transaction. */
export function redshiftStatements(access: RedshiftAccess): WarehouseStatements {
  const { client, address, timing = systemTiming } = access;
  return {
    async submit(statements, token) {
      const what = `submit ${statements.length} statements to ${nameOf(address)}`;
      const input = { ...targetOf(address), Sqls: [...statements], ...(token === null ? {} : { ClientToken: token }) };
      const { Id } = await call(access, what, timing.now() + PATIENCE_MS, () =>
        client.send(new BatchExecuteStatementCommand(input)),
      );
      return idOf(Id, what);
    },
    describe: (id, untilMillis) => describe(access, id, untilMillis),
    async query(sql, untilMillis) {
      const rows: RedshiftRow[] = [];
      for await (const page of redshiftRows(access, sql, untilMillis)) rows.push(...page);
      return rows;
    },
  };
}

/**
 * The rows of a query in pages, in the query's order. The deadline (epoch milliseconds) is for the query; each page has
 * time of its own. A whole number beyond 2^53 must be asked for as text.
 * @throws GlasshouseError `conflict` where another transaction was in the way, `throttled`, or `unavailable` for the rest.
 */
export async function* redshiftRows(
  access: RedshiftAccess,
  sql: string,
  untilMillis: number,
): AsyncGenerator<readonly RedshiftRow[]> {
  const { client, address, timing = systemTiming } = access;
  const what = `run ${shown(sql)} on ${nameOf(address)}`;
  const { Id } = await call(access, what, untilMillis, () =>
    client.send(new ExecuteStatementCommand({ ...targetOf(address), Sql: sql })),
  );
  const id = idOf(Id, what);
  const ended = await describe(access, id, untilMillis);
  if (ended.state !== 'finished') throw unfinished(ended, what, id);
  let token: string | undefined;
  do {
    const reading = `read the rows of statement ${id}`;
    const page = await call(access, reading, timing.now() + PATIENCE_MS, () =>
      client.send(new GetStatementResultCommand({ Id: id, NextToken: token })),
    );
    const columns = page.ColumnMetadata ?? [];
    const rows = (page.Records ?? []).map((record) => record.map((field, index) => textOf(field, columns[index])));
    if (rows.length > 0) yield rows;
    token = page.NextToken === '' ? undefined : page.NextToken;
  } while (token !== undefined);
}

async function describe(access: RedshiftAccess, id: string, untilMillis: number): Promise<Submission> {
  const { client, timing = systemTiming } = access;
  const what = `ask after statement ${id}`;
  for (let attempt = 1; ; attempt++) {
    const askedAtMillis = timing.now();
    const seconds = Math.min(LONGEST_WAIT_SECONDS, Math.floor((untilMillis - askedAtMillis) / 1000));
    const wait = seconds >= 1 ? { WaitTimeSeconds: seconds } : {};
    let answer: DescribeStatementResponse;
    try {
      const patience = Math.max(untilMillis, askedAtMillis + PATIENCE_MS);
      answer = await call(access, what, patience, () => client.send(new DescribeStatementCommand({ Id: id, ...wait })));
    } catch (thrown) {
      if (isForgotten(thrown)) return { state: 'unknown' };
      throw thrown;
    }
    const submission = submissionOf(answer, timing.now());
    if (submission.state !== 'running' || timing.now() >= untilMillis) return submission;
    if (timing.now() - askedAtMillis < WAITED_MS) {
      const delayMs = Math.min(backoffMs(attempt, timing.chance()), untilMillis - timing.now());
      await timing.wait(delayMs, NEVER);
    }
  }
}

function submissionOf(answer: DescribeStatementResponse, nowMillis: number): Submission {
  const endedAtMillis = answer.UpdatedAt?.getTime() ?? nowMillis;
  switch (answer.Status) {
    case 'FINISHED':
      return { state: 'finished', endedAtMillis };
    case 'FAILED':
    case 'ABORTED': {
      const parts = answer.SubStatements ?? [];
      const failed = parts.findIndex((part) => part.Status === 'FAILED');
      const aborted = answer.Status === 'ABORTED' ? 'The statement was aborted by user' : 'no reason given';
      const message = parts[failed]?.Error ?? answer.Error ?? aborted;
      return { state: 'failed', message, statement: failed < 0 ? null : failed, endedAtMillis };
    }
    case undefined:
      throw new GlasshouseError(
        'unavailable',
        `The Redshift Data API described statement ${answer.Id ?? ''} without its status. Try again.`,
      );
    default:
      return { state: 'running' };
  }
}

function unfinished(ended: Submission, what: string, id: string): GlasshouseError {
  switch (ended.state) {
    case 'failed': {
      const code = loadFailureKind(ended.message) === 'passing' ? 'conflict' : 'unavailable';
      const remedy =
        code === 'conflict' ? 'Try again.' : 'See the statement in the Redshift query editor, and try again.';
      return new GlasshouseError(code, `Could not ${what}: ${ended.message.replace(/[.\s]*$/, '')}. ${remedy}`);
    }
    case 'running':
      return new GlasshouseError(
        'unavailable',
        `Could not ${what} in the time there was: statement ${id} is still running. Try again later; where it always is, see in the Redshift query editor what it waits for.`,
      );
    default:
      return new GlasshouseError('unavailable', `Could not ${what}: nobody remembers statement ${id}. Try again.`);
  }
}

/** Retries what passes until then; the rest becomes an error that says what to do. A statement that nobody remembers is thrown as it came. */
async function call<T>(
  { address, timing = systemTiming }: RedshiftAccess,
  what: string,
  untilMillis: number,
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await withinDeadline(what, send, { timing, atMillis: untilMillis }, isPassing);
  } catch (thrown) {
    if (isForgotten(thrown)) throw thrown;
    // What was tried till the end is said in Redshift's words too.
    const last = thrown instanceof GlasshouseError && isPassing(thrown.cause) ? thrown.cause : thrown;
    throw explainRedshiftFailure(last, what, nameOf(address));
  }
}

function nameOf({ workgroup, cluster }: RedshiftAddress): string {
  return workgroup === null ? `the cluster ${cluster ?? ''}` : `the workgroup ${workgroup}`;
}

function targetOf({ workgroup, cluster, database, secretArn, dbUser }: RedshiftAddress): {
  Database: string;
  WorkgroupName?: string;
  ClusterIdentifier?: string;
  SecretArn?: string;
  DbUser?: string;
} {
  return {
    Database: database,
    ...(workgroup === null ? {} : { WorkgroupName: workgroup }),
    ...(cluster === null ? {} : { ClusterIdentifier: cluster }),
    ...(secretArn === null ? {} : { SecretArn: secretArn }),
    // A workgroup derives its user from the role, and refuses to be told one.
    ...(secretArn === null && cluster !== null && dbUser !== null ? { DbUser: dbUser } : {}),
  };
}

function idOf(id: string | undefined, what: string): string {
  if (id !== undefined) return id;
  throw new GlasshouseError('unavailable', `Could not ${what}: the answer has no id. Try again.`);
}

function textOf(field: Field, column: ColumnMetadata | undefined): string | null {
  if (field.isNull === true) return null;
  if (field.stringValue !== undefined) return field.stringValue;
  if (field.booleanValue !== undefined) return String(field.booleanValue);
  if (field.doubleValue !== undefined) return String(field.doubleValue);
  if (field.blobValue !== undefined) return Buffer.from(field.blobValue).toString('base64');
  if (field.longValue !== undefined && Number.isSafeInteger(field.longValue)) return String(field.longValue);
  throw new GlasshouseError(
    'bug',
    `A value of the column ${column?.name ?? '?'} (${column?.typeName ?? '?'}) cannot be read exactly from the Data API; select it as VARCHAR.`,
  );
}

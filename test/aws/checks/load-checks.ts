import { DescribeStatementCommand, ExecuteStatementCommand } from '@aws-sdk/client-redshift-data';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { PREFIXES } from '../../../core/aws-names.ts';
import type { LoadFailureKind } from '../../../core/load-failure.ts';
import { loadFailureKind } from '../../../core/load-failure.ts';
import { heldColumnsQuery } from '../../../core/sql/plans/create-warehouse.ts';
import { redshift } from '../../../core/sql/dialects/redshift.ts';
import type { Submission } from '../../../flows/load-ports.ts';
import type { Warehouse, World } from '../world.ts';
import { statementDeadline, statementsOf } from '../world.ts';
import type { Check, Verdict } from './check.ts';
import { holds, inWarehouse, open, verdictOf } from './check.ts';
import { byArrival } from './seen.ts';

const RACES = 20;
const NULL_ON_ERROR_OFF = 'SET cast_super_null_on_error TO OFF';
/** Rows whose square keeps the smallest workgroup busy for a few seconds. */
const BUSY_ROWS = 20_000;

export const LOAD_CHECKS = {
  'lock-before-snapshot': inWarehouse(racingLoads),
  'super-cast-setting': inWarehouse(castSetting),
  'batch-has-own-session': inWarehouse(ownSession),
  'super-null-navigation': inWarehouse(nullNavigation),
  'ledger-insert-select': byArrival('warehouse', 'Each load wrote its row of the ledger.'),
  'substatements-name-failure': inWarehouse(failedSubstatement),
  'client-token': inWarehouse(repeatedToken),
  'wait-time-seconds': inWarehouse(longPoll),
  'failure-words': inWarehouse(failureWords),
  'forgotten-statement': inWarehouse(forgottenStatement),
  'serverless-billing': inWarehouse(billing),
  'late-bound-columns': inWarehouse(lateBoundColumns),
} as const satisfies Readonly<Record<string, Check>>;

/** Runs statements as one transaction, and tells how it ended. */
async function ended(world: World, warehouse: Warehouse, statements: readonly string[]): Promise<Submission> {
  const ports = statementsOf(world, warehouse);
  return ports.describe(await ports.submit(statements, null), statementDeadline(world));
}

function endText(end: Submission): string {
  return end.state === 'failed' ? `failed at statement ${end.statement ?? '?'}: ${end.message}` : end.state;
}

/** Two batches with the same key at once, each after the lock, as loads are. */
async function racingLoads(world: World, warehouse: Warehouse): Promise<Verdict> {
  const [lock, held] = ['public.test_race_lock', 'public.test_race'];
  await ended(world, warehouse, [`CREATE TABLE ${lock} (n int)`, `CREATE TABLE ${held} (k int)`]);
  try {
    let failed = 0;
    for (let race = 1; race <= RACES; race++) {
      const batch = [
        `LOCK TABLE ${lock}`,
        `INSERT INTO ${held} SELECT ${race} WHERE NOT EXISTS (SELECT 1 FROM ${held} WHERE k = ${race})`,
        `INSERT INTO ${lock} VALUES (${race})`,
      ];
      const ends = await Promise.all([ended(world, warehouse, batch), ended(world, warehouse, batch)]);
      failed += ends.filter((end) => end.state !== 'finished').length;
    }
    const sql = `SELECT count(*) FROM (SELECT k FROM ${held} GROUP BY k HAVING count(*) > 1) AS twice`;
    const [[twice] = []] = await statementsOf(world, warehouse).query(sql, statementDeadline(world));
    const how = `In ${RACES} races of two batches ${failed} failed, and ${twice ?? '?'} keys stand twice.`;
    return verdictOf(twice === '0', how);
  } finally {
    await ended(world, warehouse, [`DROP TABLE ${held}`, `DROP TABLE ${lock}`]);
  }
}

async function castSetting(world: World, warehouse: Warehouse): Promise<Verdict> {
  const cast = `CREATE TEMP TABLE test_cast AS SELECT json_parse('{"a":"text"}') AS s`;
  const end = await ended(world, warehouse, [NULL_ON_ERROR_OFF, cast, 'SELECT s.a::decimal(38,9) FROM test_cast']);
  return verdictOf(end.state === 'failed', `A text cast to a number after the setting: ${endText(end)}.`);
}

async function ownSession(world: World, warehouse: Warehouse): Promise<Verdict> {
  const make = 'CREATE TEMP TABLE test_session (n int)';
  const first = await ended(world, warehouse, [make]);
  const dying = await ended(world, warehouse, [make, 'SELECT 1/0']);
  const last = await ended(world, warehouse, [make]);
  const how = `The same temporary table in three batches, the second failing after it: ${[first, dying, last].map(endText).join('; ')}.`;
  const isDead = dying.state === 'failed' && dying.statement !== 0;
  return verdictOf(first.state === 'finished' && isDead && last.state === 'finished', how);
}

async function nullNavigation(world: World, warehouse: Warehouse): Promise<Verdict> {
  const statements = [
    NULL_ON_ERROR_OFF,
    `CREATE TEMP TABLE test_null AS SELECT json_parse('null') AS s`,
    `SELECT 1 / CASE WHEN (s.a.b)::varchar IS NULL THEN 1 ELSE 0 END FROM test_null`,
  ];
  const end = await ended(world, warehouse, statements);
  return verdictOf(end.state === 'finished', `Navigating into a JSON null: ${endText(end)}.`);
}

async function failedSubstatement(world: World, warehouse: Warehouse): Promise<Verdict> {
  const end = await ended(world, warehouse, ['SELECT 1', 'SELECT 1/0', 'SELECT 2']);
  return verdictOf(
    end.state === 'failed' && end.statement === 1,
    `The second of three was made to fail: ${endText(end)}.`,
  );
}

async function repeatedToken(world: World, warehouse: Warehouse): Promise<Verdict> {
  const ports = statementsOf(world, warehouse);
  const token = randomUUID();
  const ids = [await ports.submit(['SELECT 1'], token), await ports.submit(['SELECT 1'], token)];
  return verdictOf(ids[0] === ids[1], `The same batch twice with one token: ${ids.join(' and ')}.`);
}

/** One question that waits, about a statement that takes a few seconds. */
async function longPoll(world: World, { redshift: address }: Warehouse): Promise<Verdict> {
  const client = world.clients.redshiftData();
  const numbers = `(SELECT row_number() OVER () AS n FROM svv_all_columns LIMIT ${BUSY_ROWS})`;
  const { workgroup, cluster, database, secretArn, dbUser } = address;
  const { Id } = await client.send(
    new ExecuteStatementCommand({
      Database: database,
      Sql: `SELECT count(*) FROM ${numbers} AS a, ${numbers} AS b WHERE (a.n * b.n) % 7 = 3`,
      ...(workgroup === null ? { ClusterIdentifier: cluster ?? '' } : { WorkgroupName: workgroup }),
      ...(secretArn === null ? {} : { SecretArn: secretArn }),
      ...(secretArn === null && cluster !== null && dbUser !== null ? { DbUser: dbUser } : {}),
    }),
  );
  const askedAtMillis = world.timing.now();
  const { Status: status } = await client.send(new DescribeStatementCommand({ Id, WaitTimeSeconds: 20 }));
  const tookMs = world.timing.now() - askedAtMillis;
  const how = `Asked with 20 s of waiting, the answer ${status ?? ''} came after ${tookMs} ms.`;
  if (status === 'FINISHED') return tookMs < 1000 ? open(`${how} The statement was too short to tell.`) : holds(how);
  return verdictOf(tookMs >= 15_000, how);
}

/** What can be caused without breaking the warehouse, and what the loader must take it for. */
async function failureWords(world: World, warehouse: Warehouse): Promise<Verdict> {
  const { bucket, loadFunction } = warehouse;
  const key = `${PREFIXES.manifests}test/none.json`;
  const entries = [{ url: `s3://${bucket}/${PREFIXES.manifests}test/no-such-object`, mandatory: true }];
  await world.clients.s3().send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify({ entries }) }));
  const configuration = new GetFunctionConfigurationCommand({ FunctionName: loadFunction });
  const role = (await world.clients.lambda().send(configuration)).Environment?.Variables?.COPY_ROLE_ARN;
  if (role === undefined) return open(`The function ${loadFunction} does not tell its variable COPY_ROLE_ARN.`);
  const copy = (iamRole: string): string[] => [
    'CREATE TEMP TABLE test_words (line SUPER)',
    `COPY test_words FROM 's3://${bucket}/${key}' IAM_ROLE '${iamRole}' MANIFEST FORMAT JSON 'noshred'`,
  ];
  const causes: readonly (readonly [LoadFailureKind, readonly string[]])[] = [
    ['data', copy(role)],
    ['setting', copy(role.replace(/role\/.*$/, 'role/glasshouse-test-no-such-role'))],
    ['setting', ['SELECT * FROM public.test_no_such_table']],
    ['data', [`SELECT 'text'::decimal(38,9)`]],
  ];
  const found: { readonly isRight: boolean; readonly words: string }[] = [];
  for (const [wanted, statements] of causes) {
    const end = await ended(world, warehouse, statements);
    const kind = end.state === 'failed' ? loadFailureKind(end.message) : end.state;
    found.push({ isRight: kind === wanted, words: `${kind} (wanted ${wanted}): ${endText(end)}` });
  }
  const how = `${found.map(({ words }) => words).join(' | ')}. 1023, OID and a full disk are not caused here.`;
  return verdictOf(
    found.every((one) => one.isRight),
    how,
  );
}

async function forgottenStatement(world: World, warehouse: Warehouse): Promise<Verdict> {
  const end = await statementsOf(world, warehouse).describe(randomUUID(), world.timing.now());
  return verdictOf(end.state === 'unknown', `Asked after a made-up id: ${endText(end)}.`);
}

async function billing(world: World, warehouse: Warehouse): Promise<Verdict> {
  const { baseCapacity } = warehouse.redshift;
  if (baseCapacity === null) return open('A cluster is always awake.');
  const sql = 'SELECT CAST(charged_seconds AS VARCHAR) FROM sys_serverless_usage WHERE charged_seconds > 0';
  const rows = await statementsOf(world, warehouse).query(sql, statementDeadline(world));
  const charged = rows.map(([seconds]) => Number(seconds) / baseCapacity);
  const told = world.seen.status.loads?.billedSecondsToday ?? 0;
  const sum = charged.reduce((all, one) => all + one, 0);
  return open(
    `Redshift charged ${Math.round(sum)} s in ${charged.length} periods, the test's own statements included; its loads counted ${told} s. To compare: with --keep, leave it alone for an hour with one write every five minutes, then read SYS_SERVERLESS_USAGE beside LoadBilledSeconds.`,
  );
}

async function lateBoundColumns(world: World, warehouse: Warehouse): Promise<Verdict> {
  const table = { mirror: world.mirror.name, table: world.table.name, viewSchema: warehouse.viewSchema };
  const rows = await statementsOf(world, warehouse).query(
    heldColumnsQuery(table, 'view', redshift),
    statementDeadline(world),
  );
  return verdictOf(rows.length > 0, `The loader's question lists ${rows.length} columns of the view.`);
}

import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { GetTableCommand } from '@aws-sdk/client-glue';
import { queryRows, runStatement } from '../../../adapters/aws/athena-statements.ts';
import { DynamoDbSchemaRegistry } from '../../../adapters/aws/dynamodb-schema-registry.ts';
import { S3LakeFiles } from '../../../adapters/aws/s3-iceberg.ts';
import { PREFIXES } from '../../../core/aws-names.ts';
import type { NewFiles } from '../../../core/iceberg/new-files.ts';
import { changelogName } from '../../../core/lake-tables.ts';
import { athena } from '../../../core/sql/dialects/athena.ts';
import { lakeTableName, quoteLakeText } from '../../../core/sql/lake-dialect.ts';
import { lakeViewNames } from '../../../core/sql/lake-views.ts';
import { planMerge } from '../../../core/sql/plans/merge.ts';
import type { Lakehouse, World } from '../world.ts';
import { athenaOf, glueOf, statementDeadline } from '../world.ts';
import type { Check, Verdict } from './check.ts';
import { broken, byHand, holds, inLakehouse, open, verdictOf } from './check.ts';
import { byRows } from './seen.ts';

const RACES = 5;
/** What `docs/unverified.md` assumes of a snapshot in `metadata.json`. */
const SNAPSHOT_BYTES = 2_000;

export const MERGE_CHECKS = {
  'path-beside-version': inLakehouse(prunedByPath),
  'path-as-in-manifest': inLakehouse(countedByPath),
  'merge-conflict-fails': inLakehouse(racingMerges),
  'live-view-prunes-days': byHand(
    'run with --keep, write a row on each of three days, and compare "Data scanned" of SELECT count(*) FROM order_live with that of order__changes.',
  ),
  'view-timestamps': inLakehouse(viewTimestamps),
  'athena-json-text': byRows('lakehouse', ['json-numbers']),
  'athena-exact-casts': byRows('lakehouse', ['casts', 'far-times', 'binary-300']),
  'iceberg-writers': inLakehouse(fileBounds),
  'metadata-size': inLakehouse(metadataSize),
} as const satisfies Readonly<Record<string, Check>>;

async function newestFiles(world: World, lakehouse: Lakehouse): Promise<NewFiles> {
  return new S3LakeFiles(glueOf(world, lakehouse), world.clients.s3()).newFiles(world.table.name, null);
}

function changelogOf(world: World, lakehouse: Lakehouse): string {
  return lakeTableName(lakehouse.database, changelogName(world.table.name));
}

async function rowsOf(world: World, lakehouse: Lakehouse, sql: string): Promise<(readonly (string | null)[])[]> {
  const rows: (readonly (string | null)[])[] = [];
  for await (const page of queryRows(athenaOf(world, lakehouse), sql, statementDeadline(world))) rows.push(...page);
  return rows;
}

/** Reads the rows of one file of many, and merges them once more, which changes nothing. */
async function prunedByPath(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const files = await newestFiles(world, lakehouse);
  const [file] = files.files;
  const schema = await new DynamoDbSchemaRegistry(world.clients.dynamodb(), world.deployment.controlTable).newest(
    world.table.name,
  );
  if (files.upTo === null || file === undefined || schema === null) return open('The changelog has no files.');
  const source = athena.atSnapshot(changelogOf(world, lakehouse), files.upTo.snapshotId);
  const scanned = async (where: string): Promise<number> => {
    const sql = `SELECT count("_row"), count("_key"), max("_version") FROM ${source}${where}`;
    return (await runStatement(athenaOf(world, lakehouse), sql, statementDeadline(world))).scannedBytes;
  };
  const whole = await scanned('');
  const one = await scanned(` WHERE ${athena.fileColumn} IN (${quoteLakeText(file.path)})`);
  const place = { database: lakehouse.database, table: world.table.name };
  const again: NewFiles = { ...files, whole: null, files: [file], records: file.records };
  for (const sql of planMerge(place, schema, again, { dialect: athena }))
    await runStatement(athenaOf(world, lakehouse), sql, statementDeadline(world));
  const how = `Athena took the MERGE; of one of ${files.files.length} files ${one} bytes were read, of all ${whole}. That an older snapshot is read after a compaction is still to be seen.`;
  if (files.files.length < 3) return open(`${how} That is too few files to tell.`);
  return verdictOf(one < whole, how);
}

async function countedByPath(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const files = await newestFiles(world, lakehouse);
  const { upTo } = files;
  if (upTo === null || files.files.length === 0) return open('The changelog has no files.');
  const asked = files.files.slice(0, 500);
  const recorded = asked.reduce((sum, file) => sum + file.records, 0);
  const source = athena.atSnapshot(changelogOf(world, lakehouse), upTo.snapshotId);
  const paths = asked.map((file) => quoteLakeText(file.path)).join(', ');
  const sql = `SELECT count(*) FROM ${source} WHERE ${athena.fileColumn} IN (${paths})`;
  const counted = (await rowsOf(world, lakehouse, sql))[0]?.[0] ?? 'nothing';
  return verdictOf(
    counted === String(recorded),
    `Athena counts ${counted} rows in ${asked.length} files, the manifests ${recorded}.`,
  );
}

/** The same insert-only merge twice at once, into a table of the test's own. */
async function racingMerges(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const access = athenaOf(world, lakehouse);
  const run = async (sql: string): Promise<void> => {
    await runStatement(access, sql, statementDeadline(world));
  };
  const name = `${lakehouse.database}.test_race`;
  await run(
    `CREATE TABLE ${name} (k string) LOCATION 's3://${lakehouse.bucket}/${PREFIXES.tables}test_race/' TBLPROPERTIES ('table_type' = 'ICEBERG')`,
  );
  try {
    let refused = 0;
    for (let race = 1; race <= RACES; race++) {
      const sql = `MERGE INTO ${name} AS t USING (SELECT 'k${race}' AS k) AS s ON t.k = s.k WHEN NOT MATCHED THEN INSERT (k) VALUES (s.k)`;
      const ends = await Promise.allSettled([run(sql), run(sql)]);
      refused += ends.filter((end) => end.status === 'rejected').length;
    }
    const twice = await rowsOf(world, lakehouse, `SELECT k FROM ${name} GROUP BY k HAVING count(*) > 1`);
    const how = `In ${RACES} races of two merges ${refused} were refused, and ${twice.length} keys stand twice.`;
    return refused === 0 && twice.length === 0
      ? open(`${how} They may have run one after the other.`)
      : verdictOf(twice.length === 0, how);
  } finally {
    await run(`DROP TABLE ${name}`);
  }
}

async function viewTimestamps(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const view = lakeViewNames(world.table.name).live;
  const sql = `SELECT data_type FROM information_schema.columns WHERE table_schema = ${quoteLakeText(lakehouse.database)} AND table_name = ${quoteLakeText(view)} AND column_name IN ('_committed_at', 'happened_at')`;
  const types = (await rowsOf(world, lakehouse, sql)).map(([type]) => type ?? '');
  return verdictOf(
    types.length === 2 && types.every((type) => /^timestamp(\(6\))?$/.test(type)),
    `The view's columns are ${types.join(' and ')}.`,
  );
}

async function fileBounds(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const { files } = await newestFiles(world, lakehouse);
  if (files.length === 0) return open('The changelog has no files.');
  const bare = files.filter((one) => one.operation === null || one.capturedAt === null || one.committedAt === null);
  const how = `${files.length - bare.length} of ${files.length} files tell their operation and the bounds of both times. A compaction's files are still to be looked at.`;
  return bare.length === 0 ? holds(how) : broken(how);
}

async function metadataSize(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const command = new GetTableCommand({
    DatabaseName: lakehouse.database,
    Name: changelogName(world.table.name),
    AttributesToGet: ['DEFAULT', 'LATEST_ICEBERG_METADATA'],
  });
  const { Table: table } = await world.clients.glue().send(command);
  const location = table?.Parameters?.metadata_location ?? '';
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location) ?? [];
  if (Bucket === undefined || Key === undefined) return open(`The metadata's place is ${JSON.stringify(location)}.`);
  const { ContentLength: bytes = 0 } = await world.clients.s3().send(new HeadObjectCommand({ Bucket, Key }));
  const sql = `SELECT count(*) FROM ${lakeTableName(lakehouse.database, `${changelogName(world.table.name)}$snapshots`)}`;
  const snapshots = Number((await rowsOf(world, lakehouse, sql))[0]?.[0] ?? 0);
  if (snapshots === 0) return open(`metadata.json has ${bytes} bytes and no snapshot.`);
  const each = Math.round(bytes / snapshots);
  const how = `${bytes} bytes for ${snapshots} snapshots, ${each} each: about ${Math.round((each * 5760) / 1e5) / 10} MB a day at a commit every 15 s.`;
  return verdictOf(each <= SNAPSHOT_BYTES, how);
}

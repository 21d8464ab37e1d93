import { GetTableCommand, GetTableOptimizerCommand, UpdateTableCommand } from '@aws-sdk/client-glue';
import type { TableOptimizerType } from '@aws-sdk/client-glue';
import { queryRows } from '../../../adapters/aws/athena-statements.ts';
import { describeTable } from '../../../adapters/aws/glue-access.ts';
import { messageOf } from '../../../core/errors.ts';
import { evolveRequest } from '../../../core/glue-tables.ts';
import type { LiveTable } from '../../../core/glue-live-table.ts';
import { CHANGELOG_PARTITION, changelogName } from '../../../core/lake-tables.ts';
import { extraChange } from '../source-changes.ts';
import type { Lakehouse, World } from '../world.ts';
import { athenaOf, glueOf, statementDeadline } from '../world.ts';
import type { Check, Verdict } from './check.ts';
import { broken, byHand, disturbs, holds, inLakehouse, open, verdictOf } from './check.ts';
import { byArrival } from './seen.ts';

const OPTIMIZERS: readonly TableOptimizerType[] = ['compaction', 'retention', 'orphan_file_deletion'];
const NEW_ATTRIBUTE = 'added_by_the_test';

export const REGISTRAR_CHECKS = {
  'glue-create-table': inLakehouse(createdTables),
  'glue-field-ids': inLakehouse(fieldIds),
  'glue-adds-columns': disturbs(addedColumns),
  'glue-version-id': disturbs(staleVersion),
  'firehose-writes-glue-tables': byArrival('lakehouse', 'The tables were made by Glue’s API.'),
  'required-columns': byArrival('lakehouse', 'The tables have required columns.'),
  'optimizers-run': inLakehouse(optimizerRuns),
  'orphans-stay-apart': byHand(
    'run with --keep; after three days count the objects below tables/order__changes/, start the orphan optimizer of the table order in the Glue console, and count again: none of the changelog’s live files is gone.',
  ),
  'lake-formation-words': byHand(
    'needs an account that Lake Formation governs: deploy without aws.lakehouse.lakeFormation, and read the error of the custom resource: it names Lake Formation.',
  ),
  'athena-null-and-empty': inLakehouse(nullAndEmpty),
} as const satisfies Readonly<Record<string, Check>>;

async function createdTables(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const command = new GetTableCommand({
    DatabaseName: lakehouse.database,
    Name: changelogName(world.table.name),
    AttributesToGet: ['DEFAULT', 'LATEST_ICEBERG_METADATA'],
  });
  const { Table: table } = await world.clients.glue().send(command);
  const fields = table?.IcebergTableMetadata?.PartitionSpecs?.at(-1)?.Fields ?? [];
  const partition = fields.map(({ Transform: transform, Name: name }) => `${transform ?? ''}:${name ?? ''}`);
  const wanted = CHANGELOG_PARTITION.map(({ transform, name }) => `${transform}:${name}`);
  const state = await liveOf(world, lakehouse, world.table.name);
  const identified = state.fields.filter((field) => state.identifierFieldIds.includes(field.Id));
  const found = `The changelog is partitioned by ${partition.join(', ')}; the state is identified by ${identified.map((one) => one.Name).join(', ')}.`;
  const isRight = partition.join() === wanted.join() && identified.map((one) => one.Name).join() === '_key_hash';
  const isRequired = state.fields.filter((field) => field.Required).length === 3;
  return verdictOf(isRight && isRequired, isRequired ? found : `${found} Three columns should be required.`);
}

async function liveOf(world: World, lakehouse: Lakehouse, name: string): Promise<LiveTable> {
  const live = await describeTable(glueOf(world, lakehouse), name);
  if (live === null) throw new Error(`The Glue table ${name} is missing.`);
  return live;
}

async function fieldIds(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const live = await liveOf(world, lakehouse, world.table.name);
  return holds(`The state's fields: ${live.fields.map((field) => `${field.Id} ${field.Name}`).join(', ')}.`);
}

async function addedColumns(world: World): Promise<Verdict> {
  const { lakehouse } = world.deployment;
  if (lakehouse === null) return open('This mirror has no lakehouse.');
  const { name } = world.table;
  const before = await liveOf(world, lakehouse, name);
  await world.write([extraChange('columns', 1, { [NEW_ATTRIBUTE]: { S: 'new' } })]);
  await world.untilFresh();
  const after = await liveOf(world, lakehouse, name);
  const added = after.fields.find((field) => field.Name === NEW_ATTRIBUTE);
  const isKept = before.fields.every((field) =>
    after.fields.some((one) => one.Id === field.Id && one.Name === field.Name && one.Required === field.Required),
  );
  const isIdentified = before.identifierFieldIds.join() === after.identifierFieldIds.join();
  const how = `The new column has the id ${added?.Id ?? 'none'} (the last was ${before.lastColumnId}, now ${after.lastColumnId}); the others are ${isKept ? '' : 'not '}as they were.`;
  return verdictOf(added !== undefined && added.Id > before.lastColumnId && isKept && isIdentified, how);
}

/** The version before the last: another writer that has read it must not win. */
async function staleVersion(world: World): Promise<Verdict> {
  const { lakehouse } = world.deployment;
  if (lakehouse === null) return open('This mirror has no lakehouse.');
  const live = await liveOf(world, lakehouse, changelogName(world.table.name));
  const version = Number(live.versionId);
  if (!Number.isSafeInteger(version) || version < 1)
    return open(`The version is ${live.versionId}: there is none before it.`);
  const stale = { ...live, versionId: String(version - 1) };
  const wanted = [{ id: live.lastColumnId + 1, name: 'stale_writer', type: 'string' as const, required: false }];
  const request = evolveRequest({ database: lakehouse.database, bucket: lakehouse.bucket }, stale, wanted);
  if (request === null) return open('The table has the column of an earlier try already.');
  try {
    await world.clients.glue().send(new UpdateTableCommand(request));
    return broken(`Glue took an update with the version ${stale.versionId}, where ${live.versionId} is the newest.`);
  } catch (thrown) {
    const name = thrown instanceof Error ? thrown.name : 'Error';
    return verdictOf(name === 'ConcurrentModificationException', `It was refused: ${name}: ${messageOf(thrown)}`);
  }
}

export async function optimizerRuns(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const glue = world.clients.glue();
  const runs: string[] = [];
  for (const TableName of [changelogName(world.table.name), world.table.name]) {
    for (const Type of OPTIMIZERS) {
      const CatalogId = (await liveOf(world, lakehouse, TableName)).catalogId;
      const command = new GetTableOptimizerCommand({ CatalogId, DatabaseName: lakehouse.database, TableName, Type });
      const { TableOptimizer: optimizer } = await glue.send(command);
      const event = optimizer?.lastRun?.eventType ?? 'no run';
      runs.push(`${TableName} ${Type}: ${event}${event === 'failed' ? ` (${optimizer?.lastRun?.error ?? ''})` : ''}`);
    }
  }
  if (runs.some((run) => run.includes(': failed'))) return broken(runs.join('; '));
  return runs.every((run) => run.endsWith(': completed'))
    ? holds(runs.join('; '))
    : open(`${runs.join('; ')}. Run with --keep, and look at the tables' optimizers in the Glue console after a day.`);
}

async function nullAndEmpty(world: World, lakehouse: Lakehouse): Promise<Verdict> {
  const sql = `SELECT cast(null AS varchar) AS "nothing", '' AS "empty"`;
  const rows: (readonly (string | null)[])[] = [];
  for await (const page of queryRows(athenaOf(world, lakehouse), sql, statementDeadline(world))) rows.push(...page);
  return verdictOf(JSON.stringify(rows) === '[[null,""]]', `Read as ${JSON.stringify(rows)}.`);
}

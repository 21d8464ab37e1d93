import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { ControlTable } from '../adapters/aws/control-table.ts';
import { DynamoDbSchemaRegistry } from '../adapters/aws/dynamodb-schema-registry.ts';
import { explainFailure } from '../adapters/aws/failure.ts';
import { S3Quarantine } from '../adapters/aws/s3-quarantine.ts';
import { createS3RedriveShelf } from '../adapters/aws/s3-redrive-shelf.ts';
import { PREFIXES } from '../core/aws-names.ts';
import type { Mirror, MirrorTable } from '../core/config.ts';
import type { Deployment } from '../core/contract.ts';
import { REDSHIFT_RPU_HOUR_USD } from '../core/cost/prices.ts';
import { costOf } from '../core/load-cadence.ts';
import type { RedriveShelf } from '../flows/redrive-ports.ts';
import type { Clients } from './clients.ts';
import { openClients } from './clients.ts';
import { deploymentOfMirror, regionOf } from './deployment.ts';
import type { DeployedOptions, DeployedStatus, LoadStatus, TableStatus, TargetName, TargetStatus } from './results.ts';
import { MOST_COUNTED } from './results.ts';
import { recentMetrics } from './recent-metrics.ts';
import type { RecentMetrics } from './recent-metrics.ts';

/** What a deployed mirror is doing now. It only reads, and waits for nothing. */
export async function statusOfDeployed(mirror: Mirror, options: DeployedOptions): Promise<DeployedStatus> {
  const clients = openClients(regionOf(mirror, options));
  try {
    const deployment = await deploymentOfMirror(mirror, clients, options);
    const names = mirror.tables.map((table) => table.name);
    const metrics = await recentMetrics(clients, deployment.mirror, names, Date.now());
    const asking: Asking = { clients, deployment, metrics, nowMillis: Date.now() };
    return {
      mirror: deployment.mirror,
      region: deployment.region,
      version: deployment.version,
      dashboard: deployment.dashboard,
      tables: await Promise.all(mirror.tables.map((table) => tableStatus(asking, table))),
      failedBatches: await countObjects(shelfOf(clients, deployment.controlBucket), PREFIXES.failedBatches),
      loads: await loadStatus(asking),
    };
  } finally {
    clients.close();
  }
}

interface Asking {
  readonly clients: Clients;
  readonly deployment: Deployment;
  readonly metrics: RecentMetrics;
  readonly nowMillis: number;
}

async function tableStatus(asking: Asking, { name }: MirrorTable): Promise<TableStatus> {
  const { clients, deployment, metrics } = asking;
  const registry = new DynamoDbSchemaRegistry(clients.dynamodb(), deployment.controlTable);
  const quarantinedObjects = await countObjects(
    shelfOf(clients, deployment.controlBucket),
    `${PREFIXES.quarantine}${name}/`,
  );
  return {
    table: name,
    columns: (await registry.newest(name))?.columns.length ?? 0,
    targets: await targetStatuses(asking, name),
    quarantined: await quarantinedByKind(asking, name, quarantinedObjects),
    quarantinedObjects,
    rescuedRows: metrics.rescuedRows.get(name) ?? 0,
    iteratorAgeMs: metrics.iteratorAgeMs.get(name) ?? null,
  };
}

async function targetStatuses(
  { clients, deployment, nowMillis }: Asking,
  table: string,
): Promise<Partial<Record<TargetName, TargetStatus>>> {
  const control = new ControlTable(clients.dynamodb(), deployment.controlTable);
  const places = { lakehouse: deployment.lakehouse, warehouse: deployment.warehouse };
  const prefixes = { lakehouse: PREFIXES.lakeErrors, warehouse: PREFIXES.stagingErrors };
  const statuses: Partial<Record<TargetName, TargetStatus>> = {};
  for (const target of ['lakehouse', 'warehouse'] as const) {
    const place = places[target];
    if (place === null) continue;
    const progress = await control.readProgress(table, target);
    const freshAtMillis = progress?.freshAtMillis ?? null;
    statuses[target] = {
      lagMs: freshAtMillis === null ? null : Math.max(0, nowMillis - freshAtMillis),
      changes: progress?.changes ?? 0,
      errorObjects: await countObjects(shelfOf(clients, place.bucket), `${prefixes[target]}${table}/`),
    };
  }
  return statuses;
}

/** Each object has to be read for its kinds. */
const MOST_READ = 200;

async function quarantinedByKind(
  { clients, deployment }: Asking,
  table: string,
  objects: number,
): Promise<TableStatus['quarantined']> {
  if (objects === 0) return {};
  return objects > MOST_READ ? null : new S3Quarantine(clients.s3(), deployment.controlBucket).counts(table);
}

async function loadStatus({ clients, deployment, nowMillis }: Asking): Promise<LoadStatus | null> {
  const { warehouse } = deployment;
  if (warehouse === null) return null;
  const control = new ControlTable(clients.dynamodb(), deployment.controlTable);
  const spend = await control.readLoadSpend(new Date(nowMillis).toISOString().slice(0, 10));
  const { baseCapacity } = warehouse.redshift;
  return {
    waiting: await queueDepth(clients, warehouse.queueUrl),
    deadLetters: await queueDepth(clients, warehouse.deadLetterUrl),
    wakeUpsToday: spend.wakeUps,
    billedSecondsToday: spend.billedSeconds,
    spentTodayUsd: baseCapacity === null ? null : costOf(spend.billedSeconds, baseCapacity, REDSHIFT_RPU_HOUR_USD),
  };
}

async function queueDepth(clients: Clients, queueUrl: string): Promise<number> {
  const command = new GetQueueAttributesCommand({
    QueueUrl: queueUrl,
    AttributeNames: ['ApproximateNumberOfMessages'],
  });
  try {
    return Number((await clients.sqs().send(command)).Attributes?.ApproximateNumberOfMessages ?? 0);
  } catch (thrown) {
    throw explainFailure(thrown, `ask how much waits in ${queueUrl}`);
  }
}

function shelfOf(clients: Clients, bucket: string): RedriveShelf {
  return createS3RedriveShelf(clients.s3(), bucket);
}

async function countObjects(shelf: RedriveShelf, prefix: string): Promise<number> {
  let count = 0;
  let after: string | null = null;
  do {
    const keys: readonly string[] = await shelf.keys(prefix, after);
    count += keys.length;
    after = keys.at(-1) ?? null;
  } while (after !== null && count < MOST_COUNTED);
  return Math.min(count, MOST_COUNTED);
}

import { setTimeout as delay } from 'node:timers/promises';
import { ControlTable } from '../adapters/aws/control-table.ts';
import { DynamoDbSchemaRegistry } from '../adapters/aws/dynamodb-schema-registry.ts';
import type { TypedRow } from '../core/change.ts';
import type { Mirror, MirrorTable } from '../core/config.ts';
import type { Deployment } from '../core/contract.ts';
import type { TableSchema } from '../core/schema.ts';
import { asAskedOfRedshift } from '../core/sql/rows-query.ts';
import { shapeCells } from '../core/sql/shape.ts';
import type { KeyHash } from '../core/change.ts';
import type { Target } from '../flows/ports.ts';
import type { Comparison, ReadSource } from '../flows/verify.ts';
import { MOST_SHOWN, compareTarget, digestSource, unshaped } from '../flows/verify.ts';
import type { Clients } from './clients.ts';
import { openClients } from './clients.ts';
import { deploymentOfMirror, regionOf } from './deployment.ts';
import { expectedRows, expectedRowsOf } from './expected-rows.ts';
import type { ExpectedTable } from './expected-rows.ts';
import { lakeRows, warehouseRows } from './held-rows.ts';
import type { DeployedDifference, DeployedOptions, DeployedVerifyReport, TargetName } from './results.ts';

/**
 * Compares every table of the source with each target, row by row and value by value. The source may be written to
 * meanwhile: what differs at first is compared once more, alone, after the targets have caught up.
 */
export async function verifyDeployed(mirror: Mirror, options: DeployedOptions): Promise<DeployedVerifyReport> {
  const clients = openClients(regionOf(mirror, options));
  try {
    const deployment = await deploymentOfMirror(mirror, clients, options);
    const verifying: Verifying = { mirror, clients, deployment, options };
    const tables: VerifiedTable[] = [];
    for (const table of mirror.tables) tables.push(await verifyTable(verifying, table));
    return {
      equal: tables.every((one) => one.isWhole && one.differences.length === 0),
      tables: tables.map((one) => one.report),
      differences: tables.flatMap((one) => one.differences).slice(0, MOST_SHOWN),
      valuesCompared: tables.reduce((sum, one) => sum + one.valuesCompared, 0),
      comparedAgain: tables.reduce((sum, one) => sum + one.comparedAgain, 0),
    };
  } finally {
    clients.close();
  }
}

interface Verifying {
  readonly mirror: Mirror;
  readonly clients: Clients;
  readonly deployment: Deployment;
  readonly options: DeployedOptions;
}

interface VerifiedTable {
  readonly report: DeployedVerifyReport['tables'][number];
  readonly differences: readonly DeployedDifference[];
  readonly valuesCompared: number;
  readonly comparedAgain: number;
  /** False where the table has no schema yet. */
  readonly isWhole: boolean;
}

/** One target of one table, as it is asked and compared. */
interface Held {
  readonly name: TargetName;
  rows(keyHashes: readonly KeyHash[] | null): Pick<Target, 'rows'>;
  /** What the target's engine, and the way that it is asked, make of a row. */
  readonly shape: (row: TypedRow) => TypedRow;
}

async function verifyTable(verifying: Verifying, table: MirrorTable): Promise<VerifiedTable> {
  const { clients, deployment, options } = verifying;
  const schema = await new DynamoDbSchemaRegistry(clients.dynamodb(), deployment.controlTable).newest(table.name);
  const nothing = { table: table.name, sourceRows: 0, targets: {}, checksum: '' };
  if (schema === null) return { report: nothing, differences: [], valuesCompared: 0, comparedAgain: 0, isWhole: false };
  options.log(`Reading the source of ${table.name}.`);
  const expected: ExpectedTable = { dynamodb: clients.dynamodb(), table, schema, deployment, signal: options.signal };
  const read = expectedRows(expected);
  const digest = await digestSource(read, schema);
  const targets: Partial<Record<TargetName, { readonly rows: number; readonly differences: number }>> = {};
  const differences: DeployedDifference[] = [];
  let [valuesCompared, comparedAgain] = [0, 0];
  for (const held of targetsOf(verifying, table, schema)) {
    options.log(`Comparing ${table.name} with the ${held.name}.`);
    const first = await compareTarget(held.rows(null), { digest, read }, schema, held.shape);
    const settled = await settledComparison(verifying, { expected, held, first });
    comparedAgain += settled === first ? 0 : first.differences;
    targets[held.name] = { rows: first.targetRows, differences: settled.differences };
    valuesCompared += first.targetRows * (schema.columns.length + 1);
    for (const { kind, key, columns } of settled.shown)
      differences.push({ table: table.name, target: held.name, kind, key, columns });
  }
  const report = { table: table.name, sourceRows: digest.rows.size, targets, checksum: digest.checksum };
  return { report, differences, valuesCompared, comparedAgain, isWhole: true };
}

function targetsOf({ clients, deployment }: Verifying, table: MirrorTable, schema: TableSchema): Held[] {
  const { lakehouse, warehouse, mirror } = deployment;
  const held: Held[] = [];
  if (lakehouse !== null) {
    const access = { client: clients.athena(), workgroup: lakehouse.workgroup, database: lakehouse.database };
    held.push({ name: 'lakehouse', rows: lakeRows(access, table.name), shape: unshaped });
  }
  if (warehouse !== null) {
    const access = { client: clients.redshiftData(), address: warehouse.redshift };
    const place = { mirror, table: table.name, viewSchema: warehouse.viewSchema };
    const shape = (row: TypedRow) => asAskedOfRedshift(shapeCells(row, schema, 'redshift'), schema);
    held.push({ name: 'warehouse', rows: warehouseRows(access, place), shape });
  }
  return held;
}

interface Differing {
  readonly expected: ExpectedTable;
  readonly held: Held;
  readonly first: Comparison;
}

/** What still differs once the target has caught up; the first comparison where more differs than can be named. */
async function settledComparison(verifying: Verifying, { expected, held, first }: Differing): Promise<Comparison> {
  const { shown, differences } = first;
  if (differences === 0 || differences > shown.length) return first;
  const { table, schema } = expected;
  await untilCaughtUp(verifying, table.name, held.name);
  const read: ReadSource = expectedRowsOf(expected, [...new Set(shown.map(({ key }) => key))]);
  const digest = await digestSource(read, schema);
  const rows = held.rows([...new Set(shown.map(({ keyHash }) => keyHash))]);
  return compareTarget(rows, { digest, read }, schema, held.shape);
}

const LOOK_AGAIN_MS = 5_000;
const LEAST_PATIENCE_MS = 5 * 60_000;

/** Waits until a target has all that was written up to now, or for five objectives. */
async function untilCaughtUp(verifying: Verifying, table: string, target: TargetName): Promise<void> {
  const { clients, deployment, mirror, options } = verifying;
  const control = new ControlTable(clients.dynamodb(), deployment.controlTable);
  const wantedMillis = Date.now();
  const patience = Math.max(LEAST_PATIENCE_MS, mirror.freshness.objectiveSeconds * 5_000);
  options.log(`Some rows of ${table} differ in the ${target}; waiting for it to catch up, to compare them once more.`);
  while (Date.now() < wantedMillis + patience) {
    const progress = await control.readProgress(table, target);
    if ((progress?.freshAtMillis ?? 0) >= wantedMillis) return;
    await delay(LOOK_AGAIN_MS, undefined, { signal: options.signal });
  }
  options.log(`The ${target} of ${table} has not caught up within ${patience / 60_000} min.`);
}

import type { AthenaAccess } from '../../adapters/aws/athena-statements.ts';
import type { GlueAccess } from '../../adapters/aws/glue-access.ts';
import { redshiftStatements } from '../../adapters/aws/redshift-data.ts';
import type { RedshiftAccess } from '../../adapters/aws/redshift-data.ts';
import type { Timing } from '../../adapters/aws/timing.ts';
import type { Mirror, MirrorTable } from '../../core/config.ts';
import type { Deployment } from '../../core/contract.ts';
import type { WarehouseStatements } from '../../flows/load-ports.ts';
import type { Clients } from '../../deployed/clients.ts';
import type { DeployedStatus, DeployedVerifyReport, DoctorReport } from '../../deployed/results.ts';
import type { SourceChange } from './source-changes.ts';

/** The deployed throw-away mirror, as a check may use it. */
export interface World {
  readonly clients: Clients;
  readonly mirror: Mirror;
  /** Its only table. */
  readonly table: MirrorTable;
  readonly deployment: Deployment;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  /** What was seen before the claims were gone through. */
  readonly seen: Seen;
  write(changes: readonly SourceChange[]): Promise<void>;
  /** Waits until all that was written is in every target. Throws GlasshouseError `unavailable` where it takes too long. */
  untilFresh(): Promise<void>;
  verify(): Promise<DeployedVerifyReport>;
}

export interface Seen {
  readonly doctor: DoctorReport;
  readonly status: DeployedStatus;
  readonly verified: DeployedVerifyReport;
  /** Changes that were written before. */
  readonly written: number;
  /** Epoch milliseconds when the first of them was. */
  readonly sinceMillis: number;
}

export type Lakehouse = NonNullable<Deployment['lakehouse']>;
export type Warehouse = NonNullable<Deployment['warehouse']>;

const STATEMENT_MS = 10 * 60_000;

export function athenaOf({ clients }: World, { workgroup, database }: Lakehouse): AthenaAccess {
  return { client: clients.athena(), workgroup, database };
}

export function glueOf({ clients }: World, { database, bucket }: Lakehouse): GlueAccess {
  return { client: clients.glue(), place: { database, bucket }, caller: 'the credentials of this test' };
}

export function redshiftOf({ clients }: World, { redshift }: Warehouse): RedshiftAccess {
  return { client: clients.redshiftData(), address: redshift };
}

export function statementsOf(world: World, warehouse: Warehouse): WarehouseStatements {
  return redshiftStatements(redshiftOf(world, warehouse));
}

/** When a statement that begins now has had time enough: epoch milliseconds. */
export function statementDeadline({ timing }: World): number {
  return timing.now() + STATEMENT_MS;
}

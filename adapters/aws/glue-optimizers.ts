import { CreateTableOptimizerCommand, UpdateTableOptimizerCommand } from '@aws-sdk/client-glue';
import { GlasshouseError } from '../../core/errors.ts';
import type { LiveTable } from '../../core/glue-live-table.ts';
import type { Optimizer } from '../../core/glue-optimizers.ts';
import { optimizersOf } from '../../core/glue-optimizers.ts';
import { changelogName } from '../../core/lake-tables.ts';
import type { LakeUpkeep } from '../../flows/register-ports.ts';
import { failureKind } from './failure.ts';
import type { GlueAccess } from './glue-access.ts';
import { callGlue, describeTable } from './glue-access.ts';
import { isNamed } from './glue-failure.ts';

export interface OptimizerRole {
  /** The role that Glue takes on to rewrite and delete the table's files. */
  readonly roleArn: string;
  /** How many days the old snapshots of state tables are kept. */
  readonly snapshotDays: number;
}

/** The table optimizers of the Glue Data Catalog. */
export class GlueOptimizers implements LakeUpkeep {
  private readonly access: GlueAccess;
  private readonly role: OptimizerRole;

  constructor(access: GlueAccess, role: OptimizerRole) {
    this.access = access;
    this.role = role;
  }

  async keepUp(table: string): Promise<void> {
    await this.keepUpOne('changelog', changelogName(table));
    await this.keepUpOne('state', table);
  }

  private async keepUpOne(kind: 'changelog' | 'state', name: string): Promise<void> {
    const live = await describeTable(this.access, name);
    if (live === null) {
      throw new GlasshouseError(
        'config',
        `The Glue table ${this.access.place.database}.${name} is missing, so its optimizers cannot be set. Deploy again with \`cdk deploy\`, which makes it.`,
      );
    }
    for (const optimizer of optimizersOf(kind, { ...this.role, location: live.location })) {
      await this.set(live, optimizer);
    }
  }

  private async set(live: LiveTable, { type, configuration }: Optimizer): Promise<void> {
    const request = {
      CatalogId: live.catalogId,
      DatabaseName: this.access.place.database,
      TableName: live.name,
      Type: type,
      TableOptimizerConfiguration: configuration,
    };
    const what = `set the ${type} optimizer of the Glue table ${live.name}`;
    await callGlue(
      this.access,
      what,
      async () => {
        try {
          await this.access.client.send(new CreateTableOptimizerCommand(request));
        } catch (thrown) {
          if (!isNamed(thrown, 'AlreadyExistsException')) throw thrown;
          await this.access.client.send(new UpdateTableOptimizerCommand(request));
        }
      },
      isRoleUnsettled,
    );
  }
}

/** Glue checks the optimizer's role at once, and says of one that was made a moment ago that it may not or cannot be used. */
function isRoleUnsettled(thrown: unknown): boolean {
  return failureKind(thrown) === 'unauthorised' || isNamed(thrown, 'ValidationException', 'InvalidInputException');
}

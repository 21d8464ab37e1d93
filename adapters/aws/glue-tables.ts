import { CreateTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue';
import { GlasshouseError } from '../../core/errors.ts';
import type { LiveTable } from '../../core/glue-live-table.ts';
import { typeText } from '../../core/glue-live-table.ts';
import type { LakePlace } from '../../core/glue-tables.ts';
import { checkOurs, createTableRequest, evolveRequest } from '../../core/glue-tables.ts';
import type { IcebergField, TableDefinition } from '../../core/iceberg/fields.ts';
import {
  CHANGELOG_DEFINITION,
  CHANGELOG_FIELDS,
  changelogName,
  stateDefinition,
  stateFields,
} from '../../core/lake-tables.ts';
import type { TableSchema } from '../../core/schema.ts';
import type { LakeCatalog, LakeColumn } from '../../flows/register-ports.ts';
import { backoffMs } from './backoff.ts';
import type { GlueAccess } from './glue-access.ts';
import { callGlue, describeTable } from './glue-access.ts';
import { isNamed, isOvertaken } from './glue-failure.ts';
import { systemTiming } from './timing.ts';

/** Changes of a table by others that an update may run into before it gives up. */
const MOST_CONFLICTS = 20;

/** The fields that every state table has: those that do not come from the source. */
const OWN_STATE_FIELDS = stateFields({ version: 0, columns: [] });

/** The tables of a lake in the Glue Data Catalog. */
export class GlueTables implements LakeCatalog {
  private readonly access: GlueAccess;

  constructor(access: GlueAccess) {
    this.access = access;
  }

  async ensure(table: string, schema: TableSchema): Promise<void> {
    await this.ensureOne(changelogName(table), CHANGELOG_DEFINITION, CHANGELOG_FIELDS);
    await this.ensureOne(table, stateDefinition(schema), OWN_STATE_FIELDS);
    await this.evolveState(table, schema);
  }

  async evolveState(table: string, schema: TableSchema): Promise<'unchanged' | 'evolved'> {
    const wanted = stateFields(schema);
    let outcome: 'unchanged' | 'evolved' = 'unchanged';
    for (let attempt = 1; attempt <= MOST_CONFLICTS; attempt++) {
      const live = await this.describe(table);
      if (live === null) throw missing(this.access.place, table);
      checkOurs(this.access.place, live, OWN_STATE_FIELDS);
      const request = evolveRequest(this.access.place, live, wanted);
      // Whatever the last update's reply was, what counts is what stands there now.
      if (request === null) return outcome;
      outcome = 'evolved';
      await callGlue(this.access, `add columns to the Glue table ${table}`, async () => {
        try {
          await this.access.client.send(new UpdateTableCommand(request));
        } catch (thrown) {
          if (!isOvertaken(thrown)) throw thrown;
          await pause(this.access, attempt);
        }
      });
    }
    throw new GlasshouseError(
      'conflict',
      `Could not add columns to the Glue table ${table}: it was changed by others, or did not keep what it was given, ` +
        `${MOST_CONFLICTS} times in a row. See in the table's versions in Glue who writes to it, and try again.`,
    );
  }

  async stateColumns(table: string): Promise<readonly LakeColumn[] | null> {
    const live = await this.describe(table);
    return live === null
      ? null
      : live.fields.map(({ Id, Name, Type }) => ({ id: Id, name: Name, type: typeText(Type) }));
  }

  private async ensureOne(name: string, definition: TableDefinition, fixed: readonly IcebergField[]): Promise<void> {
    const { client, place } = this.access;
    if ((await this.describe(name)) === null) {
      await callGlue(this.access, `create the Glue table ${name}`, async () => {
        try {
          await client.send(new CreateTableCommand(createTableRequest(place, name, definition)));
        } catch (thrown) {
          // Another was faster, or it was this one and its reply was lost: the check below tells whether it is ours.
          if (!isNamed(thrown, 'AlreadyExistsException')) throw thrown;
        }
      });
    }
    const live = await this.describe(name);
    if (live === null) throw missing(place, name);
    checkOurs(place, live, fixed);
  }

  private async describe(name: string): Promise<LiveTable | null> {
    return describeTable(this.access, name);
  }
}

/** Lets the other writer get ahead. */
async function pause({ timing = systemTiming }: GlueAccess, attempt: number): Promise<void> {
  await timing.wait(backoffMs(attempt, timing.chance()), new AbortController().signal);
}

function missing(place: LakePlace, name: string): GlasshouseError {
  return new GlasshouseError(
    'config',
    `The Glue table ${place.database}.${name} is missing, though the mirror made it. Deploy again with \`cdk deploy\`, which makes it anew.`,
  );
}

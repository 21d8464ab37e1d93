import { GetTableCommand, GlueClient } from '@aws-sdk/client-glue';
import type { LiveTable } from '../../core/glue-live-table.ts';
import { liveTable } from '../../core/glue-live-table.ts';
import type { LakePlace } from '../../core/glue-tables.ts';
import { quietly } from './clients.ts';
import { failureKind } from './failure.ts';
import type { Caller } from './glue-failure.ts';
import { explainGlueFailure, isNamed, isOvertaken } from './glue-failure.ts';
import type { Timing } from './timing.ts';
import { systemTiming } from './timing.ts';
import { withinDeadline } from './within-deadline.ts';

/** A client of Glue in the environment's region; the caller destroys it. */
export function openGlue(): GlueClient {
  return quietly(() => new GlueClient({}));
}

/** How Glue is reached. */
export interface GlueAccess {
  readonly client: GlueClient;
  readonly place: LakePlace;
  readonly caller: Caller;
  /** How long one call is tried again while Glue throttles it or cannot be reached. Default: 30 s. */
  readonly patienceMs?: number;
  /** How long a refusal is taken for a permission that has not spread yet, as just after a deployment. Default: 0. */
  readonly settleMs?: number;
  readonly timing?: Timing;
}

const DEFAULT_PATIENCE_MS = 30_000;

/** A table of the lake as Glue knows it now; null where it is missing. */
export async function describeTable(access: GlueAccess, name: string): Promise<LiveTable | null> {
  const { client, place } = access;
  return callGlue(access, `read the Glue table ${name}`, async () => {
    const command = new GetTableCommand({
      DatabaseName: place.database,
      Name: name,
      AttributesToGet: ['DEFAULT', 'LATEST_ICEBERG_METADATA'],
    });
    try {
      const { Table } = await client.send(command);
      return Table === undefined ? null : liveTable(place.database, name, Table);
    } catch (thrown) {
      if (isMissingTable(thrown)) return null;
      throw thrown;
    }
  });
}

/** Makes a call to Glue with patience, and explains why it failed for good. */
export async function callGlue<T>(
  access: GlueAccess,
  what: string,
  call: () => Promise<T>,
  isUnsettled: (thrown: unknown) => boolean = isRefusal,
): Promise<T> {
  const { timing = systemTiming, patienceMs = DEFAULT_PATIENCE_MS, settleMs = 0 } = access;
  const start = timing.now();
  const deadline = { timing, atMillis: start + patienceMs };
  try {
    return await withinDeadline(
      what,
      call,
      deadline,
      (thrown) => isOvertaken(thrown) || (isUnsettled(thrown) && timing.now() - start < settleMs),
    );
  } catch (thrown) {
    throw explainGlueFailure(thrown, what, access.caller);
  }
}

function isRefusal(thrown: unknown): boolean {
  return failureKind(thrown) === 'unauthorised';
}

/** A missing table has the same error as a missing database; its message begins with what is missing. */
function isMissingTable(thrown: unknown): boolean {
  return (
    isNamed(thrown, 'EntityNotFoundException') && !/^database\b/i.test(thrown instanceof Error ? thrown.message : '')
  );
}

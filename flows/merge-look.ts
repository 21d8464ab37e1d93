import type { Progress } from '../core/control.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { NewFiles } from '../core/iceberg/new-files.ts';
import type { MergePorts } from './merge-ports.ts';
import { TARGET, hasNews, mergeLease, recordFresh, watermarkOf } from './merge-progress.ts';

/** What a look found, by table: a merge was started, one is under way (or rests after a failure), or nothing is new. */
export type LookReport = Readonly<Record<string, 'started' | 'busy' | 'fresh' | 'failed'>>;

const MILLIS_PER_MINUTE = 60_000;
/** Step Functions takes names of 80 characters; a snapshot's id and the minutes since 1970 take 30 of them. */
const TABLE_CHARACTERS = 48;

/**
 * Looks at every table: starts the merge of one with something new, and records that one with nothing new is fresh. No
 * table keeps another from being looked at. Repeated, it changes nothing.
 * @throws GlasshouseError `unavailable` after all of them, where some could not be looked at; it names them.
 */
export async function lookForNews(ports: MergePorts, tables: readonly string[]): Promise<LookReport> {
  const found = await Promise.all(
    tables.map(async (table): Promise<readonly [string, LookReport[string]]> => {
      try {
        return [table, await lookAt(ports, table)];
      } catch (thrown) {
        ports.log.error('Could not look for what is new in a table', thrown, { table });
        ports.metrics.add('MergeFailures', 1, { table, target: TARGET });
        return [table, 'failed'];
      }
    }),
  );
  const failed = found.flatMap(([table, outcome]) => (outcome === 'failed' ? [table] : []));
  if (failed.length === 0) return Object.fromEntries(found);
  throw new GlasshouseError(
    'unavailable',
    `Could not look for what is new in ${failed.join(', ')}: the log says why, table by table. The next look tries again.`,
  );
}

async function lookAt(ports: MergePorts, table: string): Promise<LookReport[string]> {
  const atMillis = ports.now();
  const before = await ports.control.readProgress(table, TARGET);
  const files = await ports.files.newFiles(table, watermarkOf(before));
  if (files.upTo === null || !hasNews(files)) {
    await recordFresh(ports, table, { before, upTo: files.upTo, atMillis });
    ports.metrics.add('Freshness', 0, { table, target: TARGET });
    return 'fresh';
  }
  const behind = secondsBehind(before, files, atMillis);
  if (behind !== null) ports.metrics.add('Freshness', behind, { table, target: TARGET });
  const lease = await ports.control.readLease(mergeLease(table));
  if (lease !== null && lease.untilMillis > atMillis) return 'busy';
  // The minute is in the name, since a name stays used where its merge failed.
  const minute = Math.floor(atMillis / MILLIS_PER_MINUTE);
  await ports.machine.start(table, `${table.slice(0, TABLE_CHARACTERS)}-${files.upTo.snapshotId}-${minute}`);
  return 'started';
}

/** How long something has waited at most: since the table was last known to be fresh, or its oldest change was captured. */
function secondsBehind(before: Progress | null, files: NewFiles, atMillis: number): number | null {
  const captured = files.files.map((file) => file.capturedAt?.from ?? Infinity);
  const sinceMillis =
    before?.freshAtMillis ?? captured.reduce((least, micros) => Math.min(least, micros), Infinity) / 1000;
  return Number.isFinite(sinceMillis) ? Math.max(0, (atMillis - sinceMillis) / 1000) : null;
}

import type { MergeBegun, MergeInput, MergePlanNote } from '../core/contract.ts';
import type { Progress } from '../core/control.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { NewFiles } from '../core/iceberg/new-files.ts';
import type { TableSchema } from '../core/schema.ts';
import { athena } from '../core/sql/dialects/athena.ts';
import { athenaViewStatements, historyColumns, lakeViewNames, liveColumns } from '../core/sql/lake-views.ts';
import { MERGE_LIMITS, payloadBytes, planMerge } from '../core/sql/plans/merge.ts';
import type { LookReport } from './merge-look.ts';
import { lookForNews } from './merge-look.ts';
import type { MergePorts } from './merge-ports.ts';
import { TARGET, hasNews, mergeLease, recordFresh, watermarkOf } from './merge-progress.ts';

/** Who may merge one table, and which execution does. */
type Execution = Pick<Extract<MergeInput, { step: 'begin' }>, 'table' | 'execution'>;

const MILLIS_PER_MINUTE = 60_000;
/** Longer than all but the largest merges. Where one takes longer, another may begin beside it, and the later commit fails. */
export const LEASE_MINUTES = 60;
/** How long a table rests after a failure: statements that fail cost what they read. */
export const REST_MINUTES = 2;
const MOST_CONFLICTS = 5;

/** Does one step of the merge function. Any step may be repeated, and a merge may die after any of them. */
export async function runMergeStep(ports: MergePorts, input: MergeInput): Promise<LookReport | MergeBegun | null> {
  switch (input.step) {
    case 'look':
      return lookForNews(ports, input.tables);
    case 'begin':
      return beginMerge(ports, input);
    case 'finish':
      await finishMerge(ports, input, input.plan);
      return null;
    case 'fail':
      await failMerge(ports, input, input.error);
      return null;
  }
}

/**
 * Takes the lease of a table and plans its merge: new columns are added to the state at once, stale views come first among
 * the statements. Without statements there is nothing to finish: another has the lease, or nothing is new any more.
 */
export async function beginMerge(ports: MergePorts, { table, execution }: Execution): Promise<MergeBegun> {
  const { control, files: lake } = ports;
  const plannedAtMillis = ports.now();
  const until = plannedAtMillis + LEASE_MINUTES * MILLIS_PER_MINUTE;
  if (!(await control.takeLease(mergeLease(table), execution, plannedAtMillis, until))) return nothing(plannedAtMillis);
  const before = await control.readProgress(table, TARGET);
  const files = await lake.newFiles(table, watermarkOf(before));
  if (!hasNews(files)) {
    await recordFresh(ports, table, { before, upTo: files.upTo, atMillis: plannedAtMillis });
    await control.releaseLease(mergeLease(table), execution);
    return nothing(plannedAtMillis);
  }
  // After the files: whatever columns their changes have were registered before them.
  const schema = await newestSchema(ports, table);
  await ports.tables.evolveState(table, schema);
  const views = await staleViews(ports, table, schema);
  const merges = planMerge({ database: ports.database, table }, schema, files, { dialect: athena });
  if (payloadBytes([...views, ...merges]) > MERGE_LIMITS.payloadBytes && views.length > 0) {
    // The views of a wide table fill an execution of their own; the next one finds them made, and merges.
    return { statements: views.slice(0, 1), plan: { ...NOTHING, plannedAtMillis } };
  }
  ports.log.info('Planned a merge', {
    table,
    files: files.files.length,
    records: files.records,
    whole: files.whole ?? 'no',
  });
  return { statements: [...views, ...merges], plan: noteOf(files, plannedAtMillis) };
}

/** Records what a merge brought the table to, and gives the lease back. Where another has it by now, that one will record. */
export async function finishMerge(
  ports: MergePorts,
  { table, execution }: Execution,
  plan: MergePlanNote,
): Promise<void> {
  const { control } = ports;
  for (let attempt = 1; plan.upTo !== null; attempt++) {
    const before = await control.readProgress(table, TARGET);
    // A reply was lost: this is the repetition.
    if (before?.snapshotId === plan.upTo.snapshotId && before.sequence === plan.upTo.sequence) break;
    if ((await control.readLease(mergeLease(table)))?.owner !== execution) {
      ports.log.warn('A merge took so long that another has begun, which will record both', { table });
      return;
    }
    try {
      await control.writeProgress(table, TARGET, progressAfter(before, plan, plan.upTo), before);
      measure(ports, table, { before, plan });
      break;
    } catch (thrown) {
      // A look may record at the same time that the table was fresh.
      const isOvertaken = thrown instanceof GlasshouseError && thrown.code === 'conflict';
      if (!isOvertaken || attempt === MOST_CONFLICTS) throw thrown;
    }
  }
  await control.releaseLease(mergeLease(table), execution);
}

/** Counts a failure, and lets the table rest a little: the next look after it merges anew. */
export async function failMerge(ports: MergePorts, { table, execution }: Execution, error: string): Promise<void> {
  ports.log.error('A merge failed', undefined, { table, reason: error });
  ports.metrics.add('MergeFailures', 1, { table, target: TARGET });
  const now = ports.now();
  await ports.control.takeLease(mergeLease(table), execution, now, now + REST_MINUTES * MILLIS_PER_MINUTE);
}

const NOTHING = { upTo: null, files: 0, records: 0, newestCommittedAtMicros: null } as const;

function nothing(plannedAtMillis: number): MergeBegun {
  return { statements: [], plan: { ...NOTHING, plannedAtMillis } };
}

async function newestSchema(ports: MergePorts, table: string): Promise<TableSchema> {
  const schema = (await ports.registry.load(table)).at(-1);
  if (schema !== undefined) return schema;
  throw new GlasshouseError(
    'config',
    `The table ${table} has changes and no schema: its registration is missing. Deploy the mirror again with \`cdk deploy\`.`,
  );
}

/** What makes the views have the schema's columns; nothing where they have them. */
async function staleViews(ports: MergePorts, table: string, schema: TableSchema): Promise<readonly string[]> {
  const names = lakeViewNames(table);
  const [live, history] = await Promise.all([
    ports.files.viewColumns(names.live),
    ports.files.viewColumns(names.history),
  ]);
  const isStale = [!isSame(live, liveColumns(schema)), !isSame(history, historyColumns(schema))];
  return athenaViewStatements(table, ports.database, schema).filter((_, index) => isStale[index]);
}

function isSame(columns: readonly string[] | null, wanted: readonly string[]): boolean {
  return columns?.length === wanted.length && wanted.every((name, index) => name === columns[index]);
}

function noteOf(files: NewFiles, plannedAtMillis: number): MergePlanNote {
  const committed = files.files.flatMap((file) => (file.committedAt === null ? [] : [file.committedAt.to]));
  return {
    upTo: files.upTo,
    files: files.files.length,
    records: files.records,
    newestCommittedAtMicros: committed.reduce<number | null>(
      (newest, micros) => Math.max(newest ?? micros, micros),
      null,
    ),
    plannedAtMillis,
  };
}

function progressAfter(
  before: Progress | null,
  plan: MergePlanNote,
  upTo: NonNullable<MergePlanNote['upTo']>,
): Progress {
  return {
    ...upTo,
    newestCommittedAtMicros: newerOf(before?.newestCommittedAtMicros ?? null, plan.newestCommittedAtMicros),
    freshAtMillis: Math.max(before?.freshAtMillis ?? 0, plan.plannedAtMillis),
    changes: (before?.changes ?? 0) + plan.records,
  };
}

function newerOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function measure(
  ports: MergePorts,
  table: string,
  { before, plan }: { readonly before: Progress | null; readonly plan: MergePlanNote },
): void {
  ports.metrics.add('MergedChanges', plan.records, { table, target: TARGET });
  const newestMillis = (plan.newestCommittedAtMicros ?? 0) / 1000;
  // Late and redriven changes, committed before the table was last known to be fresh, say nothing of how fresh it is.
  const sinceMillis = newestMillis > (before?.freshAtMillis ?? 0) ? newestMillis : plan.plannedAtMillis;
  ports.metrics.add('Freshness', Math.max(0, (ports.now() - sinceMillis) / 1000), { table, target: TARGET });
}

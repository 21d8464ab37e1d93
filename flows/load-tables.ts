import { createHash } from 'node:crypto';
import { PREFIXES } from '../core/aws-names.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { LoadDecision } from '../core/load-cadence.ts';
import { decideLoad, wakeUpCost } from '../core/load-cadence.ts';
import type { PlannedLoad, StagedMessage } from '../core/load-plan.ts';
import { planLoads } from '../core/load-plan.ts';
import type { TableSchema } from '../core/schema.ts';
import type { EnvelopeDialect } from '../core/sql/plans/envelope-load.ts';
import { loadLimits, loadWeight } from '../core/sql/plans/envelope-load.ts';
import type { WarehouseTable } from '../core/sql/warehouse-table.ts';
import type { ControlStore, LoadInFlight, TableInFlight } from './control-store.ts';
import type { Log } from './log.ts';
import type { LoadBooks, ServerlessPrice } from './load-books.ts';
import { createBooks } from './load-books.ts';
import type { Manifests, StagedQueue, WarehouseStatements } from './load-ports.ts';
import type { LoadSubmission, Pursued } from './load-submission.ts';
import { createSubmission } from './load-submission.ts';
import type { Metrics } from './metrics.ts';
import type { SchemaRegistry } from './ports.ts';

export interface LoaderPorts {
  readonly statements: WarehouseStatements;
  readonly queue: StagedQueue;
  readonly manifests: Manifests;
  readonly control: ControlStore;
  readonly registry: SchemaRegistry;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface LoaderSettings {
  readonly mirror: string;
  readonly viewSchema: string;
  readonly sql: EnvelopeDialect;
  readonly objectiveSeconds: number;
  readonly dailyBudgetUsd: number;
  /** Null for a cluster, which is always awake. */
  readonly serverless: ServerlessPrice | null;
}

export interface LoadRun {
  /** Who runs: of two that have the same owner, the lease keeps neither out. */
  readonly owner: string;
  /** Epoch milliseconds by which it must have ended. */
  readonly deadlineMillis: number;
  /** The mirror's tables, whose freshness is measured; those that were met are known without. */
  readonly tables?: readonly string[];
}

/** What a run did, for the log. */
export interface LoadReport {
  readonly outcome: 'busy' | 'idle' | 'waiting' | 'running' | 'later' | 'loaded' | 'out of time';
  readonly loads: number;
  readonly changes: number;
  readonly reason?: string;
}

export interface Loader {
  run(run: LoadRun): Promise<LoadReport>;
}

/** A lease outlives its run by so much, so that a run that is a little late still has it. */
const LEASE_GRACE_MS = 30_000;
/** What a run leaves for writing down what it did. */
const CLOSING_MS = 5_000;
/** A load that is begun with less time than this would only be left to the next run. */
const LEAST_LOAD_MS = 15_000;
/** As long as a function can last: a notice shows up again if its run dies before it has recorded the load. */
const HIDE_SECONDS = 900;
/** Notices of one round, and objects of one load. */
const NOTICES_A_ROUND = 300;
/** A table that nobody has registered is looked for again after this time. */
const UNKNOWN_TABLE_SECONDS = 300;

/**
 * Loads what is staged into the warehouse: one run at a time, every table that waits in one wake-up. A notice is removed
 * only once its objects are known to be in; a record is written before each step that cannot be taken back, from which the next run goes on.
 * Keeps what it knows of the warehouse's tables between runs.
 */
export function createLoader(ports: LoaderPorts, settings: LoaderSettings): Loader {
  const { control, now } = ports;
  const tableOf = (table: string): WarehouseTable => ({ ...settings, table });
  const books = createBooks(control, ports.metrics, settings.serverless, now);
  const submission = createSubmission({ ...ports, books, sql: settings.sql, tableOf });
  const met = new Set<string>();

  return {
    async run(run) {
      const owned = await control.takeLease('load', run.owner, now(), run.deadlineMillis + LEASE_GRACE_MS);
      if (!owned) return { outcome: 'busy', loads: 0, changes: 0, reason: 'another run has the lease' };
      try {
        for (const table of run.tables ?? []) met.add(table);
        return await work({ ports, settings, books, submission, tableOf, met }, run);
      } catch (thrown) {
        for (const table of met) ports.metrics.add('LoadFailures', 1, { table, target: 'warehouse' });
        throw thrown;
      } finally {
        await control.releaseLease('load', run.owner);
      }
    },
  };
}

interface Workshop {
  readonly ports: LoaderPorts;
  readonly settings: LoaderSettings;
  readonly books: LoadBooks;
  readonly submission: LoadSubmission;
  readonly tableOf: (table: string) => WarehouseTable;
  /** The tables that are known to be the mirror's. */
  readonly met: Set<string>;
}

async function work(shop: Workshop, run: LoadRun): Promise<LoadReport> {
  const { ports, submission } = shop;
  const untilMillis = run.deadlineMillis - CLOSING_MS;
  const done = { loads: 0, changes: 0 };
  const left = await ports.control.readLoadInFlight();
  if (left !== null && Object.keys(left.tables).length > 0) {
    const end = await submission.pursue(left, false, untilMillis);
    if (!count(done, end)) return { ...done, ...unfinished(end) };
  }
  // Where the queue had more than was taken, the rest follows while the warehouse is awake.
  let hasMore = false;
  while (untilMillis - ports.now() >= LEAST_LOAD_MS) {
    const decision: LoadDecision = hasMore ? { load: true } : await decide(shop);
    if (!decision.load) return reportOf(done, decision);
    const received = await ports.queue.receive(NOTICES_A_ROUND, HIDE_SECONDS, untilMillis);
    reportStrays(ports, received.strays);
    if (received.messages.length === 0) return { ...done, outcome: done.loads > 0 ? 'loaded' : 'idle' };
    const end = await loadAll(shop, run, received.messages, untilMillis);
    for (const one of end) if (!count(done, one)) return { ...done, ...unfinished(one) };
    hasMore = !received.isDrained;
  }
  return { ...done, outcome: 'out of time' };
}

/** Looks at what waits, writes down how fresh the tables are, and decides. */
async function decide({ ports, settings, books, met }: Workshop): Promise<LoadDecision> {
  const { control, queue, now } = ports;
  const lookedAtMillis = now();
  const { waiting, hidden } = await queue.count();
  if (waiting === 0 && hidden === 0) await books.enterFresh([...met], lookedAtMillis);
  else await books.measure([...met]);
  const last = await control.readLoadInFlight();
  const { serverless } = settings;
  return decideLoad({
    waiting,
    oldestWaitingAtMillis: await waitingSince(control, [...met], last),
    lastLoadAtMillis: last?.submittedAtMillis ?? null,
    awakeUntilMillis: books.paidUntilMillis(last),
    spentTodayUsd: await books.spentTodayUsd(),
    objectiveSeconds: settings.objectiveSeconds,
    dailyBudgetUsd: settings.dailyBudgetUsd,
    wakeUpUsd: serverless === null ? 0 : wakeUpCost(serverless.baseCapacity, serverless.rpuHourUsd),
    nowMillis: lookedAtMillis,
  });
}

/** What waits has come since a look that found nothing, and since the last load, which took all that there was. */
async function waitingSince(
  control: ControlStore,
  tables: readonly string[],
  last: LoadInFlight | null,
): Promise<number> {
  const progress = await Promise.all(tables.map((table) => control.readProgress(table, 'warehouse')));
  const fresh = progress.map((one) => one?.freshAtMillis ?? -Infinity);
  return Math.max(last?.submittedAtMillis ?? -Infinity, ...fresh);
}

/** Loads what was received, one transaction after the other. What there is no time for is given back. */
async function loadAll(
  shop: Workshop,
  run: LoadRun,
  messages: readonly StagedMessage[],
  untilMillis: number,
): Promise<readonly Pursued[]> {
  const { ports, settings, submission, met } = shop;
  const schemas = await newestSchemas(shop, messages);
  const known = messages.filter(({ objects }) => objects.every(({ table }) => schemas.has(table)));
  for (const table of schemas.keys()) met.add(table);
  const loads = planLoads(known, (table) => weightOf(shop, table, schemas), {
    ...loadLimits(settings.mirror, settings.sql),
    objects: NOTICES_A_ROUND,
  });
  const ends: Pursued[] = [];
  for (const [index, planned] of loads.entries()) {
    const isLate = index > 0 && untilMillis - ports.now() < LEAST_LOAD_MS;
    const last = ends.at(-1);
    if (isLate || (last !== undefined && last.state !== 'done')) {
      await ports.queue.reappear(handlesOf(loads.slice(index)), 0);
      break;
    }
    const load = await record(shop, run, planned, schemas);
    ends.push(await submission.pursue(load, true, untilMillis));
  }
  return ends;
}

/** Writes the manifests, and then the record that a load was begun. */
async function record(
  { ports, met }: Workshop,
  run: LoadRun,
  planned: PlannedLoad,
  schemas: ReadonlyMap<string, TableSchema>,
): Promise<LoadInFlight> {
  const submittedAtMillis = ports.now();
  const number = await nextNumber(ports.control, [...met]);
  // Of two loaders that take the same number, neither may write the other's manifests.
  const own = createHash('sha256')
    .update(JSON.stringify([run.owner, submittedAtMillis, planned]))
    .digest('hex')
    .slice(0, 12);
  const tables: Record<string, TableInFlight> = {};
  for (const [table, { objectUrls, handles }] of Object.entries(planned)) {
    const key = `${PREFIXES.manifests}${table}/${number}-${own}.json`;
    const manifestUrl = await ports.manifests.write(key, objectUrls);
    tables[table] = { manifestUrl, objectUrls, schemaVersion: schemas.get(table)?.version ?? 0, handles };
  }
  const load: LoadInFlight = { load: number, statementId: null, submittedAtMillis, tables, attempts: 0 };
  await ports.control.writeLoadInFlight(load);
  return load;
}

async function nextNumber(control: ControlStore, tables: readonly string[]): Promise<number> {
  const last = await control.readLoadInFlight();
  if (last !== null) return last.load + 1;
  const progress = await Promise.all(tables.map((table) => control.readProgress(table, 'warehouse')));
  return Math.max(0, ...progress.map((one) => one?.sequence ?? 0)) + 1;
}

/** The schemas as they are now: what was staged was made with none that is newer. Messages about a table without one are put off. */
async function newestSchemas(
  { ports }: Workshop,
  messages: readonly StagedMessage[],
): Promise<ReadonlyMap<string, TableSchema>> {
  const schemas = new Map<string, TableSchema>();
  const tables = new Set(messages.flatMap(({ objects }) => objects.map(({ table }) => table)));
  for (const table of tables) {
    const newest = (await ports.registry.load(table)).at(-1);
    if (newest !== undefined) schemas.set(table, newest);
  }
  const homeless = messages.filter(({ objects }) => objects.some(({ table }) => !schemas.has(table)));
  if (homeless.length > 0) {
    const unknown = [...tables].filter((table) => !schemas.has(table));
    for (const table of unknown) ports.metrics.add('LoadFailures', 1, { table, target: 'warehouse' });
    ports.log.error(
      'Staged objects are of tables that have no schema; deploy the mirror again, or remove them',
      undefined,
      {
        tables: unknown,
        notices: homeless.length,
      },
    );
    await ports.queue.reappear(
      homeless.map((message) => message.handle),
      UNKNOWN_TABLE_SECONDS,
    );
  }
  return schemas;
}

function weightOf({ tableOf, settings }: Workshop, table: string, schemas: ReadonlyMap<string, TableSchema>): number {
  const schema = schemas.get(table);
  if (schema === undefined) return 0;
  const mark = { sequence: Number.MAX_SAFE_INTEGER, snapshotId: Number.MAX_SAFE_INTEGER };
  try {
    return loadWeight({ table: tableOf(table), schema, manifestUrl: LONGEST_URL, mark }, settings.sql);
  } catch (thrown) {
    // A table that cannot be planned has a load to itself, and fails in it.
    if (thrown instanceof GlasshouseError && thrown.code === 'config') return Infinity;
    throw thrown;
  }
}

/** A bucket has at most 63 characters, a manifest's key a table's name, a number and a few more. */
const LONGEST_URL = 'x'.repeat(400);

function reportStrays({ metrics, log }: LoaderPorts, strays: readonly string[]): void {
  if (strays.length === 0) return;
  metrics.add('LoadFailures', strays.length, { target: 'warehouse' });
  log.error('Notices in the queue tell of no staged object, and are left to become dead letters', undefined, {
    reasons: strays,
  });
}

/** Counts a load that is over; false where it is not. */
function count(done: { loads: number; changes: number }, end: Pursued): boolean {
  if (end.state !== 'done') return false;
  done.loads++;
  done.changes += end.changes;
  return true;
}

function unfinished(end: Pursued): Pick<LoadReport, 'outcome' | 'reason'> {
  switch (end.state) {
    case 'done':
      return { outcome: 'loaded' };
    case 'running':
      return { outcome: 'running', reason: 'the warehouse is still at it' };
    case 'later':
      return { outcome: 'later', reason: `a load failed; again at ${new Date(end.untilMillis).toISOString()}` };
  }
}

function reportOf(done: { loads: number; changes: number }, decision: LoadDecision & { load: false }): LoadReport {
  if (done.loads > 0) return { ...done, outcome: 'loaded' };
  if (decision.reason === 'nothing waits') return { ...done, outcome: 'idle' };
  const until = Number.isFinite(decision.untilMillis) ? ` until ${new Date(decision.untilMillis).toISOString()}` : '';
  return { ...done, outcome: 'waiting', reason: `${decision.reason}${until}` };
}

function handlesOf(loads: readonly PlannedLoad[]): readonly string[] {
  return [...new Set(loads.flatMap((load) => Object.values(load).flatMap(({ handles }) => handles)))];
}

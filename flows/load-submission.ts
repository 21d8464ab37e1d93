import { createHash } from 'node:crypto';
import type { LoadFailureKind } from '../core/load-failure.ts';
import { afterFailure, loadFailureKind, retryDelayMs } from '../core/load-failure.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { TableSchema } from '../core/schema.ts';
import type { EnvelopeDialect, LoadBatch } from '../core/sql/plans/envelope-load.ts';
import { planEnvelopeLoad } from '../core/sql/plans/envelope-load.ts';
import { loadQuery } from '../core/sql/plans/ledger.ts';
import type { WarehouseTable } from '../core/sql/warehouse-table.ts';
import type { ControlStore, LoadInFlight, TableInFlight } from './control-store.ts';
import type { Log } from './log.ts';
import type { LoadBooks, LoadedTable } from './load-books.ts';
import type { StagedQueue, WarehouseStatements } from './load-ports.ts';
import type { Metrics } from './metrics.ts';
import type { SchemaRegistry } from './ports.ts';
import { prepareWarehouse } from './prepare-warehouse.ts';

/** How a load stands when nothing more can be done about it now. */
export type Pursued =
  | { readonly state: 'done'; readonly changes: number }
  /** Redshift is still at it: the next run looks again. */
  | { readonly state: 'running' }
  /** It failed, and is tried again later. */
  | { readonly state: 'later'; readonly untilMillis: number };

export interface SubmissionParts {
  readonly statements: WarehouseStatements;
  readonly queue: StagedQueue;
  readonly control: ControlStore;
  readonly registry: SchemaRegistry;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly books: LoadBooks;
  readonly sql: EnvelopeDialect;
  readonly tableOf: (table: string) => WarehouseTable;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Messages of a load that is still under way stay hidden for so long: as long as a query may take before somebody is called. */
const HIDE_UNDER_WAY_SECONDS = 2 * 3600;

type Step = Pursued | { readonly state: 'next'; readonly load: LoadInFlight; readonly isNew: boolean };

interface Failure {
  /** As the warehouse says it. */
  readonly message: string;
  readonly kind: LoadFailureKind;
  /** Whose statement failed; null where that is not known, or was none's. */
  readonly table: string | null;
  readonly endedAtMillis: number;
}

export interface LoadSubmission {
  /**
   * Takes a recorded load as far as it goes: submits it unless it was submitted, waits for its end, and settles it. Safe at
   * every point of a load's life, since the record is written before each step and a load changes nothing when repeated.
   * `isNew`: nobody can have submitted it.
   */
  pursue(load: LoadInFlight, isNew: boolean, untilMillis: number): Promise<Pursued>;
}

export function createSubmission(parts: SubmissionParts): LoadSubmission {
  const { statements, queue, control, registry, metrics, log, books, sql, now } = parts;
  const preparation = prepareWarehouse(statements, sql.dialect);

  async function step(load: LoadInFlight, isNew: boolean, untilMillis: number): Promise<Step> {
    if (Object.keys(load.tables).length === 0) return { state: 'done', changes: 0 };
    if (load.statementId !== null) {
      const submission = await statements.describe(load.statementId, untilMillis);
      switch (submission.state) {
        case 'running':
          await queue.reappear(allHandles(load), HIDE_UNDER_WAY_SECONDS);
          return submission;
        case 'finished':
          return settle(load, await loadedTables(load, untilMillis), submission.endedAtMillis);
        case 'failed':
          return failed(load, {
            message: submission.message,
            kind: loadFailureKind(submission.message),
            table: await tableOfStatement(load, submission.statement),
            endedAtMillis: submission.endedAtMillis,
          });
        case 'unknown':
          break;
      }
    }
    const retryAtMillis = load.attempts === 0 ? 0 : load.submittedAtMillis + retryDelayMs(load.attempts);
    if (now() < retryAtMillis) return { state: 'later', untilMillis: retryAtMillis };
    return submit(load, isNew, untilMillis);
  }

  async function submit(load: LoadInFlight, isNew: boolean, untilMillis: number): Promise<Step> {
    const schemas = await schemasOf(load);
    for (const table of Object.keys(load.tables)) {
      const prepared = await preparation.bring(parts.tableOf(table), schemaIn(schemas, table), untilMillis);
      if (prepared.state === 'running') return prepared;
      if (prepared.state === 'failed') return failed(load, { ...prepared, table, endedAtMillis: now() });
    }
    if (!isNew) {
      // It may have been submitted by a run that died before it could say so. (While that one is at it, this waits.)
      const loaded = await loadedTables(load, untilMillis);
      if (loaded.size > 0) return settle(load, loaded, now());
    }
    const misfit = misfitOf(load, schemas);
    if (misfit !== null) return failed(load, { ...misfit, kind: 'setting', endedAtMillis: now() });
    const batch = planOf(load, schemas);
    const submittedAtMillis = now();
    const statementId = await statements.submit(batch.statements, tokenOf(load, batch.statements));
    const submitted = { ...load, statementId, submittedAtMillis };
    await control.writeLoadInFlight(submitted);
    return { state: 'next', load: submitted, isNew: false };
  }

  async function settle(
    load: LoadInFlight,
    loaded: ReadonlyMap<string, LoadedTable>,
    endedAtMillis: number,
  ): Promise<Step> {
    await queue.remove(allHandles(load));
    const changes = await books.enter(load, loaded, endedAtMillis);
    await control.writeLoadInFlight(overWith(load));
    return { state: 'done', changes };
  }

  async function failed(load: LoadInFlight, failure: Failure): Promise<Step> {
    const { message, kind, table } = failure;
    const attempts = load.attempts + 1;
    preparation.forget();
    for (const one of table === null ? Object.keys(load.tables) : [table])
      metrics.add('LoadFailures', 1, { table: one, target: 'warehouse' });
    log.error('A load failed', undefined, { load: load.load, table, attempts, kind, reason: message });
    await books.charge(load, failure.endedAtMillis);
    const after = afterFailure(kind, attempts, Object.keys(load.tables), table);
    if (after.next === 'again') {
      const again: LoadInFlight = { ...load, statementId: null, submittedAtMillis: now(), attempts };
      await control.writeLoadInFlight(again);
      return { state: 'later', untilMillis: again.submittedAtMillis + retryDelayMs(attempts) };
    }
    const rest = without(load, after.suspects, now());
    await control.writeLoadInFlight(rest);
    await queue.reappear(handlesOf(load, after.suspects), after.delayMs / 1000);
    return { state: 'next', load: rest, isNew: true };
  }

  async function loadedTables(load: LoadInFlight, untilMillis: number): Promise<ReadonlyMap<string, LoadedTable>> {
    const { mirror } = parts.tableOf('');
    const rows = await statements.query(loadQuery(mirror, load.load, sql.dialect), untilMillis);
    const found = new Map<string, LoadedTable>();
    for (const [table, mark, rowCount, applied, newest] of rows) {
      const part = load.tables[table ?? ''];
      // Another load may have had the number, if two loaders were at work.
      if (table === undefined || table === null || part === undefined) continue;
      if (mark !== String(loadMark(part.manifestUrl))) continue;
      found.set(table, {
        rows: Number(rowCount),
        applied: Number(applied),
        newestCommittedAtMicros: newest === null || newest === undefined ? null : Number(newest),
      });
    }
    return found;
  }

  async function schemasOf(load: LoadInFlight): Promise<ReadonlyMap<string, TableSchema>> {
    const schemas = new Map<string, TableSchema>();
    for (const [table, { schemaVersion }] of Object.entries(load.tables)) {
      const versions = await registry.load(table);
      const schema = versions.find((one) => one.version === schemaVersion);
      if (schema !== undefined) schemas.set(table, schema);
    }
    return schemas;
  }

  function planOf(load: LoadInFlight, schemas: ReadonlyMap<string, TableSchema>): LoadBatch {
    const loads = Object.entries(load.tables).map(([table, { manifestUrl }]) => ({
      table: parts.tableOf(table),
      schema: schemaIn(schemas, table),
      manifestUrl,
      mark: { sequence: load.load, snapshotId: loadMark(manifestUrl) },
    }));
    return planEnvelopeLoad(loads, sql);
  }

  /** The table whose part cannot be planned at all: its names or its columns are too many, or too long. */
  function misfitOf(
    load: LoadInFlight,
    schemas: ReadonlyMap<string, TableSchema>,
  ): { table: string; message: string } | null {
    for (const [table, part] of Object.entries(load.tables)) {
      try {
        planOf({ ...load, tables: { [table]: part } }, schemas);
      } catch (thrown) {
        if (thrown instanceof GlasshouseError && thrown.code === 'config') return { table, message: thrown.message };
        throw thrown;
      }
    }
    return null;
  }

  /** The plan is made anew: it follows from the record. */
  async function tableOfStatement(load: LoadInFlight, statement: number | null): Promise<string | null> {
    const [only, ...others] = Object.keys(load.tables);
    if (statement === null) return null;
    const table = planOf(load, await schemasOf(load)).tables[statement] ?? null;
    return table !== null && others.length === 0 ? (only ?? null) : table;
  }

  return {
    async pursue(load, isNew, untilMillis) {
      let at: Step = { state: 'next', load, isNew };
      while (at.state === 'next') {
        if (now() >= untilMillis) return { state: 'running' };
        at = await step(at.load, at.isNew, untilMillis);
      }
      return at;
    },
  };
}

/** What the ledger tells this load's row from others of its number by: 48 bits of a hash of its manifest, which has a name of its own. */
export function loadMark(manifestUrl: string): number {
  return parseInt(createHash('sha256').update(manifestUrl).digest('hex').slice(0, 12), 16);
}

/** The same statements in the same attempt are one submission, whoever submits them. */
function tokenOf(load: LoadInFlight, statements: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([load.load, load.attempts, statements]))
    .digest('hex');
}

/** The record of a load that is over. */
function overWith(load: LoadInFlight): LoadInFlight {
  return { ...load, statementId: null, tables: {}, attempts: 0 };
}

/** The load that is left when some tables are taken out of one, under the next number. */
function without(load: LoadInFlight, suspects: readonly string[], nowMillis: number): LoadInFlight {
  const released = new Set(handlesOf(load, suspects));
  const kept = Object.entries(load.tables).filter(([table]) => !suspects.includes(table));
  const tables = kept.map(([table, part]): [string, TableInFlight] => [
    table,
    // A message that told of a suspect's objects too is not removed with this load.
    { ...part, handles: (part.handles ?? []).filter((handle) => !released.has(handle)) },
  ]);
  return {
    load: load.load + 1,
    statementId: null,
    submittedAtMillis: nowMillis,
    tables: Object.fromEntries(tables),
    attempts: 0,
  };
}

function allHandles(load: LoadInFlight): readonly string[] {
  return handlesOf(load, Object.keys(load.tables));
}

function handlesOf(load: LoadInFlight, tables: readonly string[]): readonly string[] {
  return [...new Set(tables.flatMap((table) => load.tables[table]?.handles ?? []))];
}

function schemaIn(schemas: ReadonlyMap<string, TableSchema>, table: string): TableSchema {
  const schema = schemas.get(table);
  if (schema !== undefined) return schema;
  throw new GlasshouseError(
    'corrupt',
    `The schema that the load of ${table} was recorded with is not in the control table. Restore the control table to a point in time before it was damaged.`,
  );
}

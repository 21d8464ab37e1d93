import { LEAST_BILLED_SECONDS, costOf } from '../core/load-cadence.ts';
import type { Progress } from '../core/control.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { ControlStore, LoadInFlight } from './control-store.ts';
import type { Metrics } from './metrics.ts';

/** What loads are billed by; null for a provisioned cluster, which costs the same whether it loads or not. */
export interface ServerlessPrice {
  readonly baseCapacity: number;
  readonly rpuHourUsd: number;
}

/** What one table's part of a load came to, as the ledger has it. */
export interface LoadedTable {
  readonly rows: number;
  readonly applied: number;
  readonly newestCommittedAtMicros: number | null;
}

/** What the loader writes down of what it did: progress, measures, money. */
export interface LoadBooks {
  /** Enters a load that was done. Entered twice, it counts once in the progress. Returns the changes taken in. */
  enter(load: LoadInFlight, loaded: ReadonlyMap<string, LoadedTable>, endedAtMillis: number): Promise<number>;
  /** Enters that the warehouse was at work, for the load's tables in equal parts. */
  charge(load: LoadInFlight, untilMillis: number): Promise<void>;
  /** Enters that nothing waits: what was committed until then, and has been staged, is in the tables. */
  enterFresh(tables: readonly string[], atMillis: number): Promise<void>;
  /** Measures how old what readers see may be, where something waits. */
  measure(tables: readonly string[]): Promise<void>;
  /** Up to when the warehouse is paid for, since it was woken. */
  paidUntilMillis(last: LoadInFlight | null): number;
  spentTodayUsd(): Promise<number>;
}

/** How often it is written down that a table is fresh, where nothing happens. */
const FRESH_EVERY_MS = 30_000;

export function createBooks(
  control: ControlStore,
  metrics: Metrics,
  price: ServerlessPrice | null,
  now: () => number,
): LoadBooks {
  let paidUntil = -Infinity;

  async function charge(load: LoadInFlight, toMillis: number): Promise<void> {
    if (price === null) return;
    const fromMillis = load.submittedAtMillis;
    const isAwake = fromMillis < paidUntil;
    const billedMs = isAwake ? toMillis - paidUntil : Math.max(LEAST_BILLED_SECONDS * 1000, toMillis - fromMillis);
    paidUntil = Math.max(paidUntil, fromMillis + LEAST_BILLED_SECONDS * 1000, toMillis);
    const billedSeconds = Math.max(0, Math.ceil(billedMs / 1000));
    const tables = Object.keys(load.tables);
    for (const table of tables)
      metrics.add('LoadBilledSeconds', billedSeconds / tables.length, { table, target: 'warehouse' });
    await control.addLoadSpend(dayOf(toMillis), { wakeUps: isAwake ? 0 : 1, billedSeconds });
  }

  async function update(table: string, change: (before: Progress | null) => Progress | null): Promise<Progress | null> {
    const before = await control.readProgress(table, 'warehouse');
    const after = change(before);
    if (after === null) return before;
    try {
      await control.writeProgress(table, 'warehouse', after, before);
    } catch (thrown) {
      if (!(thrown instanceof GlasshouseError) || thrown.code !== 'conflict') throw thrown;
      // Another loader has written meanwhile. What it knows is added to, not overwritten.
      const newer = await control.readProgress(table, 'warehouse');
      const again = change(newer);
      if (again !== null) await control.writeProgress(table, 'warehouse', again, newer);
    }
    return after;
  }

  async function enterTable(table: string, load: LoadInFlight, loaded: LoadedTable | undefined): Promise<void> {
    const snapshotId = load.tables[table]?.manifestUrl ?? '';
    const progress = await update(table, (before) => {
      if (before?.snapshotId === snapshotId) return null;
      return {
        sequence: Math.max(before?.sequence ?? 0, load.load),
        snapshotId,
        newestCommittedAtMicros: newest(before?.newestCommittedAtMicros, loaded?.newestCommittedAtMicros),
        freshAtMillis: before?.freshAtMillis ?? null,
        changes: (before?.changes ?? 0) + (loaded?.rows ?? 0),
      };
    });
    metrics.add('LoadedChanges', loaded?.rows ?? 0, { table, target: 'warehouse' });
    addFreshness(table, progress);
  }

  /** Up to its last fresh moment a table lacks nothing; after it, what is newer than the newest commit may be missing. */
  function addFreshness(table: string, progress: Progress | null): void {
    const known = Math.max((progress?.newestCommittedAtMicros ?? 0) / 1000, progress?.freshAtMillis ?? 0);
    if (known > 0) metrics.add('Freshness', Math.max(0, now() - known) / 1000, { table, target: 'warehouse' });
  }

  return {
    charge,
    async enter(load, loaded, endedAtMillis) {
      for (const table of Object.keys(load.tables)) await enterTable(table, load, loaded.get(table));
      await charge(load, endedAtMillis);
      return [...loaded.values()].reduce((sum, table) => sum + table.rows, 0);
    },
    async enterFresh(tables, atMillis) {
      for (const table of tables) {
        await update(table, (before) =>
          before !== null && atMillis - (before.freshAtMillis ?? 0) < FRESH_EVERY_MS
            ? null
            : { ...(before ?? NOTHING_LOADED), freshAtMillis: atMillis },
        );
        metrics.add('Freshness', 0, { table, target: 'warehouse' });
      }
    },
    async measure(tables) {
      for (const table of tables) addFreshness(table, await control.readProgress(table, 'warehouse'));
    },
    paidUntilMillis: (last) =>
      price === null
        ? -Infinity
        : Math.max(paidUntil, (last?.submittedAtMillis ?? -Infinity) + LEAST_BILLED_SECONDS * 1000),
    async spentTodayUsd() {
      if (price === null) return 0;
      const { billedSeconds } = await control.readLoadSpend(dayOf(now()));
      return costOf(billedSeconds, price.baseCapacity, price.rpuHourUsd);
    },
  };
}

const NOTHING_LOADED: Progress = {
  sequence: 0,
  snapshotId: '',
  newestCommittedAtMicros: null,
  freshAtMillis: null,
  changes: 0,
};

function newest(a: number | null | undefined, b: number | null | undefined): number | null {
  if (a === null || a === undefined) return b ?? null;
  return b === null || b === undefined ? a : Math.max(a, b);
}

/** `2026-11-22`, in UTC. */
function dayOf(millis: number): string {
  return new Date(millis).toISOString().slice(0, 10);
}

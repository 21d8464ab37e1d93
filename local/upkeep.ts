import { messageOf } from '../core/errors.ts';
import { maintainTable } from './maintain-table.ts';
import type { OpenTable, Workspace } from './workspace.ts';

/** Every so many applies a table's small files become large ones, and old snapshots go. */
const APPLIES_BETWEEN = 150;

/** Keeps the files of a running mirror few. */
export interface Upkeep {
  watch(table: OpenTable): void;
  /** Counts an apply; begins upkeep in the background when it is due. */
  applied(): void;
  /** Waits for upkeep that is under way. */
  settle(): Promise<void>;
}

export function createUpkeep(workspace: Workspace, log: (line: string) => void): Upkeep {
  let table: OpenTable | null = null;
  let applies = 0;
  let running: Promise<void> | null = null;
  const tidy = async (watched: OpenTable): Promise<void> => {
    try {
      await maintainTable(workspace.duck, watched, { keepSnapshots: 20, nowMs: Date.now() });
    } catch (thrown) {
      // The mirror is right without it, and it is tried again; only the number of files grows meanwhile.
      log(`Upkeep did not succeed and will be tried again: ${messageOf(thrown)}`);
    }
  };
  return {
    watch: (watched) => {
      table = watched;
    },
    applied: () => {
      applies++;
      if (table === null || running !== null || applies < APPLIES_BETWEEN) return;
      applies = 0;
      running = tidy(table).finally(() => {
        running = null;
      });
    },
    settle: async () => {
      await running;
    },
  };
}

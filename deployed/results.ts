import type { RedriveReport } from '../core/redrive-page.ts';
import type { Check } from './doctor/check.ts';

/** What the commands ask of a deployed mirror, and what they get. Plain data: `cli/` prints it, or writes it as JSON. */

export type TargetName = 'lakehouse' | 'warehouse';

export interface DeployedOptions {
  /** The deployed mirror's name, where it is not the configuration's. */
  readonly mirror: string | null;
  readonly region: string | null;
  readonly signal: AbortSignal;
  /** A line for the user that is not the result. */
  readonly log: (line: string) => void;
}

export interface DoctorReport {
  readonly mirror: string;
  readonly region: string | null;
  readonly checks: readonly Check[];
  readonly wrong: number;
  readonly warnings: number;
}

export interface RedriveResult {
  readonly counts: RedriveReport;
  /** Why things were left, each once. */
  readonly notes: readonly string[];
}

export interface TargetStatus {
  /** A reader of the target sees everything up to so long ago; null before the first merge or load. */
  readonly lagMs: number | null;
  /** Changes taken in, ever. */
  readonly changes: number;
  /** Objects of what Firehose could not deliver, at most `MOST_COUNTED`. */
  readonly errorObjects: number;
}

export interface TableStatus {
  readonly table: string;
  /** 0 where nothing is registered yet. */
  readonly columns: number;
  readonly targets: Partial<Record<TargetName, TargetStatus>>;
  /** Set-aside records by kind of reason; null where there are too many objects to read them all. */
  readonly quarantined: Readonly<Record<string, number>> | null;
  /** At most `MOST_COUNTED`. */
  readonly quarantinedObjects: number;
  /** Rows that had something rescued, in the last 24 hours. */
  readonly rescuedRows: number;
  /** How far capture is behind the stream, at most, in the last 15 minutes; null where it did not run. */
  readonly iteratorAgeMs: number | null;
}

export interface LoadStatus {
  /** Notices of staged objects. */
  readonly waiting: number;
  readonly deadLetters: number;
  readonly wakeUpsToday: number;
  readonly billedSecondsToday: number;
  /** In US dollars of us-east-1; null for a cluster, which is always on. */
  readonly spentTodayUsd: number | null;
}

export interface DeployedStatus {
  readonly mirror: string;
  readonly region: string;
  /** The version of Glasshouse that deployed it. */
  readonly version: string;
  readonly dashboard: string;
  readonly tables: readonly TableStatus[];
  /** Batches that Lambda gave up on. */
  readonly failedBatches: number;
  /** Null where there is no warehouse. */
  readonly loads: LoadStatus | null;
}

/** Objects are counted no further. */
export const MOST_COUNTED = 1000;

/** One row in which a target and the source are not equal. */
export interface DeployedDifference {
  readonly table: string;
  readonly target: TargetName;
  /** `missing`: the target lacks it; `extra`: the source lacks it; `different`: `columns` says where. */
  readonly kind: 'missing' | 'extra' | 'repeated' | 'different';
  readonly key: string;
  readonly columns: readonly { readonly column: string; readonly source: string; readonly target: string }[];
}

export interface DeployedVerifyReport {
  readonly equal: boolean;
  readonly tables: readonly {
    readonly table: string;
    readonly sourceRows: number;
    readonly targets: Partial<Record<TargetName, { readonly rows: number; readonly differences: number }>>;
    /** Of the source's rows, independent of their order. */
    readonly checksum: string;
  }[];
  /** The first 100. */
  readonly differences: readonly DeployedDifference[];
  readonly valuesCompared: number;
  /** Rows that differed at first, and were compared once more after the target had caught up. */
  readonly comparedAgain: number;
}

export interface DeployedMaintainReport {
  readonly isDryRun: boolean;
  /** In order: each statement, and how it ended (null: it was not run). */
  readonly statements: readonly {
    readonly table: string;
    readonly sql: string;
    readonly scannedBytes: number | null;
  }[];
  /** What is not done here, and why. */
  readonly notes: readonly string[];
}

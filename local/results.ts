import type { Column } from '../core/column.ts';

/** What the commands ask the embedded runtime for, and what it answers. Plain data: `cli/` prints it, or writes it as JSON. */

export type TargetName = 'lakehouse' | 'warehouse';

/** How far a running command is. Sent at most some times a second. */
export interface ProgressEvent {
  /** What is being done now, in a word or two: `replaying`, `streaming`, `merging`. */
  readonly phase: string;
  /** Records taken in since the start. */
  readonly records: number;
  /** How many there will be, where that is known. */
  readonly total?: number;
  /** Records a second, lately. */
  readonly perSecond: number;
  readonly quarantined: number;
  /** Now minus the commit time of the newest change that a reader of the target sees; null where there is none yet. */
  readonly lagMs: Readonly<Record<TargetName, number | null>>;
  /** The time left, where it is known. */
  readonly etaMs?: number;
}

/** What every command gets. */
export interface CommonOptions {
  /** The absolute path of the mirror's folder. */
  readonly dir: string;
  /** Aborted by the first SIGINT or SIGTERM: finish what is begun, and come to an end. */
  readonly signal: AbortSignal;
  readonly onProgress: (event: ProgressEvent) => void;
  /** A line for the user that is not the result; it goes to standard error. */
  readonly log: (line: string) => void;
}

export interface ReplayRequest {
  /** Paths; `-` is standard input. */
  readonly files: readonly string[];
  /** The mirror's name of the table. */
  readonly table: string;
  /** The names of the key attributes, in key order. */
  readonly key: readonly string[];
  readonly targets: readonly TargetName[];
  /** Whether a quarantined record makes the command fail at its end. */
  readonly strict: boolean;
}

export interface DemoRequest {
  /** Items that the shop has at first. */
  readonly items: number;
  /** Changes that are written after that. */
  readonly changes: number;
  /** Changes a second. */
  readonly rate: number;
  readonly seed: number;
}

export interface TableSummary {
  readonly table: string;
  /** Records that were read, whatever became of them. */
  readonly records: number;
  /** Changes that reached the changelog. */
  readonly changes: number;
  /** Rows that each target has now. */
  readonly rows: Partial<Record<TargetName, number>>;
  /** Records set aside, by kind of reason. */
  readonly quarantined: Readonly<Record<string, number>>;
  /** Rows with at least one value that did not fit its column. */
  readonly rescued: number;
}

export interface RunSummary {
  readonly tables: readonly TableSummary[];
  readonly seconds: number;
  readonly perSecond: number;
  readonly peakMemoryBytes: number;
}

/** One row in which a target and the source are not equal. */
export interface Difference {
  readonly table: string;
  readonly target: TargetName;
  /** `missing`: the target lacks it; `extra`: the source lacks it; `different`: `columns` says where. */
  readonly kind: 'missing' | 'extra' | 'repeated' | 'different';
  readonly key: string;
  readonly columns?: readonly { readonly column: string; readonly source: string; readonly target: string }[];
}

export interface VerifyReport {
  readonly equal: boolean;
  readonly tables: readonly {
    readonly table: string;
    readonly sourceRows: number;
    readonly targets: Partial<Record<TargetName, { readonly rows: number; readonly differences: number }>>;
    /** Of the source's rows, independent of their order. */
    readonly checksum: string;
  }[];
  /** The first 100. */
  readonly differences: readonly Difference[];
  readonly valuesCompared: number;
}

export interface StatusReport {
  readonly mirror: string;
  readonly dir: string;
  readonly tables: readonly {
    readonly table: string;
    readonly rows: Partial<Record<TargetName, number>>;
    /** Envelopes in the changelog. */
    readonly changes: number;
    readonly lagMs: Partial<Record<TargetName, number | null>>;
    readonly quarantined: Readonly<Record<string, number>>;
    readonly rescuedRows: number;
    readonly bytes: Partial<Record<TargetName, number>>;
    readonly columns: number;
  }[];
  readonly warehouseUrl: string | null;
  readonly sourceEndpoint: string | null;
}

/** Values as exact text; null where there is none. */
export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export interface MaintainReport {
  readonly tables: readonly {
    readonly table: string;
    readonly filesBefore: number;
    readonly filesAfter: number;
    readonly bytesBefore: number;
    readonly bytesAfter: number;
    readonly snapshotsExpired: number;
    readonly orphansRemoved: number;
  }[];
}

/** What became of the records of quarantine that were captured again. */
export interface LocalRedriveReport {
  readonly tables: readonly {
    readonly table: string;
    readonly found: number;
    readonly redriven: number;
    /** Still set aside. */
    readonly refused: number;
  }[];
}

export interface SchemaReport {
  readonly version: number;
  readonly columns: readonly Column[];
}

export interface DemoReport {
  readonly run: RunSummary;
  readonly verify: VerifyReport;
  /** Changes that the shop wrote, its first items included. */
  readonly writtenChanges: number;
  /** Milliseconds from a write's acknowledgement to its being seen in the target. */
  readonly freshnessMs: Partial<Record<TargetName, { readonly p50: number; readonly p95: number }>>;
  /** Queries that can be pasted, with what they answered. */
  readonly queries: readonly {
    readonly title: string;
    readonly target: TargetName;
    readonly sql: string;
    readonly result: QueryResult;
  }[];
  readonly lakehouseDir: string;
  readonly warehouseUrl: string | null;
  readonly seconds: number;
}

import type { Envelope } from '../core/envelope.ts';
import type { RedriveTableNote } from '../core/redrive-page.ts';
import type { TableSchema } from '../core/schema.ts';
import type { Capture } from './capture.ts';
import type { Metrics } from './metrics.ts';
import type { Quarantine } from './ports.ts';

/** The objects of one bucket, as redrive works through them. Every call may be repeated after a lost reply. */
export interface RedriveShelf {
  readonly bucket: string;
  /** Keys below a prefix in their order, those after `after`: some of them, or none at the end. */
  keys(prefix: string, after: string | null): Promise<readonly string[]>;
  /** What an object holds, unpacked; null where it is gone. */
  read(key: string): Promise<Uint8Array | null>;
  /** Keeps an object as it is below `redriven/`, and leaves `rest` in its place; with null nothing is left in its place. */
  settle(key: string, rest: string | null): Promise<void>;
}

/** One mirrored table, into which records are sent again. */
export interface RedriveTable {
  readonly capture: Capture;
  /** Hands changes to every target of the mirror; what is refused in part is sent again, and a return means that all were taken. */
  deliver(changes: readonly Envelope[], schema: TableSchema): Promise<void>;
  /** Puts lines that were made before to one target again; a return means that all were taken. */
  putLines(target: 'lakehouse' | 'warehouse', lines: readonly string[]): Promise<void>;
}

/** Notices that the loader gave up on. */
export interface DeadLetters {
  /** Sends some of them back to the loader's queue, each at least once: how many there were, and how many were sent. None were found: there are no more. */
  sendBack(): Promise<{ readonly found: number; readonly sent: number }>;
}

export interface RedriveParts {
  readonly control: RedriveShelf;
  /** Null where the mirror has no lakehouse. */
  readonly lake: RedriveShelf | null;
  /** Null where the mirror has no warehouse, as is the next. */
  readonly staging: RedriveShelf | null;
  readonly deadLetters: DeadLetters | null;
  /** Takes what is refused of a failed batch, as capture's own does. */
  readonly quarantine: Quarantine;
  /** Opens a table; null where it has no schema yet. */
  openTable(note: RedriveTableNote): Promise<RedriveTable | null>;
  /** The envelopes of a Parquet file. Throws GlasshouseError `corrupt` where it is no such file. */
  readEnvelopes(parquet: Uint8Array): Promise<readonly Envelope[]>;
  readonly metrics: Metrics;
  readonly nowMillis: () => number;
  /** Whether another object may be begun. */
  readonly hasTime: () => boolean;
}

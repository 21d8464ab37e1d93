import type { Cell } from './column.ts';
import type { Version } from './version.ts';

export type Operation = 'insert' | 'update' | 'delete' | 'snapshot';

/** Who made a change: a `ttl` delete is told from a user's. */
export type Cause = 'user' | 'ttl' | 'redrive' | 'snapshot';

/** Hex SHA-256 of the canonical key, first 32 digits: what every merge joins on. */
export type KeyHash = string & { readonly brand: 'KeyHash' };

/** What happened to one key at one version. Made once, where the change is captured. */
export interface Change {
  /** Canonical JSON array of the key values, in key order: `["c#17","2026-11-22"]`. */
  readonly key: string;
  readonly keyHash: KeyHash;
  readonly version: Version;
  readonly operation: Operation;
  /** Epoch microseconds, when the source committed it. */
  readonly committedAtMicros: number;
  /** The schema version that `row` was normalised to. */
  readonly schemaVersion: number;
  /** The row after the change as canonical JSON; null for a delete. */
  readonly row: string | null;
  readonly cause: Cause;
}

/** The typed values of a row: one cell for each column of its schema, in column order, and what was rescued. */
export interface TypedRow {
  readonly cells: readonly Cell[];
  /** Canonical JSON of what did not fit, by attribute name, as typed DynamoDB values; null where all did. */
  readonly rescued: string | null;
}

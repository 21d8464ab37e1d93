import type { Cell } from '../core/column.ts';
import type { Change, KeyHash, TypedRow } from '../core/change.ts';
import type { SnapshotPoint } from '../core/dynamodb/normalise.ts';
import type { Image } from '../core/dynamodb/stream-record.ts';
import type { FaultKind } from '../core/dynamodb/fault.ts';
import type { Envelope } from '../core/envelope.ts';
import type { TableSchema } from '../core/schema.ts';
import type { Version } from '../core/version.ts';

/** How far one shard was read: after a sequence number, or to its end. A shard that is not named has not been read. */
export type ShardPosition = { readonly after: string } | { readonly finished: true };

/** How far one stream was read. What a restart begins from; written only after what it covers is durable. */
export interface StreamPositions {
  readonly streamArn: string;
  readonly shards: Readonly<Record<string, ShardPosition>>;
}

/** Where a record came from, for messages and quarantine: a shard and sequence number, or a file and line. */
export type Place =
  | { readonly kind: 'stream'; readonly shardId: string; readonly sequenceNumber: string }
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly index?: number }
  | { readonly kind: 'scan'; readonly table: string };

/**
 * Something the source delivered, not checked yet: a DynamoDB stream record as Lambda gets it, parsed or as its JSON text;
 * an item of a snapshot; or what could not be read as any of these.
 */
export type Delivered =
  | { readonly kind: 'record'; readonly record: unknown; readonly place: Place }
  | { readonly kind: 'text'; readonly text: string; readonly place: Place }
  | { readonly kind: 'item'; readonly item: Image; readonly snapshot: SnapshotPoint; readonly place: Place }
  | {
      readonly kind: 'unreadable';
      readonly fault: FaultKind;
      readonly reason: string;
      readonly raw: string;
      readonly place: Place;
    };

/** Some deliveries, and the positions that a restart may begin from once they are durable (null where the source has none, as files). */
export interface SourceBatch {
  readonly deliveries: readonly Delivered[];
  /** Changes that were captured already where they were read. */
  readonly captured?: readonly Envelope[];
  readonly positions: StreamPositions | null;
}

/**
 * Delivers a source from given positions on (null: from its beginning). A restart may deliver again what was delivered
 * after the positions; nothing is passed over: a gap is thrown as a GlasshouseError `gap`. The next batch is read only
 * when it is asked for, save for a bounded read-ahead.
 */
export interface ChangeSource {
  batches(from: StreamPositions | null, signal: AbortSignal): AsyncIterable<SourceBatch>;
}

/** A place in the changelog: what a merge or load has taken in. Rises with every append. */
export interface ChangelogMark {
  /** The Iceberg sequence number of the append. */
  readonly sequence: number;
  readonly snapshotId: number;
}

/** Proof that an append is on disk; a checkpoint can be written only with one. */
export interface Durable {
  readonly mark: ChangelogMark;
  readonly rows: number;
}

/**
 * Appends envelopes, with the positions they bring the source to, in one commit. What fails in part is retried whole:
 * the changelog may hold a change twice, never lose one.
 */
export interface Changelog {
  append(envelopes: readonly Envelope[], positions: StreamPositions | null): Promise<Durable>;
  /** The positions of the newest append that had any, and its mark; null where there is none. */
  positions(): Promise<StreamPositions | null>;
  /** What was appended after a mark (null: everything retained), in pieces of bounded size, oldest append first. */
  readAfter(mark: ChangelogMark | null): AsyncIterable<ChangelogPiece>;
  /** The mark of the newest append; null for an empty changelog. */
  newest(): Promise<ChangelogMark | null>;
}

/** Some changes of the changelog, and the mark that a reader stands at once it has taken them in (null inside an append). */
export interface ChangelogPiece {
  readonly changes: readonly Envelope[];
  readonly mark: ChangelogMark | null;
}

/** A change as a target takes it. */
export interface TypedChange {
  readonly change: Change;
  /** Its typed row; null for a delete. It may be made anew each time it is asked for: ask once, and do not keep it longer than needed. */
  readonly row: TypedRow | null;
}

/** What a merge or load did. */
export interface Applied {
  /** Changes that were newer than what the target held. */
  readonly applied: number;
  /** Changes that the target had already, or had newer. */
  readonly stale: number;
}

/**
 * A target of the mirror. `apply` takes the newest change of each key, and makes those that are newer than what it holds
 * visible in one commit, together with the mark. Applied twice it changes nothing. A lost reply may be repeated.
 */
export interface Target {
  /** The mark of the last `apply`; null before the first. */
  mark(): Promise<ChangelogMark | null>;
  apply(changes: readonly TypedChange[], schema: TableSchema, mark: ChangelogMark): Promise<Applied>;
  /** Every current row (no tombstones), in any order, in pieces of bounded size. */
  rows(schema: TableSchema): AsyncIterable<readonly TargetRow[]>;
}

/** A row as a target holds it: cells in the order of the schema that was asked with. */
export interface TargetRow {
  readonly keyHash: KeyHash;
  readonly version: Version;
  readonly cells: readonly Cell[];
  readonly rescued: string | null;
}

/** Keeps the schemas of the mirrored tables. `save` is a compare-and-set: it throws GlasshouseError `conflict` where the stored version is not `schema.version - 1`. */
export interface SchemaRegistry {
  /** Every version of the table's schema, oldest first; empty where the table is new. */
  load(table: string): Promise<readonly TableSchema[]>;
  save(table: string, schema: TableSchema): Promise<void>;
}

/** A record that was set aside, and why. */
export interface QuarantineEntry {
  readonly table: string;
  readonly reason: string;
  /** A stable word for the kind of reason, for counts. */
  readonly kind: string;
  readonly place: Place;
  /** The record as it came: JSON text, or the raw line. */
  readonly raw: string;
  readonly quarantinedAtMillis: number;
}

/** Sets records aside, durably. May hold an entry twice after a retry, never lose one. */
export interface Quarantine {
  put(entries: readonly QuarantineEntry[]): Promise<void>;
  /** Distinct entries by kind of reason. */
  counts(table: string): Promise<Readonly<Record<string, number>>>;
}

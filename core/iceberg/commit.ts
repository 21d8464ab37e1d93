import type { DataFile } from './data-file.ts';
import type { IcebergField } from './fields.ts';
import { type Snapshot, type TableMetadata, currentSnapshot } from './metadata.ts';

/** What one commit does to a table. All of it is seen at once, or none of it. */
export interface TableCommit {
  readonly operation: 'append' | 'overwrite' | 'delete' | 'replace';
  /** Files that are durable on disk already. */
  readonly dataFiles: readonly DataFile[];
  /** Position delete files, durable too. */
  readonly deleteFiles: readonly DataFile[];
  /** Paths of data and delete files that these ones replace. */
  readonly removeFiles?: readonly string[];
  /** Columns added with the rows that first have them; what the table has already is skipped. */
  readonly addFields?: readonly IcebergField[];
  /** Our own properties of the snapshot. */
  readonly summary: Readonly<Record<string, string>>;
  /** The snapshot that this was planned on (null: none). With it, any commit in between makes this one a conflict. */
  readonly base?: number | null;
}

/** What is decided outside the core. */
export interface SnapshotBirth {
  readonly snapshotId: number;
  readonly nowMs: number;
  readonly manifestList: string;
}

/** How many metadata files before the current one a table keeps. */
export const PREVIOUS_METADATA_FILES = 20;

const TOTALS = {
  records: 'total-records',
  size: 'total-files-size',
  dataFiles: 'total-data-files',
  deleteFiles: 'total-delete-files',
  positions: 'total-position-deletes',
  equality: 'total-equality-deletes',
} as const;

interface Counts {
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
}

function counts(files: readonly DataFile[]): Counts {
  return {
    files: files.length,
    records: files.reduce((sum, file) => sum + file.recordCount, 0),
    bytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
}

/** The summary of a snapshot: its operation, what it adds and removes, the totals after it, and our own properties. */
export function planSummary(
  parent: Snapshot | null,
  commit: TableCommit,
  removed: readonly DataFile[],
): Record<string, string> {
  const isData = (file: DataFile) => file.content === 'data';
  const added = { data: counts(commit.dataFiles), deletes: counts(commit.deleteFiles) };
  const gone = { data: counts(removed.filter(isData)), deletes: counts(removed.filter((file) => !isData(file))) };
  const before = (name: string) => Number(parent?.summary[name] ?? 0);
  const changes: Record<string, number> = {
    'added-data-files': added.data.files,
    'added-records': added.data.records,
    'added-files-size': added.data.bytes + added.deletes.bytes,
    'added-delete-files': added.deletes.files,
    'added-position-delete-files': added.deletes.files,
    'added-position-deletes': added.deletes.records,
    'deleted-data-files': gone.data.files,
    'deleted-records': gone.data.records,
    'removed-files-size': gone.data.bytes + gone.deletes.bytes,
    'removed-delete-files': gone.deletes.files,
    'removed-position-delete-files': gone.deletes.files,
    'removed-position-deletes': gone.deletes.records,
  };
  const totals: Record<string, number> = {
    [TOTALS.records]: added.data.records - gone.data.records,
    [TOTALS.size]: added.data.bytes + added.deletes.bytes - gone.data.bytes - gone.deletes.bytes,
    [TOTALS.dataFiles]: added.data.files - gone.data.files,
    [TOTALS.deleteFiles]: added.deletes.files - gone.deletes.files,
    [TOTALS.positions]: added.deletes.records - gone.deletes.records,
    [TOTALS.equality]: 0,
  };
  const summary: Record<string, string> = { operation: commit.operation };
  for (const [name, value] of Object.entries(changes)) if (value > 0) summary[name] = String(value);
  for (const [name, change] of Object.entries(totals)) summary[name] = String(before(name) + change);
  return { ...commit.summary, ...summary };
}

/** The metadata after a snapshot, whose number and parent follow from the metadata before it. */
export function planMetadata(
  metadata: TableMetadata,
  birth: SnapshotBirth,
  summary: Readonly<Record<string, string>>,
): TableMetadata {
  const parent = currentSnapshot(metadata);
  // A clock that jumps back must not make history run backwards: readers travel by these times.
  const timestamp = Math.max(birth.nowMs, metadata['last-updated-ms']);
  const snapshot: Snapshot = {
    'snapshot-id': birth.snapshotId,
    ...(parent === null ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
    'sequence-number': metadata['last-sequence-number'] + 1,
    'timestamp-ms': timestamp,
    'manifest-list': birth.manifestList,
    summary,
    'schema-id': metadata['current-schema-id'],
  };
  return {
    ...metadata,
    'last-sequence-number': snapshot['sequence-number'],
    'last-updated-ms': timestamp,
    'current-snapshot-id': birth.snapshotId,
    refs: { ...metadata.refs, main: { 'snapshot-id': birth.snapshotId, type: 'branch' } },
    snapshots: [...metadata.snapshots, snapshot],
    'snapshot-log': [...metadata['snapshot-log'], { 'timestamp-ms': timestamp, 'snapshot-id': birth.snapshotId }],
  };
}

/** The metadata as it is written over a predecessor: with that one in its log, and the log kept short. */
export function withPredecessor(
  next: TableMetadata,
  predecessor: { readonly path: string; readonly lastUpdatedMs: number },
): TableMetadata {
  const entry = { 'timestamp-ms': predecessor.lastUpdatedMs, 'metadata-file': predecessor.path };
  return { ...next, 'metadata-log': [...next['metadata-log'], entry].slice(-PREVIOUS_METADATA_FILES) };
}

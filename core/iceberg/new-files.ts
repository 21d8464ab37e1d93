import type { Operation } from '../change.ts';
import type { ListedFile } from './foreign-manifests.ts';
import type { HistorySnapshot, TableHistory } from './table-history.ts';

/** The changelog snapshot that was merged last. Snapshot ids pass 2^53, so they are text. */
export interface Watermark {
  readonly sequence: number;
  readonly snapshotId: string;
}

/** From the least to the greatest value of a column in a file, in epoch microseconds. */
export interface MicrosSpan {
  readonly from: number;
  readonly to: number;
}

/** A data file of the changelog, as far as a merge must know it. */
export interface ChangelogFile {
  readonly path: string;
  readonly records: number;
  /** The commit that added it. */
  readonly sequence: number;
  /** Of all its rows; null where the writer did not keep them apart. */
  readonly operation: Operation | null;
  /** Null where the writer gave no bounds. */
  readonly capturedAt: MicrosSpan | null;
  readonly committedAt: MicrosSpan | null;
}

/** Why a merge must read the whole changelog. */
export type WholeReason =
  | 'first' // nothing was merged yet
  | 'expired' // the table no longer tells what came after the snapshot that was merged last
  | 'rolled-back'; // that snapshot is no longer part of the table's history

/** What a changelog holds that was not merged yet. */
export interface NewFiles {
  /** The snapshot that a merge of it brings the state to; null for a table without a commit. */
  readonly upTo: Watermark | null;
  /** Null where `files` are all that is to be read; else the whole changelog is, and `files` are only those that are known. */
  readonly whole: WholeReason | null;
  readonly files: readonly ChangelogFile[];
  readonly records: number;
}

export const NO_FILES: NewFiles = { upTo: null, whole: null, files: [], records: 0 };

/** The commits after a watermark, or why they cannot be told. */
export type HistorySince =
  { readonly whole: WholeReason } | { readonly whole: null; readonly snapshots: readonly HistorySnapshot[] };

/** What was committed after a watermark in the current line of history. */
export function historySince(history: TableHistory, since: Watermark | null): HistorySince {
  if (since === null) return { whole: 'first' };
  const snapshots: HistorySnapshot[] = [];
  let at = history.current;
  while (at !== null) {
    // A table that was made anew counts from 1 again, under other ids.
    if (at.id === since.snapshotId) return at.sequence === since.sequence ? { whole: null, snapshots } : ROLLED_BACK;
    snapshots.push(at);
    if (at.parentId === null) return ROLLED_BACK;
    const parent = history.snapshots.get(at.parentId);
    if (parent === undefined) return history.snapshots.has(since.snapshotId) ? ROLLED_BACK : { whole: 'expired' };
    at = parent;
  }
  return ROLLED_BACK;
}

const ROLLED_BACK: HistorySince = { whole: 'rolled-back' };

/** Where a file came from: what a compaction's file must be judged by. */
export interface Replacement {
  /** The compaction's commit. */
  readonly sequence: number;
  /** The files that it replaced; null where its manifests can no longer be read. */
  readonly replaced: readonly ListedFile[] | null;
}

/**
 * The live files that hold a change which was committed after the watermark. A file that a compaction wrote is new only if
 * it replaced one that was: reading a change again would be harmless, and dear.
 * @param live the live files of the current snapshot that were added after the watermark.
 * @param replacements every compaction after the watermark.
 */
export function filesSince(
  live: readonly ListedFile[],
  since: Watermark,
  replacements: readonly Replacement[],
): readonly ListedFile[] {
  const bySequence = new Map(replacements.map((one) => [one.sequence, one]));
  const verdicts = new Map<string, boolean>();
  const isMerged = (file: ListedFile): boolean => {
    if (file.fileSequence <= since.sequence) return true;
    const replacement = bySequence.get(file.fileSequence);
    // A file that was written anew keeps the place of the newest that it may hold, so one before the watermark holds nothing new.
    if (replacement === undefined || replacement.replaced === null) return file.dataSequence <= since.sequence;
    // Compaction keeps to partitions: what was replaced elsewhere is in another of its files.
    const verdictKey = `${file.fileSequence} ${file.partitionKey}`;
    const known = verdicts.get(verdictKey);
    if (known !== undefined) return known;
    const origins = replacement.replaced.filter((one) => one.partitionKey === file.partitionKey);
    const verdict = origins.length === 0 ? file.dataSequence <= since.sequence : origins.every(isMerged);
    verdicts.set(verdictKey, verdict);
    return verdict;
  };
  return live
    .filter((file) => !isMerged(file))
    .sort((a, b) => a.fileSequence - b.fileSequence || (a.path < b.path ? -1 : 1));
}

const OPERATIONS: ReadonlySet<string> = new Set<Operation>(['insert', 'update', 'delete', 'snapshot']);

/** A listed file as a merge must know it. */
export function changelogFile(file: ListedFile, history: TableHistory): ChangelogFile {
  const { capturedAt, committedAt, operation } = history.columnIds;
  return {
    path: file.path,
    records: file.records,
    sequence: file.fileSequence,
    operation: operationOf(file, history.operationPartitionIds, operation),
    capturedAt: microsSpan(file, capturedAt),
    committedAt: microsSpan(file, committedAt),
  };
}

function operationOf(file: ListedFile, partitionIds: ReadonlySet<number>, columnId: number | null): Operation | null {
  for (const [id, value] of file.partition) {
    if (partitionIds.has(id) && typeof value === 'string' && OPERATIONS.has(value)) return value as Operation;
  }
  // Where the table is not partitioned so, equal bounds say the same: each is short enough to be whole.
  const bounds = [file.lowerBounds, file.upperBounds].map((side) => side.get(columnId ?? -1));
  const [lower, upper] = bounds.map((bytes) => (bytes === undefined ? null : new TextDecoder().decode(bytes)));
  return typeof lower === 'string' && lower === upper && OPERATIONS.has(lower) ? (lower as Operation) : null;
}

function microsSpan(file: ListedFile, columnId: number | null): MicrosSpan | null {
  const from = microsOf(file.lowerBounds.get(columnId ?? -1));
  const to = microsOf(file.upperBounds.get(columnId ?? -1));
  return from === null || to === null ? null : { from, to };
}

function microsOf(bytes: Uint8Array | undefined): number | null {
  if (bytes?.length !== 8) return null;
  const micros = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true));
  return Number.isSafeInteger(micros) ? micros : null;
}

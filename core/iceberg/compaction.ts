import { type LiveFile, type SnapshotFiles, partitionKey } from './data-file.ts';

/** When files are rewritten. */
export interface CompactionLimits {
  /** Files below this are small, and several small ones become one. */
  readonly smallBytes: number;
  /** About how large a rewritten file becomes. */
  readonly targetBytes: number;
  /** Fewer small files than this in a partition are left alone. */
  readonly minSmallFiles: number;
  /** A file with a larger share of its rows deleted is rewritten whatever its size. */
  readonly maxDeletedShare: number;
  /** More position delete files than this become one. */
  readonly maxDeleteFiles: number;
  /** Only files committed up to this sequence number: later ones have yet to be read as what a snapshot added. */
  readonly upToSequence?: number;
}

export const COMPACTION_LIMITS: CompactionLimits = {
  smallBytes: 16 * 1024 * 1024,
  targetBytes: 128 * 1024 * 1024,
  minSmallFiles: 5,
  maxDeletedShare: 0.2,
  maxDeleteFiles: 10,
};

/** What a compaction does: each group of data files becomes one file without its deleted rows. */
export interface CompactionPlan {
  readonly groups: readonly (readonly LiveFile[])[];
  /** Delete files that go. Those of their rows that apply to a file outside the groups are written anew. */
  readonly deletes: readonly LiveFile[];
}

/** Plans a compaction from the live files and how many rows of each are deleted. Empty when nothing is due. */
export function planCompaction(
  files: SnapshotFiles,
  deletedRows: ReadonlyMap<string, number>,
  limits: CompactionLimits,
): CompactionPlan {
  const upTo = limits.upToSequence ?? Infinity;
  const byPartition = new Map<string, LiveFile[]>();
  for (const file of files.data) {
    if (file.dataSequenceNumber > upTo) continue;
    const key = partitionKey(file.partition);
    const group = byPartition.get(key);
    if (group === undefined) byPartition.set(key, [file]);
    else group.push(file);
  }
  const groups = [...byPartition.values()].flatMap((group) => groupsOf(group, deletedRows, limits));
  const rewritten = new Set(groups.flat().map((file) => file.path));
  const touchesDeleted = [...rewritten].some((path) => deletedRows.has(path));
  const deletes = touchesDeleted || files.deletes.length > limits.maxDeleteFiles ? files.deletes : [];
  return { groups, deletes };
}

function groupsOf(
  partition: readonly LiveFile[],
  deletedRows: ReadonlyMap<string, number>,
  limits: CompactionLimits,
): LiveFile[][] {
  const isWorn = (file: LiveFile) => (deletedRows.get(file.path) ?? 0) > file.recordCount * limits.maxDeletedShare;
  const small = partition.filter((file) => file.sizeBytes < limits.smallBytes);
  const mergeSmall = small.length >= Math.max(2, limits.minSmallFiles);
  const due = partition.filter((file) => isWorn(file) || (mergeSmall && file.sizeBytes < limits.smallBytes));
  const groups: LiveFile[][] = [];
  let bytes = 0;
  for (const file of due) {
    const last = groups.at(-1);
    if (last === undefined || bytes + file.sizeBytes > limits.targetBytes) {
      groups.push([file]);
      bytes = file.sizeBytes;
    } else {
      last.push(file);
      bytes += file.sizeBytes;
    }
  }
  return groups;
}

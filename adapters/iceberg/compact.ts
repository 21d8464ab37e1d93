import { GlasshouseError } from '../../core/errors.ts';
import type { TableCommit } from '../../core/iceberg/commit.ts';
import {
  COMPACTION_LIMITS,
  type CompactionLimits,
  type CompactionPlan,
  planCompaction,
} from '../../core/iceberg/compaction.ts';
import {
  type DataFile,
  type LiveFile,
  type Partition,
  type SnapshotFiles,
  partitionKey,
} from '../../core/iceberg/data-file.ts';
import type { IcebergField } from '../../core/iceberg/fields.ts';
import { discardFiles } from './commit-files.ts';
import { type IcebergTable, newDataPath } from './table.ts';
import type { TableSnapshotView } from './snapshot-view.ts';

/** Where a rewritten file goes. */
export interface RewriteTarget {
  readonly path: string;
  readonly partition: Partition;
}

/** Reads and writes the rows of files. A retry may repeat any of it: each call makes a new file or none. */
export interface FileRewriter {
  /** How many rows of each data file these delete files delete, by path. */
  countDeletedRows(deletes: readonly LiveFile[]): Promise<ReadonlyMap<string, number>>;
  /** Writes the rows that are left of some files, in their order, as one file; null when none is left. */
  rewriteData(
    rows: { readonly fields: readonly IcebergField[]; readonly files: SnapshotFiles },
    target: RewriteTarget,
  ): Promise<DataFile | null>;
  /** Writes the deletes that apply to the live files as one file; null when there are none. */
  mergeDeletes(
    deletes: readonly LiveFile[],
    live: ReadonlySet<string>,
    target: RewriteTarget,
  ): Promise<DataFile | null>;
}

/** What a compaction did. With `conflict`, other writers kept changing the files: nothing was changed; try later. */
export interface CompactionReport {
  readonly outcome: 'compacted' | 'nothing' | 'conflict';
  readonly rewrittenFiles: number;
  readonly writtenFiles: number;
  readonly removedDeleteFiles: number;
}

const NOTHING: CompactionReport = { outcome: 'nothing', rewrittenFiles: 0, writtenFiles: 0, removedDeleteFiles: 0 };
const MAX_PLANS = 3;
const MAX_REBASES = 5;
/** Our own properties of a snapshot begin with this, and outlive a compaction. */
const OWN_PROPERTY = 'glasshouse.';

interface Rewritten {
  readonly plan: CompactionPlan;
  readonly dataFiles: readonly DataFile[];
  readonly deleteFiles: readonly DataFile[];
}

/**
 * Rewrites small files, files with many deleted rows, and many delete files, in one `replace` commit: the rows stay as
 * they are. A commit that others make meanwhile is no hindrance unless it deletes rows of, or removes, a file that is
 * being rewritten; then it is planned anew, and at last given up. Throws `unavailable` when the disk refuses.
 */
export async function compactTable(
  table: IcebergTable,
  rewriter: FileRewriter,
  limits: Partial<CompactionLimits> = {},
): Promise<CompactionReport> {
  for (let attempt = 0; attempt < MAX_PLANS; attempt++) {
    const view = await table.load();
    const files = await view.files();
    const deletedRows = await rewriter.countDeletedRows(files.deletes);
    const plan = planCompaction(files, deletedRows, { ...COMPACTION_LIMITS, ...limits });
    if (plan.groups.length === 0 && plan.deletes.length === 0) return NOTHING;
    const written = new Set<string>();
    let standing = false;
    try {
      const rewritten = await rewrite(table, view, { plan, rewriter, written });
      standing = await commitRewritten(table, view, { rewritten, rewriter });
      if (standing) return report(rewritten);
    } finally {
      if (!standing) await discardFiles(written);
    }
  }
  return { ...NOTHING, outcome: 'conflict' };
}

function report({ plan, dataFiles, deleteFiles }: Rewritten): CompactionReport {
  return {
    outcome: 'compacted',
    rewrittenFiles: plan.groups.flat().length,
    writtenFiles: dataFiles.length + deleteFiles.length,
    removedDeleteFiles: plan.deletes.length,
  };
}

async function rewrite(
  table: IcebergTable,
  view: TableSnapshotView,
  work: { readonly plan: CompactionPlan; readonly rewriter: FileRewriter; readonly written: Set<string> },
): Promise<Rewritten> {
  const { plan, rewriter, written } = work;
  const newTarget = (partition: Partition, kind: 'data' | 'deletes') => {
    const path = newDataPath(table.location, kind);
    written.add(path);
    return { path, partition };
  };
  const { data, deletes } = await view.files();
  const dataFiles: DataFile[] = [];
  for (const group of plan.groups) {
    const rows = { fields: view.fields, files: { data: group, deletes } };
    const file = await rewriter.rewriteData(rows, newTarget(group[0]?.partition ?? {}, 'data'));
    // A reader that asks for what came after a sequence number must not be given the same rows again.
    const dataSequenceNumber = Math.max(...group.map((one) => one.dataSequenceNumber));
    if (file !== null) dataFiles.push({ ...file, dataSequenceNumber });
  }
  const rewritten = new Set(plan.groups.flat().map((file) => file.path));
  const live = new Set(data.map((file) => file.path).filter((path) => !rewritten.has(path)));
  const deleteFiles: DataFile[] = [];
  for (const group of byPartition(plan.deletes)) {
    const file = await rewriter.mergeDeletes(group, live, newTarget(group[0]?.partition ?? {}, 'deletes'));
    if (file !== null) deleteFiles.push(file);
  }
  return { plan, dataFiles, deleteFiles };
}

function byPartition(files: readonly LiveFile[]): LiveFile[][] {
  const groups = new Map<string, LiveFile[]>();
  for (const file of files) {
    const key = partitionKey(file.partition);
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups.values()];
}

/** Commits on the planned snapshot, or on a newer one that left the rewritten files alone. False when that cannot be. */
async function commitRewritten(
  table: IcebergTable,
  planned: TableSnapshotView,
  work: { readonly rewritten: Rewritten; readonly rewriter: FileRewriter },
): Promise<boolean> {
  const { rewritten, rewriter } = work;
  const { plan, dataFiles, deleteFiles } = rewritten;
  const removeFiles = [...plan.groups.flat(), ...plan.deletes].map((file) => file.path);
  let view = planned;
  for (let attempt = 0; attempt < MAX_REBASES; attempt++) {
    if (!(await leavesAlone(planned, view, { plan, rewriter }))) return false;
    const base = view.snapshot?.['snapshot-id'] ?? null;
    const change: TableCommit = {
      operation: 'replace',
      dataFiles,
      deleteFiles,
      removeFiles,
      summary: ownProperties(view),
      base,
    };
    try {
      await table.commit(change);
      return true;
    } catch (cause) {
      if (!(cause instanceof GlasshouseError) || cause.code !== 'conflict') throw cause;
      view = await table.load();
    }
  }
  return false;
}

async function leavesAlone(
  planned: TableSnapshotView,
  newest: TableSnapshotView,
  work: { readonly plan: CompactionPlan; readonly rewriter: FileRewriter },
): Promise<boolean> {
  if (newest === planned) return true;
  const { data, deletes } = await newest.files();
  const live = new Set([...data, ...deletes].map((file) => file.path));
  const replaced = work.plan.groups.flat();
  if (![...replaced, ...work.plan.deletes].every((file) => live.has(file.path))) return false;
  const known = new Set((await planned.files()).deletes.map((file) => file.path));
  const touched = await work.rewriter.countDeletedRows(deletes.filter((file) => !known.has(file.path)));
  return !replaced.some((file) => touched.has(file.path));
}

function ownProperties(view: TableSnapshotView): Record<string, string> {
  const own = Object.entries(view.snapshot?.summary ?? {}).filter(([name]) => name.startsWith(OWN_PROPERTY));
  return Object.fromEntries(own);
}

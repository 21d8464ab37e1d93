import { GlasshouseError } from '../../core/errors.ts';
import type { LiveFile, SnapshotFiles } from '../../core/iceberg/data-file.ts';
import type { IcebergField, PartitionField } from '../../core/iceberg/fields.ts';
import { liveManifests } from '../../core/iceberg/manifest-plan.ts';
import {
  type Snapshot,
  type TableMetadata,
  currentFields,
  currentPartition,
  currentSnapshot,
  snapshotById,
} from '../../core/iceberg/metadata.ts';
import type { ManifestReader } from './manifest-files.ts';
import type { MetadataVersion } from './metadata-files.ts';

/** A table as one version of its metadata has it. It never changes; load again for what came later. */
export interface TableSnapshotView {
  readonly version: number;
  readonly metadata: TableMetadata;
  /** What readers see; null for a table without a commit. */
  readonly snapshot: Snapshot | null;
  readonly fields: readonly IcebergField[];
  readonly partition: readonly PartitionField[];
  /** The live data and position delete files. */
  files(): Promise<SnapshotFiles>;
  /**
   * The data files that commits after this snapshot added, in commit order, leaving out those that a compaction wrote;
   * null: all live data files. Throws `gap` when the snapshot is no longer in the table's history.
   */
  addedSince(snapshotId: number | null): Promise<readonly LiveFile[]>;
}

/** The view of a metadata version. */
export function snapshotView(version: MetadataVersion, reader: ManifestReader): TableSnapshotView {
  const { metadata } = version;
  const snapshot = currentSnapshot(metadata);
  let files: Promise<SnapshotFiles> | undefined;
  const view: TableSnapshotView = {
    version: version.version,
    metadata,
    snapshot,
    fields: currentFields(metadata),
    partition: currentPartition(metadata),
    files() {
      files ??= snapshotFiles(snapshot, reader).catch((cause: unknown) => {
        // A failure is not kept: the next call reads again.
        files = undefined;
        throw cause;
      });
      return files;
    },
    async addedSince(snapshotId) {
      if (snapshotId === null) return (await view.files()).data;
      const added: LiveFile[] = [];
      for (const one of historySince(metadata, snapshotId)) added.push(...(await addedBy(one, reader)));
      return added;
    },
  };
  return view;
}

/** The live files of a snapshot, data files in the order of their commits. */
export async function snapshotFiles(snapshot: Snapshot | null, reader: ManifestReader): Promise<SnapshotFiles> {
  const files: Record<'data' | 'deletes', LiveFile[]> = { data: [], deletes: [] };
  if (snapshot === null) return files;
  for (const manifest of liveManifests(await reader.list(snapshot['manifest-list']))) {
    for (const entry of await reader.entries(manifest)) {
      if (entry.status !== 'deleted') files[manifest.content].push(entry.file);
    }
  }
  const inCommitOrder = (a: LiveFile, b: LiveFile) => a.dataSequenceNumber - b.dataSequenceNumber;
  return { data: files.data.sort(inCommitOrder), deletes: files.deletes.sort(inCommitOrder) };
}

function historySince(metadata: TableMetadata, snapshotId: number): Snapshot[] {
  const history: Snapshot[] = [];
  let at = currentSnapshot(metadata);
  while (at !== null && at['snapshot-id'] !== snapshotId) {
    history.push(at);
    const parent = at['parent-snapshot-id'];
    at = parent === undefined ? null : (snapshotById(metadata, parent) ?? null);
  }
  if (at === null) {
    throw new GlasshouseError(
      'gap',
      `Snapshot ${snapshotId} is no longer in the history of ${metadata.location}: what came after it cannot be told. Read the whole table again.`,
    );
  }
  return history.reverse();
}

async function addedBy(snapshot: Snapshot, reader: ManifestReader): Promise<LiveFile[]> {
  if (snapshot.summary.operation === 'replace') return [];
  const id = snapshot['snapshot-id'];
  const added: LiveFile[] = [];
  for (const manifest of await reader.list(snapshot['manifest-list'])) {
    if (manifest.content !== 'data' || manifest.addedSnapshotId !== id) continue;
    for (const entry of await reader.entries(manifest)) {
      if (entry.status === 'added' && entry.file.snapshotId === id) added.push(entry.file);
    }
  }
  return added;
}

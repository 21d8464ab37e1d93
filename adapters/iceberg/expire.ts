import { type Reachable, type Retention, planExpiry, unreachableFiles } from '../../core/iceberg/expiry.ts';
import type { ManifestFile } from '../../core/iceberg/manifest-list.ts';
import { liveManifests } from '../../core/iceberg/manifest-plan.ts';
import type { Snapshot } from '../../core/iceberg/metadata.ts';
import { removed } from './durable-files.ts';
import type { ManifestReader } from './manifest-files.ts';
import type { IcebergTable } from './table.ts';

/** What an expiry did. */
export interface ExpiryReport {
  readonly expiredSnapshots: number;
  readonly removedFiles: number;
}

/**
 * Takes old snapshots out of the table, and then removes the files that only they named. A crash in between leaves
 * files that orphan removal finds. Readers of an expired snapshot lose it. Throws `unavailable` when the disk refuses.
 */
export async function expireSnapshots(table: IcebergTable, retention: Retention): Promise<ExpiryReport> {
  let expired: readonly Snapshot[] = [];
  await table.revise((metadata) => {
    const plan = planExpiry(metadata, retention);
    expired = plan.expired;
    return plan.metadata;
  });
  if (expired.length === 0) return { expiredSnapshots: 0, removedFiles: 0 };
  const kept = await reachableNow(table);
  const gone = await reachable(expired, table.manifests);
  let removedFiles = 0;
  for (const path of unreachableFiles(gone, kept)) if (await removed(path)) removedFiles++;
  return { expiredSnapshots: expired.length, removedFiles };
}

/** So often may snapshots expire under a reader of all of them. */
const MAX_READS = 5;

/** Everything that the newest version's snapshots name. */
export async function reachableNow(table: IcebergTable): Promise<Reachable> {
  for (let read = 1; ; read++) {
    const view = await table.load();
    try {
      return await reachable(view.metadata.snapshots, table.manifests);
    } catch (cause) {
      // Another expiry may have taken a snapshot, and its files, meanwhile.
      if (read === MAX_READS || (await table.load()).version === view.version) throw cause;
    }
  }
}

/** Everything that these snapshots name. */
async function reachable(snapshots: readonly Snapshot[], reader: ManifestReader): Promise<Reachable> {
  const lists = new Set(snapshots.map((snapshot) => snapshot['manifest-list']));
  const manifests = new Map<string, ManifestFile>();
  for (const list of lists) {
    for (const manifest of await reader.list(list)) manifests.set(manifest.path, manifest);
  }
  const files = new Set<string>();
  for (const manifest of liveManifests([...manifests.values()])) {
    for (const entry of await reader.entries(manifest)) {
      if (entry.status !== 'deleted') files.add(entry.file.path);
    }
  }
  return { lists, manifests, files };
}

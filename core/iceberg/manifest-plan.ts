import { GlasshouseError } from '../errors.ts';
import type { TableCommit } from './commit.ts';
import type { DataFile, LiveFile } from './data-file.ts';
import type { DecodedEntry, ManifestContent, ManifestEntry } from './manifest.ts';
import type { ManifestFile } from './manifest-list.ts';

/** A manifest that a commit must write. */
export interface NewManifest {
  readonly content: ManifestContent;
  readonly entries: readonly ManifestEntry[];
}

/** What a snapshot's manifest list is made of. */
export interface ManifestPlan {
  /** Manifests of the parent that stay as they are. */
  readonly carried: readonly ManifestFile[];
  readonly written: readonly NewManifest[];
  /** The files that the commit takes away, as the parent knew them. */
  readonly removed: readonly LiveFile[];
}

/** More small manifests of one content than this are merged into one. */
export const MAX_SMALL_MANIFESTS = 50;

/** A manifest of so many files is no longer small: merging it again and again would cost more than it saves. */
const LARGE_MANIFEST_FILES = 2000;

/** Manifests of a parent that still list a live file. The others only told of removals. */
export function liveManifests(manifests: readonly ManifestFile[]): ManifestFile[] {
  return manifests.filter((manifest) => manifest.addedFiles + manifest.existingFiles > 0);
}

function isSmall(manifest: ManifestFile): boolean {
  return manifest.addedFiles + manifest.existingFiles < LARGE_MANIFEST_FILES;
}

/** The manifests that are due to be merged, of each content: none, or all the small ones. */
export function manifestsToMerge(manifests: readonly ManifestFile[]): ManifestFile[] {
  const small = liveManifests(manifests).filter(isSmall);
  return (['data', 'deletes'] as const).flatMap((content) => {
    const due = small.filter((manifest) => manifest.content === content);
    return due.length > MAX_SMALL_MANIFESTS ? due : [];
  });
}

/**
 * Which manifests a commit carries on and which it writes. `entriesOf` has the entries of every manifest that may be
 * rewritten: those due to be merged, and all of them when files are removed. Throws `conflict` when a file to be removed
 * is not in the table.
 */
export function planManifests(
  parent: readonly ManifestFile[],
  commit: TableCommit,
  options: { readonly snapshotId: number; readonly entriesOf: ReadonlyMap<string, readonly DecodedEntry[]> },
): ManifestPlan {
  const remaining = new Set(commit.removeFiles);
  const merging = new Set(manifestsToMerge(parent).map((manifest) => manifest.path));
  const carried: ManifestFile[] = [];
  const written: NewManifest[] = [];
  const removed: LiveFile[] = [];
  const merged: Record<ManifestContent, ManifestEntry[]> = { data: [], deletes: [] };
  for (const manifest of liveManifests(parent)) {
    const entries = (options.entriesOf.get(manifest.path) ?? []).filter((entry) => entry.status !== 'deleted');
    const leaving = entries.filter((entry) => remaining.delete(entry.file.path));
    if (leaving.length === 0 && !merging.has(manifest.path)) {
      carried.push(manifest);
      continue;
    }
    const gone = new Set(leaving.map((entry) => entry.file.path));
    const rewritten = entries.map((entry) =>
      gone.has(entry.file.path) ? deletedEntry(entry.file, options.snapshotId) : existingEntry(entry.file),
    );
    removed.push(...leaving.map((entry) => entry.file));
    // What must be rewritten anyway becomes one manifest, unless that would grow without end.
    if (isSmall(manifest)) merged[manifest.content].push(...rewritten);
    else written.push({ content: manifest.content, entries: rewritten });
  }
  if (remaining.size > 0) {
    throw new GlasshouseError(
      'conflict',
      `${remaining.size} files to be replaced are not in the table, first ${String([...remaining][0])}: plan again on the newest snapshot.`,
    );
  }
  // What is added gets a manifest of its own, so that a retry of the commit can carry it over as it is.
  const added: NewManifest[] = [
    { content: 'data', entries: commit.dataFiles.map((file) => addedEntry(file, options.snapshotId)) },
    { content: 'deletes', entries: commit.deleteFiles.map((file) => addedEntry(file, options.snapshotId)) },
    { content: 'data', entries: merged.data },
    { content: 'deletes', entries: merged.deletes },
  ];
  return { carried, written: [...added.filter((one) => one.entries.length > 0), ...written], removed };
}

function addedEntry(file: DataFile, snapshotId: number): ManifestEntry {
  const dataSequenceNumber = file.dataSequenceNumber ?? null;
  return { status: 'added', snapshotId, dataSequenceNumber, fileSequenceNumber: null, file };
}

function existingEntry(file: LiveFile): ManifestEntry {
  const { snapshotId, dataSequenceNumber, fileSequenceNumber } = file;
  return { status: 'existing', snapshotId, dataSequenceNumber, fileSequenceNumber, file };
}

function deletedEntry(file: LiveFile, snapshotId: number): ManifestEntry {
  return { ...existingEntry(file), status: 'deleted', snapshotId };
}

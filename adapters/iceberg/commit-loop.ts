import { setTimeout as sleep } from 'node:timers/promises';
import { GlasshouseError } from '../../core/errors.ts';
import { type TableCommit, withPredecessor } from '../../core/iceberg/commit.ts';
import { type Snapshot, type TableMetadata, currentSnapshot, snapshotById } from '../../core/iceberg/metadata.ts';
import { type PendingSnapshot, discardFiles, prepareSnapshot } from './commit-files.ts';
import { diskError, syncPath, systemCode } from './durable-files.ts';
import type { ManifestReader } from './manifest-files.ts';
import { type MetadataVersion, type StepHook, settleMetadata, swapMetadata, versionPath } from './metadata-files.ts';

/** A commit that stands. */
export interface Committed {
  readonly snapshotId: number;
  readonly sequenceNumber: number;
  readonly version: number;
  /** How often it was planned: more than once when other writers were faster. */
  readonly attempts: number;
}

/** What a commit needs of its table. */
export interface CommitPlace {
  readonly location: string;
  readonly folder: string;
  readonly manifests: ManifestReader;
  readonly now: () => number;
  readonly newSnapshotId: () => number;
  readonly onStep?: StepHook | undefined;
  /** The newest version, looked for anew. */
  readonly newest: () => Promise<MetadataVersion>;
  /** Takes note of a version that this process made. */
  readonly keep: (version: MetadataVersion) => void;
}

/** So many lost races mean that something is wrong: a commit gives up. */
const MAX_ATTEMPTS = 500;
const MAX_BACKOFF_MS = 40;

async function backOff(attempt: number): Promise<void> {
  await sleep(Math.random() * Math.min(MAX_BACKOFF_MS, 2 ** attempt));
}

function outraced(location: string): GlasshouseError {
  return new GlasshouseError(
    'conflict',
    `A commit to ${location} lost ${MAX_ATTEMPTS} races against other writers: run fewer of them at once.`,
  );
}

/** One commit, tried until it stands or cannot. What `IcebergTable.commit` promises. */
export async function commitSnapshot(place: CommitPlace, change: TableCommit): Promise<Committed> {
  const pending: PendingSnapshot = { snapshotId: place.newSnapshotId(), change, reusable: new Map() };
  let outcomeKnown = true;
  try {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const base = await place.newest();
      checkGuard(change, currentSnapshot(base.metadata), place.location);
      const prepared = await prepareSnapshot(base, pending, { ...place, nowMs: place.now() });
      const version = versionAfter(base, place.folder, prepared.metadata);
      outcomeKnown = false;
      const { standing, failure } = await swapOrLook(place, base, { version, snapshotId: pending.snapshotId });
      outcomeKnown = true;
      if (standing === version) {
        place.manifests.remember(prepared.snapshot['manifest-list'], prepared.manifests);
        await settle(place, version);
      }
      if (standing !== undefined) return committed(prepared.snapshot, standing.version, attempt);
      await discardFiles(prepared.scratch);
      if (failure !== undefined) throw failure;
      await backOff(attempt);
    }
    throw outraced(place.location);
  } catch (cause) {
    // Only what surely no metadata names may go: after an unknown outcome the files stay, for orphan removal to judge.
    if (outcomeKnown) await discardFiles([...pending.reusable.values()].map((manifest) => manifest.path));
    throw systemCode(cause) === undefined ? cause : diskError('commit to', place.location, cause);
  }
}

/** How an attempt ended: which version holds the snapshot, or why none can; neither after a lost race. */
interface Attempted {
  readonly standing?: MetadataVersion;
  readonly failure?: Error;
}

/** Swaps the version in. After an unknown outcome the snapshot is looked for: it may stand, in this version or under a newer one. */
async function swapOrLook(
  place: CommitPlace,
  base: MetadataVersion,
  wanted: { readonly version: MetadataVersion; readonly snapshotId: number },
): Promise<Attempted> {
  const { version, snapshotId } = wanted;
  try {
    return (await swapMetadata(place.folder, base, version.metadata, place.onStep)) ? { standing: version } : {};
  } catch (cause) {
    const seen = await place.newest();
    if (snapshotById(seen.metadata, snapshotId) === undefined) {
      return { failure: cause instanceof Error ? cause : diskError('commit to', place.location, cause) };
    }
    // It is there, but maybe not yet on the disk for sure.
    await syncPath(place.folder);
    return { standing: seen };
  }
}

/** A change of the metadata alone, tried until it stands. What `IcebergTable.revise` promises. */
export async function reviseMetadata(
  place: CommitPlace,
  change: (metadata: TableMetadata) => TableMetadata,
): Promise<void> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const base = await place.newest();
    const next = change(base.metadata);
    if (next === base.metadata) return;
    const lastUpdatedMs = Math.max(place.now(), base.metadata['last-updated-ms']);
    const dated = { ...next, 'last-updated-ms': lastUpdatedMs };
    const predecessor = { path: base.path, lastUpdatedMs: base.metadata['last-updated-ms'] };
    const version = versionAfter(base, place.folder, withPredecessor(dated, predecessor));
    if (await swapMetadata(place.folder, base, version.metadata, place.onStep)) {
      await settle(place, version);
      return;
    }
    await backOff(attempt);
  }
  throw outraced(place.location);
}

function versionAfter(base: MetadataVersion, folder: string, metadata: TableMetadata): MetadataVersion {
  const version = base.version + 1;
  return { version, path: versionPath(folder, version), metadata };
}

async function settle(place: CommitPlace, version: MetadataVersion): Promise<void> {
  place.keep(version);
  // The commit stands: whatever fails now must not look like a failed commit.
  await settleMetadata(place.folder, version.version, place.onStep).catch(() => undefined);
}

function committed(snapshot: Snapshot, version: number, attempts: number): Committed {
  return {
    snapshotId: snapshot['snapshot-id'],
    sequenceNumber: snapshot['sequence-number'],
    version,
    attempts,
  };
}

function checkGuard(change: TableCommit, current: Snapshot | null, location: string): void {
  const { base } = change;
  const at = current?.['snapshot-id'] ?? null;
  if (base === undefined || base === at) return;
  throw new GlasshouseError(
    'conflict',
    `${location} is at snapshot ${String(at)}, and the commit was planned on ${String(base)}: plan again on the newest.`,
  );
}

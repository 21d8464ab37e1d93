import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type TableCommit, planMetadata, planSummary, withPredecessor } from '../../core/iceberg/commit.ts';
import { withFields } from '../../core/iceberg/evolution.ts';
import { type DecodedEntry, encodeManifest } from '../../core/iceberg/manifest.ts';
import { type ManifestFile, describeManifest, encodeManifestList } from '../../core/iceberg/manifest-list.ts';
import { type NewManifest, liveManifests, manifestsToMerge, planManifests } from '../../core/iceberg/manifest-plan.ts';
import {
  type Snapshot,
  type TableMetadata,
  currentSchema,
  currentSnapshot,
  currentSpec,
} from '../../core/iceberg/metadata.ts';
import { removeQuietly, writeDurably } from './durable-files.ts';
import { DEFLATE, type ManifestReader } from './manifest-files.ts';
import type { MetadataVersion, StepHook } from './metadata-files.ts';

/** A commit that is being tried. Manifests of what it adds are written once, however often it is tried. */
export interface PendingSnapshot {
  readonly snapshotId: number;
  readonly change: TableCommit;
  /** The manifests of added files, by content. */
  readonly reusable: Map<string, StoredManifest>;
}

/** A manifest that is durable on disk. */
export interface StoredManifest {
  readonly path: string;
  readonly lengthBytes: number;
}

/** A snapshot whose files are all written: only the metadata has yet to be swapped in. */
export interface PreparedSnapshot {
  readonly metadata: TableMetadata;
  readonly snapshot: Snapshot;
  readonly manifests: readonly ManifestFile[];
  /** Files that are of no use if this attempt fails. */
  readonly scratch: readonly string[];
}

/** Where a snapshot is prepared, and when. */
export interface PreparationPlace {
  readonly folder: string;
  readonly manifests: ManifestReader;
  readonly nowMs: number;
  readonly onStep?: StepHook | undefined;
}

/**
 * Plans a snapshot on `base` and writes its manifests and manifest list durably (their names are synced with the
 * metadata's). Throws `conflict` when the change does not fit the base, `unavailable` when the disk refuses; then
 * nothing is left but the reusable manifests.
 */
export async function prepareSnapshot(
  base: MetadataVersion,
  pending: PendingSnapshot,
  place: PreparationPlace,
): Promise<PreparedSnapshot> {
  const { snapshotId, change } = pending;
  const evolved = withFields(base.metadata, change.addFields ?? []);
  const parent = currentSnapshot(base.metadata);
  const parentManifests = parent === null ? [] : await place.manifests.list(parent['manifest-list']);
  const entriesOf = await readEntries(parentManifests, change, place.manifests);
  const plan = planManifests(parentManifests, change, { snapshotId, entriesOf });
  const manifestList = join(place.folder, `snap-${snapshotId}-${randomUUID()}.avro`);
  const metadata = planMetadata(
    evolved,
    { snapshotId, nowMs: place.nowMs, manifestList },
    planSummary(parent, change, plan.removed),
  );
  const predecessor = { path: base.path, lastUpdatedMs: base.metadata['last-updated-ms'] };
  const writer = new ScratchWriter();
  try {
    const sequenceNumber = metadata['last-sequence-number'];
    const context = { schema: currentSchema(metadata), spec: currentSpec(metadata), deflate: DEFLATE };
    const written = plan.written.map((manifest) => {
      const stored = storeManifest(manifest, { pending, writer, folder: place.folder, context });
      const options = { ...stored, snapshotId, sequenceNumber, spec: context.spec };
      return describeManifest(manifest.content, manifest.entries, options);
    });
    const manifests = [...written, ...plan.carried];
    const listed = { snapshotId, parentSnapshotId: parent?.['snapshot-id'] ?? null, sequenceNumber };
    writer.write(manifestList, encodeManifestList(manifests, listed, DEFLATE));
    await writer.done();
    place.onStep?.('manifests written');
    const snapshot = currentSnapshot(metadata);
    if (snapshot === null) throw new TypeError('a planned snapshot is current');
    return { metadata: withPredecessor(metadata, predecessor), snapshot, manifests, scratch: writer.scratch };
  } catch (cause) {
    await writer.done().catch(() => undefined);
    await discardFiles(writer.scratch);
    throw cause;
  }
}

async function readEntries(
  parentManifests: readonly ManifestFile[],
  change: TableCommit,
  reader: ManifestReader,
): Promise<Map<string, readonly DecodedEntry[]>> {
  const removes = (change.removeFiles ?? []).length > 0;
  const wanted = removes ? liveManifests(parentManifests) : manifestsToMerge(parentManifests);
  const entriesOf = new Map<string, readonly DecodedEntry[]>();
  for (const manifest of wanted) entriesOf.set(manifest.path, await reader.entries(manifest));
  return entriesOf;
}

/** Writes files side by side, and knows which. */
class ScratchWriter {
  readonly scratch: string[] = [];
  readonly #writes: Promise<void>[] = [];

  write(path: string, bytes: Uint8Array, reused = false): void {
    if (!reused) this.scratch.push(path);
    this.#writes.push(writeDurably(path, bytes));
  }

  /** Waits for all writes, also when one has failed, so that none goes on behind a cleaning up. */
  async done(): Promise<void> {
    for (const write of await Promise.allSettled(this.#writes)) if (write.status === 'rejected') throw write.reason;
  }
}

function storeManifest(
  manifest: NewManifest,
  place: {
    readonly pending: PendingSnapshot;
    readonly writer: ScratchWriter;
    readonly folder: string;
    readonly context: Parameters<typeof encodeManifest>[2];
  },
): StoredManifest {
  const { pending, writer, folder, context } = place;
  const isAddition = manifest.entries.every((entry) => entry.status === 'added');
  const reused = isAddition ? pending.reusable.get(manifest.content) : undefined;
  if (reused !== undefined) return reused;
  const bytes = encodeManifest(manifest.content, manifest.entries, context);
  const stored = { path: join(folder, `${randomUUID()}-m0.avro`), lengthBytes: bytes.length };
  if (isAddition) pending.reusable.set(manifest.content, stored);
  writer.write(stored.path, bytes, isAddition);
  return stored;
}

/** Removes files that no metadata names. */
export async function discardFiles(paths: Iterable<string>): Promise<void> {
  for (const path of paths) await removeQuietly(path);
}

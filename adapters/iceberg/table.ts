import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { GlasshouseError } from '../../core/errors.ts';
import type { TableCommit } from '../../core/iceberg/commit.ts';
import type { TableDefinition } from '../../core/iceberg/fields.ts';
import { type TableMetadata, createMetadata } from '../../core/iceberg/metadata.ts';
import { type CommitPlace, type Committed, commitSnapshot, reviseMetadata } from './commit-loop.ts';
import { diskError, exists, syncPath } from './durable-files.ts';
import { type ManifestReader, manifestReader } from './manifest-files.ts';
import {
  type MetadataVersion,
  type StepHook,
  newestVersion,
  readNewest,
  settleMetadata,
  swapMetadata,
  versionPath,
} from './metadata-files.ts';
import { type TableSnapshotView, snapshotView } from './snapshot-view.ts';

/** What a table takes from the outside; all of it has a default. */
export interface TableOptions {
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** A positive whole number below 2^53, never the same again. */
  readonly newSnapshotId?: () => number;
  /** Called after each step of a commit: a test ends the commit there by throwing or by killing the process. */
  readonly onStep?: StepHook;
}

/** An Iceberg v2 table in a folder. Any number of processes may read and commit at once. */
export interface IcebergTable {
  /** The table's folder, an absolute path. */
  readonly location: string;
  /** The newest version; two looks at the folder when nothing has changed. */
  load(): Promise<TableSnapshotView>;
  /**
   * One atomic commit of exactly one snapshot, durable when it returns. Without `base` it is repeated by itself on
   * whatever is newest; with `base` it throws `conflict` when the table has moved on. Throws `unavailable` when the
   * disk refuses; the table is then as it was, and the files given stay the caller's.
   */
  commit(change: TableCommit): Promise<Committed>;
  /**
   * Replaces the metadata without a new snapshot: `change` gets the newest metadata, and is called again when another
   * writer was faster. It returns the very same object when there is nothing to do.
   */
  revise(change: (metadata: TableMetadata) => TableMetadata): Promise<TableSnapshotView>;
  /** Reads manifests of any snapshot, with the table's cache. */
  readonly manifests: ManifestReader;
}

/** Where a table's data files go. */
export function dataFolder(location: string): string {
  return join(location, 'data');
}

/** Where a table's metadata goes. */
export function metadataFolder(location: string): string {
  return join(location, 'metadata');
}

/** A path for a new file of rows or of position deletes, which nobody else uses. */
export function newDataPath(location: string, kind: 'data' | 'deletes' = 'data'): string {
  return join(dataFolder(location), `${kind === 'data' ? '' : 'deletes-'}${randomUUID()}.parquet`);
}

/** Whether a folder has a table. */
export async function tableExists(location: string): Promise<boolean> {
  return (await newestVersion(metadataFolder(resolve(location)))) > 0;
}

/** Opens the table in a folder. Throws `input` when there is none, `config` when the folder was moved. */
export async function openTable(location: string, options: TableOptions = {}): Promise<IcebergTable> {
  const table = tableAt(resolve(location), options);
  const { metadata } = await table.load();
  if (metadata.location === table.location) return table;
  await checkLocation(metadata.location, table.location);
  // The same folder by another name: the table's own is used, since paths are compared as text.
  return tableAt(metadata.location, options);
}

/** Opens the table in a folder, created with the definition if there is none. Two that create it at once get one table. */
export async function openOrCreateTable(
  location: string,
  definition: TableDefinition,
  options: TableOptions = {},
): Promise<IcebergTable> {
  const absolute = resolve(location);
  const folder = metadataFolder(absolute);
  if ((await newestVersion(folder)) === 0) {
    const birth = { location: absolute, uuid: randomUUID(), nowMs: (options.now ?? Date.now)() };
    const metadata = createMetadata(definition, birth);
    await makeFolders(absolute);
    if (await swapMetadata(folder, null, metadata, options.onStep)) await settleMetadata(folder, 1, options.onStep);
  }
  return openTable(absolute, options);
}

async function makeFolders(location: string): Promise<void> {
  try {
    await mkdir(dataFolder(location), { recursive: true });
    await mkdir(metadataFolder(location), { recursive: true });
  } catch (cause) {
    throw diskError('create', location, cause);
  }
  await syncPath(location);
  await syncPath(dirname(location));
}

/** Iceberg keeps absolute paths: a table that was moved or copied would read, and delete, the files of the old place. */
async function checkLocation(written: string, location: string): Promise<void> {
  const real = (path: string) => realpath(path).catch(() => path);
  if ((await real(written)) === (await real(location))) return;
  throw new GlasshouseError(
    'config',
    `The table in ${location} was written in ${written}. Iceberg tables hold absolute paths: move the folder back, or let the mirror build it anew.`,
  );
}

/** A random snapshot id of 53 bits: what a JSON number holds exactly. */
function randomSnapshotId(): number {
  return Number(randomBytes(8).readBigUInt64BE() >> 11n) || 1;
}

function tableAt(location: string, options: TableOptions): IcebergTable {
  const folder = metadataFolder(location);
  const manifests = manifestReader();
  let cached: { readonly version: MetadataVersion; readonly view: TableSnapshotView } | undefined;
  const keep = (version: MetadataVersion) => {
    cached = { version, view: snapshotView(version, manifests) };
    return cached;
  };
  const newest = async () => {
    const known = cached;
    if (known !== undefined && !(await exists(versionPath(folder, known.version.version + 1)))) {
      // A version that is there without a successor is the newest, since removal begins at the oldest.
      if (await exists(known.version.path)) return known;
    }
    const found = await readNewest(folder, known?.version.version);
    if (found !== undefined) return keep(found);
    throw new GlasshouseError(
      'input',
      `There is no Iceberg table in ${location}: check the path, or run the mirror first.`,
    );
  };
  const place: CommitPlace = {
    location,
    folder,
    manifests,
    now: options.now ?? Date.now,
    newSnapshotId: options.newSnapshotId ?? randomSnapshotId,
    onStep: options.onStep,
    newest: async () => (await newest()).version,
    keep: (version) => void keep(version),
  };
  // Commits of one process wait for each other: racing them would only cost attempts.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => undefined);
    return turn;
  };
  const load = async () => (await newest()).view;
  return {
    location,
    manifests,
    load,
    commit: (change) => inTurn(() => commitSnapshot(place, change)),
    async revise(change) {
      await inTurn(() => reviseMetadata(place, change));
      return load();
    },
  };
}

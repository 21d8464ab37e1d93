import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError, removed, systemCode } from './durable-files.ts';
import { reachableNow } from './expire.ts';
import { removeOldVersions, versionOfName } from './metadata-files.ts';
import { type IcebergTable, dataFolder, metadataFolder } from './table.ts';

/** A file must be at least so old to be taken for an orphan: a younger one may be about to be committed. */
export const ORPHAN_AGE_MS = 3_600_000;

/** When a file is old enough. */
export interface OrphanAge {
  readonly nowMs: number;
  readonly minAgeMs?: number;
}

/** What an orphan removal did. */
export interface OrphanReport {
  readonly removedFiles: number;
  readonly removedBytes: number;
}

/**
 * Removes files of the table's folder that no snapshot names and that are old: what killed writers left. The age must
 * be more than any commit takes, from its first file on. Throws `unavailable` when a folder cannot be listed.
 */
export async function removeOrphans(table: IcebergTable, age: OrphanAge): Promise<OrphanReport> {
  // The folders are listed before the metadata is read: what is committed in between is then known to it.
  const metadata = metadataFolder(table.location);
  const candidates = [...(await listOld(dataFolder(table.location), age)), ...(await listOld(metadata, age))];
  const { lists, manifests, files } = await reachableNow(table);
  await removeOldVersions(metadata, (await table.load()).version);
  let removedFiles = 0;
  let removedBytes = 0;
  for (const { path, bytes } of candidates) {
    if (lists.has(path) || manifests.has(path) || files.has(path)) continue;
    if (!(await removed(path))) continue;
    removedFiles++;
    removedBytes += bytes;
  }
  return { removedFiles, removedBytes };
}

interface OldFile {
  readonly path: string;
  readonly bytes: number;
}

/** Old files of a folder, but for the metadata versions and their hint, which a commit looks after. */
async function listOld(folder: string, age: OrphanAge): Promise<OldFile[]> {
  const before = age.nowMs - (age.minAgeMs ?? ORPHAN_AGE_MS);
  const old: OldFile[] = [];
  try {
    for (const name of await readdir(folder)) {
      if (name === 'version-hint.text' || versionOfName(name) !== undefined) continue;
      const path = join(folder, name);
      const stats = await statIfThere(path);
      if (stats?.isFile() === true && stats.mtimeMs < before) old.push({ path, bytes: stats.size });
    }
  } catch (cause) {
    throw diskError('list', folder, cause);
  }
  return old;
}

async function statIfThere(path: string) {
  return stat(path).catch((cause: unknown) => {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw cause;
  });
}

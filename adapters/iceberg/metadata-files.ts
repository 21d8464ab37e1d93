import { randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PREVIOUS_METADATA_FILES } from '../../core/iceberg/commit.ts';
import { type TableMetadata, parseMetadata } from '../../core/iceberg/metadata.ts';
import {
  diskError,
  exists,
  linkIfFree,
  removeQuietly,
  removed,
  replaceFile,
  syncPath,
  systemCode,
  writeDurably,
} from './durable-files.ts';

const VERSION = /^v(\d+)\.metadata\.json$/;
const HINT = 'version-hint.text';

/** How many versions below the kept ones a commit looks at again, in case another writer's removal was slower. */
const REMOVAL_WINDOW = 8;

/** One version of a table's metadata, as it stands in its file. */
export interface MetadataVersion {
  readonly version: number;
  readonly path: string;
  readonly metadata: TableMetadata;
}

/** The path of a version in the table's metadata folder. */
export function versionPath(folder: string, version: number): string {
  return join(folder, `v${version}.metadata.json`);
}

/** The number of a metadata file's name; undefined for any other file. */
export function versionOfName(name: string): number | undefined {
  const match = VERSION.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/**
 * The newest version in the folder; 0 when there is none. `known` is a version that was there before. The hint may be
 * stale or missing: versions are removed from the oldest on, so from any that is there one finds the newest upwards.
 */
export async function newestVersion(folder: string, known?: number): Promise<number> {
  for (const start of [known, await hintedVersion(folder, known)]) {
    if (start === undefined || !(await exists(versionPath(folder, start)))) continue;
    let version = start;
    while (await exists(versionPath(folder, version + 1))) version++;
    return version;
  }
  return Math.max(0, ...(await listVersions(folder)));
}

async function hintedVersion(folder: string, known: number | undefined): Promise<number | undefined> {
  if (known !== undefined) return undefined;
  try {
    const hinted = Number((await readFile(join(folder, HINT), 'utf8')).trim());
    return Number.isSafeInteger(hinted) && hinted > 0 ? hinted : undefined;
  } catch {
    return undefined;
  }
}

/** All versions that are in the folder, in no order; none when there is no such folder. */
export async function listVersions(folder: string): Promise<number[]> {
  try {
    return (await readdir(folder)).map(versionOfName).filter((version) => version !== undefined);
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return [];
    throw diskError('list', folder, cause);
  }
}

/** Reads the newest version. Undefined when the folder has none. Throws `corrupt` or `unavailable`. */
export async function readNewest(folder: string, known?: number): Promise<MetadataVersion | undefined> {
  let version = await newestVersion(folder, known);
  while (version > 0) {
    const path = versionPath(folder, version);
    try {
      return { version, path, metadata: parseMetadata(await readFile(path, 'utf8'), path) };
    } catch (cause) {
      if (systemCode(cause) !== 'ENOENT') throw diskError('read', path, cause);
      // So many commits were made meanwhile that this version was removed.
      version = await newestVersion(folder);
    }
  }
  return undefined;
}

/** Tells a test where a commit is, so that it can end it there. */
export type StepHook = (step: string) => void;

/**
 * Makes `next` the version after `base` (null: the first), if nobody else has made that version: true, or false and
 * nothing has changed. Throws `unavailable` when the disk refuses, and then the outcome is unknown only if the refusal
 * came from the link itself: look for what was to be committed before trying again.
 */
export async function swapMetadata(
  folder: string,
  base: MetadataVersion | null,
  next: TableMetadata,
  onStep: StepHook = () => undefined,
): Promise<boolean> {
  const version = (base?.version ?? 0) + 1;
  const path = versionPath(folder, version);
  const temporary = join(folder, `.${randomUUID()}.metadata.json.tmp`);
  try {
    await writeDurably(temporary, JSON.stringify(next));
    onStep('metadata written');
    await syncPath(folder);
    onStep('folder synced');
    if (!(await linkIfFree(temporary, path))) return false;
    onStep('linked');
    if (base !== null && !(await exists(base.path)) && (await isOverrun(folder, version))) return false;
    await syncPath(folder);
    onStep('link synced');
    return true;
  } finally {
    await removeQuietly(temporary);
  }
}

/**
 * Versions are removed from the oldest on. So if the base is still there after the link, the version after it had never
 * been removed, and the link was the first of its name. If the base is gone, this writer slept while others committed so
 * much that the name was free again: the link means nothing, and is taken back.
 */
async function isOverrun(folder: string, version: number): Promise<boolean> {
  const newest = Math.max(...(await listVersions(folder)));
  if (newest <= version) return false;
  await removeQuietly(versionPath(folder, version));
  return true;
}

/** After a commit: the hint for other readers, and old metadata files removed. Nothing here can undo the commit, so nothing throws. */
export async function settleMetadata(
  folder: string,
  version: number,
  onStep: StepHook = () => undefined,
): Promise<void> {
  await replaceFile(join(folder, HINT), String(version), join(folder, `.${randomUUID()}.hint.tmp`)).catch(
    () => undefined,
  );
  onStep('hint written');
  const firstKept = version - PREVIOUS_METADATA_FILES;
  await removeVersions(
    folder,
    Array.from({ length: REMOVAL_WINDOW }, (_, index) => firstKept - REMOVAL_WINDOW + index),
  );
  onStep('old metadata removed');
}

/** Removes versions that are given in rising order, and stops at one that stays: a later one must not go before it. */
async function removeVersions(folder: string, versions: readonly number[]): Promise<void> {
  for (const version of versions) {
    if (version > 0 && !(await removed(versionPath(folder, version)))) return;
  }
}

/** Removes all versions but the newest and the kept ones before it: those too that a killed writer left. */
export async function removeOldVersions(folder: string, newest: number): Promise<void> {
  const old = (await listVersions(folder)).filter((version) => version < newest - PREVIOUS_METADATA_FILES);
  await removeVersions(
    folder,
    old.sort((a, b) => a - b),
  );
}

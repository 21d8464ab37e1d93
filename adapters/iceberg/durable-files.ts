import { link, open, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { GlasshouseError, messageOf } from '../../core/errors.ts';

const REMEDY: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space; the table is as it was.',
  EDQUOT: 'The disk quota is used up: free some space; the table is as it was.',
  EROFS: 'The file system is read-only: mount it writable.',
  EACCES: 'Give this user the right to write there.',
  EPERM:
    'The file system refused it: use one that has hard links (not FAT or exFAT), and a folder that this user owns.',
  EMFILE: 'Too many files are open: raise the limit with "ulimit -n".',
};

/** The code of a system error, like `ENOENT`. */
export function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** An `unavailable` error that names the path and what can be done. A GlasshouseError stays what it is. */
export function diskError(action: string, path: string, cause: unknown): GlasshouseError {
  if (cause instanceof GlasshouseError) return cause;
  const remedy =
    REMEDY[systemCode(cause) ?? ''] ?? 'Check the disk and the folder, then run again; the table is as it was.';
  return new GlasshouseError('unavailable', `Cannot ${action} ${path}: ${messageOf(cause)}. ${remedy}`, { cause });
}

/** Writes a new file and waits until the disk has it. Leaves nothing behind when it fails with `unavailable`. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') await removeQuietly(path);
    throw diskError('write', path, cause);
  }
}

/** Waits until the disk has a file that another program wrote, or the entries of a directory. */
export async function syncPath(path: string): Promise<void> {
  try {
    const file = await open(path, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw diskError('sync', path, cause);
  }
}

/** Gives a file a second name if that name is free: the compare-and-swap. False when the name is taken. */
export async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false;
    throw diskError('create', to, cause);
  }
}

/** Replaces a small file at once, without waiting for the disk. `temporary` must be a name that nobody else uses. */
export async function replaceFile(path: string, text: string, temporary: string): Promise<void> {
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } catch (cause) {
    await removeQuietly(temporary);
    throw diskError('write', path, cause);
  }
}

/** Whether the path is there now. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' || systemCode(cause) === 'ENOTDIR') return false;
    throw diskError('look at', path, cause);
  }
}

/** Removes a file that is of no use. One that stays is garbage, which orphan removal finds, and no reason to fail. */
export async function removeQuietly(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

/** Removes a file; false when it could not be, true when it is gone or was never there. */
export async function removed(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (cause) {
    return systemCode(cause) === 'ENOENT';
  }
}

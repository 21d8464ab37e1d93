import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GlasshouseError, messageOf } from '../../core/errors.ts';

/** A file's text, or null where there is no such file. */
export async function readTextIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return null;
    throw unusable(path, thrown);
  }
}

/** Replaces a file as one step: a reader, or a start after a crash, sees all of the old text or all of the new. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = await writeBeside(path, text);
  try {
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (thrown) {
    await removeTemporary(temporary);
    throw unusable(path, thrown);
  }
}

/** Makes a file with its text as one step; false where a file of that name is there already, which stays as it is. */
export async function createFile(path: string, text: string): Promise<boolean> {
  const temporary = await writeBeside(path, text);
  try {
    await link(temporary, path);
    await syncFolder(dirname(path));
    return true;
  } catch (thrown) {
    if (isCode(thrown, 'EEXIST')) return false;
    throw unusable(path, thrown);
  } finally {
    await removeTemporary(temporary);
  }
}

async function writeBeside(path: string, text: string): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    return temporary;
  } catch (thrown) {
    await removeTemporary(temporary);
    throw unusable(path, thrown);
  }
}

/** One that stays is garbage; that it could not be removed must not hide why the work failed. */
async function removeTemporary(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

/** Makes the names in a folder as durable as the files are. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Whether something thrown is a system error of this code, such as `ENOENT`. */
export function isCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === code;
}

/** An error for a file that cannot be read or written, with what to do about it. */
export function unusable(path: string, thrown: unknown): GlasshouseError {
  if (thrown instanceof GlasshouseError) return thrown;
  const remedy = isCode(thrown, 'ENOSPC')
    ? 'The disk is full: free some room and start again; nothing that was committed is lost.'
    : 'See that the folder is there, and that this user may write in it.';
  return new GlasshouseError('unavailable', `Cannot use the file ${path}: ${messageOf(thrown)}. ${remedy}`, {
    cause: thrown,
  });
}

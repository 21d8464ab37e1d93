import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GlasshouseError } from '../core/errors.ts';
import { isCode, unusable } from '../adapters/files/atomic-file.ts';

/**
 * Takes a mirror's folder for this process: the merge of a state must have one writer, since its mark covers all that the
 * changelog had before. A lock that a killed process left behind is taken over. Throws `unavailable` where another process
 * is at work. Returns what gives the folder back.
 */
export async function lockFolder(lockFile: string): Promise<() => Promise<void>> {
  await mkdir(dirname(lockFile), { recursive: true }).catch((thrown: unknown) => {
    throw unusable(dirname(lockFile), thrown);
  });
  for (let attempt = 1; ; attempt++) {
    if (await createLock(lockFile)) return () => rm(lockFile, { force: true });
    const holder = await readHolder(lockFile);
    if ((holder !== null && isAlive(holder)) || attempt > 3) throw heldBy(lockFile, holder);
    await rm(lockFile, { force: true });
  }
}

async function createLock(lockFile: string): Promise<boolean> {
  try {
    const file = await open(lockFile, 'wx');
    try {
      await file.writeFile(String(process.pid));
    } finally {
      await file.close();
    }
    return true;
  } catch (thrown) {
    if (isCode(thrown, 'EEXIST')) return false;
    throw unusable(lockFile, thrown);
  }
}

async function readHolder(lockFile: string): Promise<number | null> {
  const text = await readFile(lockFile, 'utf8').catch(() => '');
  return /^\d+$/.test(text) ? Number(text) : null;
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it is there, and another user's.
    return isCode(thrown, 'EPERM');
  }
}

function heldBy(lockFile: string, holder: number | null): GlasshouseError {
  return new GlasshouseError(
    'unavailable',
    `Process ${holder ?? 'unknown'} is writing to this mirror (${lockFile}): stop it first, or name another folder with --dir.`,
  );
}

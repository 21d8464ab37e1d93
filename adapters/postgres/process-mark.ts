import { readFileSync } from 'node:fs';

/** A process, told from a later one of the same id by when it began (null where the system does not say). */
export interface ProcessMark {
  readonly pid: number;
  readonly began: string | null;
}

export function processMark(pid: number): ProcessMark {
  return { pid, began: beganAt(pid) };
}

/** Whether a running process of this id may be a PostgreSQL server: after a reboot another program may have the id. */
export function isPostgres(pid: number): boolean {
  if (!pidIsAlive(pid)) return false;
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres');
  } catch {
    // No /proc here (or the process has just ended): whoever asks finds out by connecting.
    return true;
  }
}

export function isAlive(mark: ProcessMark): boolean {
  return pidIsAlive(mark.pid) && (mark.began === null || beganAt(mark.pid) === mark.began);
}

function pidIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // It is there, and it is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** An orphan of a killed process stays in the table of processes until whoever inherits it looks; it runs no more. */
function isZombie(pid: number): boolean {
  return statFields(pid)?.[0] === 'Z';
}

/** The start time of a process in clock ticks since boot, where the system has /proc; else null. */
function beganAt(pid: number): string | null {
  return statFields(pid)?.[19] ?? null;
}

/** The fields of /proc/PID/stat from the third (the state) on. The second is in parentheses and may hold anything. */
function statFields(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

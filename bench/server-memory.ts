import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../local/layout.ts';

/** Watches the memory of the PostgreSQL that a mirror's folder has. */
export interface ServerMemory {
  /** Ends the watch. Gives the most bytes that its processes had resident together; null where nothing could be seen. */
  stop(): number | null;
}

const LOOK_EVERY_MS = 500;

/** Looks at the server's processes twice a second, from outside. What they share is counted once. */
export function watchServerMemory(dir: string): ServerMemory {
  const pidFile = join(layoutOf(dir).warehouse, 'data', 'postmaster.pid');
  let peak: number | null = null;
  const timer = setInterval(() => {
    const server = serverPid(pidFile);
    if (server === null) return;
    const bytes = [server, ...childrenOf(server)].reduce((sum, pid) => sum + residentBytes(pid), 0);
    if (bytes > 0) peak = Math.max(peak ?? 0, bytes);
  }, LOOK_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

function serverPid(pidFile: string): number | null {
  const pid = Number(textOf(pidFile)?.split('\n')[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

function childrenOf(parent: number): number[] {
  try {
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
    return pids.filter((pid) => parentOf(pid) === parent);
  } catch {
    // No /proc on this system.
    return [];
  }
}

function parentOf(pid: number): number | null {
  const stat = textOf(`/proc/${pid}/stat`);
  // The name of the program stands in parentheses and may hold anything.
  return stat === null ? null : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** Its own pages, and its share of those that several processes have; 0 where the process has ended or is not ours to see. */
function residentBytes(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

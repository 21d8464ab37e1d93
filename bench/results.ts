import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Figure, isMet } from './figure.ts';

/** What `bench/results.json` holds: figures, each with where and when it was measured last. */
export interface Results {
  readonly figures: readonly (Figure & { readonly met: boolean | null; readonly measuredOn: Circumstances })[];
}

/** Where and when something was measured. */
export interface Circumstances {
  readonly date: string;
  /** The commit's id, and `+` where the files were not as committed; null without git. */
  readonly commit: string | null;
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
}

/** Writes the figures. Those that were not measured now stay as they were, so that a part can be measured again. */
export async function writeResults(projectFolder: string, figures: readonly Figure[]): Promise<void> {
  const path = join(projectFolder, 'bench', 'results.json');
  const measuredOn = circumstances(projectFolder);
  const fresh = figures.map((figure) => ({ ...figure, met: isMet(figure), measuredOn }));
  const results = mergeResults(await readResults(path), { figures: fresh });
  await writeFile(path, `${JSON.stringify(results, null, 2)}\n`);
}

/** The figures of both, the fresh ones in place of older ones of their name. */
export function mergeResults(older: Results, fresh: Results): Results {
  const named = new Map([...older.figures, ...fresh.figures].map((figure) => [figure.name, figure]));
  return { figures: [...named.values()] };
}

async function readResults(path: string): Promise<Results> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Results;
  } catch {
    // None yet, or one that a kill cut short: all is measured again sooner or later.
    return { figures: [] };
  }
}

function circumstances(projectFolder: string): Circumstances {
  const cores = cpus();
  return {
    date: new Date().toISOString(),
    commit: commitId(projectFolder),
    node: process.version,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryBytes: totalmem(),
  };
}

function commitId(projectFolder: string): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: projectFolder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const id = git('rev-parse', 'HEAD');
    const changed = git('status', '--porcelain', '--', ':!bench/results.json');
    return changed === '' ? id : `${id}+`;
  } catch {
    return null;
  }
}

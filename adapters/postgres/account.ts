import { spawnSync } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GlasshouseError } from '../../core/errors.ts';
import type { PostgresBinaries } from './binaries.ts';
import { binariesIn, reachableByEverybody } from './binaries.ts';

/** `nobody`: PostgreSQL refuses to run as root, and this account is on every Unix. */
const NOBODY = 65534;

/**
 * Under whom the server runs.
 * `self`: who we are, which is not root.
 * `nobody`: we are root, and that account can reach both the binaries and the data.
 * `namespace`: we are root, and it cannot (as below a home folder of mode 0700): a user namespace in which we are called nobody.
 */
export type Account = 'self' | 'nobody' | 'namespace';

/** Where the binaries are, and how to run them. */
export interface Runner {
  readonly account: Account;
  readonly binaries: PostgresBinaries;
}

/** Chooses the account that can reach `folder` (which exists) and binaries that it can run. */
export function chooseRunner(found: PostgresBinaries, folder: string): Runner {
  if (process.getuid?.() !== 0) return { account: 'self', binaries: found };
  if (reachableByEverybody(folder)) {
    const binaries = reachableByEverybody(found.postgres) ? found : copyBinaries(found);
    return { account: 'nobody', binaries };
  }
  if (namespaceWorks(found)) return { account: 'namespace', binaries: found };
  throw new GlasshouseError(
    'unavailable',
    `PostgreSQL does not run as root, and the account nobody cannot reach ${folder}. ` +
      'Choose a folder below one that every user may enter (not a home folder of mode 0700), or run as another user.',
  );
}

/** What to spawn for a program of the server. */
export function commandFor(
  runner: Runner,
  program: string,
  args: readonly string[],
): { readonly file: string; readonly args: readonly string[]; readonly identity: { uid?: number; gid?: number } } {
  switch (runner.account) {
    case 'self':
      return { file: program, args, identity: {} };
    case 'nobody':
      return { file: program, args, identity: { uid: NOBODY, gid: NOBODY } };
    case 'namespace':
      return { file: 'unshare', args: [...namespaceArgs(), '--', program, ...args], identity: {} };
  }
}

/** Gives a file or folder, with all that it holds, to the account that the server runs under. */
export function giveTo(runner: Runner, path: string): void {
  if (runner.account === 'self') return;
  const owner = runner.account === 'nobody' ? NOBODY : 0;
  if (lstatSync(path).uid === owner) return;
  giveAll(path, owner);
}

function giveAll(path: string, owner: number): void {
  const found = lstatSync(path);
  if (found.isDirectory()) {
    for (const name of readdirSync(path)) giveAll(join(path, name), owner);
    // The folder itself comes last: as long as its owner is another, an interrupted change is taken up again.
    chownSync(path, owner, owner);
  } else {
    lchownSync(path, owner, owner);
  }
}

function namespaceArgs(): readonly string[] {
  return ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`];
}

function namespaceWorks(binaries: PostgresBinaries): boolean {
  return spawnSync('unshare', [...namespaceArgs(), '--', binaries.postgres, '--version']).status === 0;
}

/** Copies the binaries (60 MB, a quarter of a second) to where everybody can read them; kept for the next start. */
function copyBinaries(found: PostgresBinaries): PostgresBinaries {
  const place = join(tmpdir(), `glasshouse-postgres-${found.version}`);
  if (!existsSync(place)) {
    const fresh = mkdtempSync(`${place}.`);
    cpSync(found.root, fresh, { recursive: true, verbatimSymlinks: true });
    chmodSync(fresh, 0o755);
    try {
      renameSync(fresh, place);
    } catch {
      // Another start put its copy there first.
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  // The temporary folder is everybody's: what is not ours alone must not be run.
  const { uid, mode } = lstatSync(place);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new GlasshouseError(
      'unavailable',
      `${place} belongs to another user, so its PostgreSQL is not run. Remove it, then start again.`,
    );
  }
  return binariesIn(place, found.version);
}

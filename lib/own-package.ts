import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GlasshouseError } from '../core/errors.ts';

/** This package, wherever its bundler put this module: its folder and its version. */
export const OWN_PACKAGE = ownPackage();

function ownPackage(): { readonly folder: string; readonly version: string } {
  for (let folder = dirname(fileURLToPath(import.meta.url)); dirname(folder) !== folder; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown; version?: unknown };
    if (name === 'glasshouse' && typeof version === 'string') return { folder, version };
  }
  throw new GlasshouseError(
    'bug',
    `No package.json of Glasshouse above ${import.meta.url}; install the package again.`,
  );
}

/** Where `npm run build` puts the bundles of the functions: one folder a role, with `index.mjs`. */
export const OWN_BUNDLES = join(OWN_PACKAGE.folder, 'dist', 'lambdas');

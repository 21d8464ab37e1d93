import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version in the package.json above this module, wherever the bundler put it. */
export const VERSION = packageVersion();

function packageVersion(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); dirname(folder) !== folder; folder = dirname(folder)) {
    try {
      const description = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        readonly name?: unknown;
        readonly version?: unknown;
      };
      if (description.name === 'glasshouse' && typeof description.version === 'string') return description.version;
    } catch {
      // No package.json in this folder: the next one above may have it.
    }
  }
  return 'unknown';
}

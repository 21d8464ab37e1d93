import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The built script of a thread of ours, such as `scan-worker`; null where this code was not built, as in tests: what the
 * thread would do is then done in this one.
 */
export function builtScript(name: string): string | null {
  if (import.meta.url.endsWith('.ts')) return null;
  const places = [`./local/${name}.js`, `../local/${name}.js`, `./${name}.js`];
  return places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path)) ?? null;
}

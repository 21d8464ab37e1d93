import { build, type BuildFailure, type Message, type Plugin } from 'esbuild';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Mirror, type MirrorConfig, validateMirror } from '../../core/config.ts';
import { GlasshouseError, messageOf } from '../../core/errors.ts';

/** The names that a configuration is looked for under, in this order. */
export const CONFIG_FILE_NAMES = ['glasshouse.config.ts', 'glasshouse.config.mjs', 'glasshouse.config.js'] as const;

/** The path of the configuration in a folder, or null where there is none. */
export function findConfigFile(folder: string): string | null {
  const name = CONFIG_FILE_NAMES.find((candidate) => existsSync(join(folder, candidate)));
  return name === undefined ? null : join(folder, name);
}

/** A configuration as it is written, and what it means. */
export interface LoadedConfig {
  readonly config: MirrorConfig;
  readonly mirror: Mirror;
}

/** `loadConfig`, for those who need only what it means. */
export async function loadConfigFile(path: string): Promise<Mirror> {
  return (await loadConfig(path)).mirror;
}

/**
 * Loads a configuration: bundles it (TypeScript or JavaScript, with whatever it imports), takes its default export and
 * checks that. `glasshouse` resolves to this package, wherever the file lies.
 * @param path absolute, or relative to the working directory
 * @throws GlasshouseError `config` where it is missing, cannot be compiled, throws, exports nothing or is not valid
 */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const file = resolve(path);
  const shown = shownPath(file);
  if (!existsSync(file)) {
    throw new GlasshouseError(
      'config',
      `There is no ${shown}; run \`glasshouse init\` to write one, or name another with --config PATH.`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'glasshouse-config-'));
  try {
    const module = join(folder, 'config.mjs');
    await compile(file, module);
    const exported = await importedDefault(module, file);
    const mirror = validated(exported, shown);
    // It passed the check of its shape.
    return { config: exported as MirrorConfig, mirror };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compile(file: string, outfile: string): Promise<void> {
  try {
    await build({
      entryPoints: [file],
      outfile,
      absWorkingDir: dirname(file),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      sourcemap: 'inline',
      logLevel: 'silent',
      plugins: [ownPackage],
      // The configuration runs from another folder; what it asks about itself, and what it requires, must not notice.
      define: {
        'import.meta.url': JSON.stringify(pathToFileURL(file).href),
        'import.meta.filename': JSON.stringify(file),
        'import.meta.dirname': JSON.stringify(dirname(file)),
      },
      banner: {
        js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(${JSON.stringify(file)});`,
      },
    });
  } catch (thrown) {
    const errors = (thrown as Partial<BuildFailure>).errors ?? [];
    const places = errors.map((error) => `  ${placeText(error, dirname(file))}${error.text}`);
    const detail = places.length > 0 ? `:\n${places.join('\n')}` : `: ${messageOf(thrown)}`;
    throw new GlasshouseError('config', `${shownPath(file)} cannot be compiled${detail}`, { cause: thrown });
  }
}

function placeText(error: Message, folder: string): string {
  const place = error.location;
  return place ? `${shownPath(resolve(folder, place.file))}:${place.line}:${place.column + 1}: ` : '';
}

/**
 * A configuration may lie where no node_modules is: `glasshouse` is this very package, built or from source. Of its public
 * face a configuration needs `define` only: the constructs would load the CDK, which takes a second and may not be there.
 */
const ownPackage: Plugin = {
  name: 'glasshouse',
  setup(compiler) {
    const entry = ownEntry();
    compiler.onResolve({ filter: /^glasshouse$/ }, () =>
      entry.endsWith('.ts') ? { path: entry } : { path: pathToFileURL(entry).href, external: true },
    );
    // What this package itself imports is loaded as installed: to bundle it would take seconds. (Only in the source tree.)
    compiler.onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
      if (!importer.startsWith(join(dirname(entry), 'core')) || path.startsWith('node:')) return undefined;
      return { path: pathToFileURL(createRequire(entry).resolve(path)).href, external: true };
    });
  },
};

/** The nearest `define` above this module, beside the built files or in the source tree. */
function ownEntry(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const entry = ['define.js', 'define.ts']
      .map((name) => join(folder, name))
      .find((candidate) => existsSync(candidate));
    if (entry !== undefined) return entry;
    if (dirname(folder) === folder)
      throw new GlasshouseError('bug', `No define file stands above ${import.meta.url}; install the package again.`);
  }
}

async function importedDefault(module: string, file: string): Promise<unknown> {
  process.setSourceMapsEnabled(true);
  try {
    const exported = (await import(pathToFileURL(module).href)) as { readonly default?: unknown };
    if (exported.default !== undefined) return exported.default;
  } catch (thrown) {
    throw new GlasshouseError(
      'config',
      `${shownPath(file)} threw while it was loaded${throwPlace(thrown, file)}: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  } finally {
    process.setSourceMapsEnabled(false);
  }
  throw new GlasshouseError(
    'config',
    `${shownPath(file)} has no default export; end it with \`export default defineMirror({ ... })\`.`,
  );
}

/** ` (line 12)`, where the stack tells. */
function throwPlace(thrown: unknown, file: string): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const line = stack
    .split('\n')
    .find((frame) => frame.includes(basename(file)))
    ?.match(/:(\d+):\d+\)?$/)?.[1];
  return line === undefined ? '' : ` (line ${line})`;
}

function validated(exported: unknown, shown: string): Mirror {
  try {
    return validateMirror(exported);
  } catch (thrown) {
    if (!(thrown instanceof GlasshouseError)) throw thrown;
    throw new GlasshouseError('config', thrown.message.replace(/^The configuration/, shown), { cause: thrown });
  }
}

/** Relative to the working directory where that is shorter to read. */
function shownPath(file: string): string {
  const fromHere = relative(process.cwd(), file);
  return fromHere.startsWith('..') || fromHere === '' ? file : fromHere;
}

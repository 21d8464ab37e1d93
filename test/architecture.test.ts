import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const RINGS = ['bin', 'cli', 'lib', 'lambdas', 'local', 'deployed', 'adapters', 'flows', 'core'] as const;

/** What each ring may import: folders of ours, and patterns of packages. A ring may always import itself. */
const MAY: Readonly<Record<(typeof RINGS)[number], { readonly rings: readonly string[]; readonly packages: RegExp }>> =
  {
    core: { rings: [], packages: /^node:crypto$/ },
    flows: { rings: ['core'], packages: /^node:(crypto|timers\/promises)$/ },
    adapters: { rings: ['core', 'flows'], packages: /./ },
    local: { rings: ['core', 'flows', 'adapters'], packages: /^(node:.*|dynalite.*|@aws-sdk\/.*|zod)$/ },
    deployed: { rings: ['core', 'flows', 'adapters'], packages: /^(node:.*|@aws-sdk\/.*)$/ },
    lambdas: { rings: ['core', 'flows', 'adapters'], packages: /^(node:.*|@aws-lambda-powertools\/.*)$/ },
    cli: { rings: ['core', 'local', 'deployed', 'adapters/files'], packages: /^(node:.*|commander)$/ },
    lib: { rings: ['core'], packages: /^(node:.*|aws-cdk-lib.*|constructs)$/ },
    bin: { rings: ['cli', 'lib', 'adapters/files'], packages: /^(node:.*|aws-cdk-lib.*)$/ },
  };
const VAGUE = /^(utils?|helpers?|common|base|managers?|services?|types?|data)\.ts$/;
const IMPORT = /^(?:import|export)\s(type\s)?(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
/** What `glasshouse init` writes has an import in its text. */
const TEMPLATES: ReadonlySet<string> = new Set(['cli/config-template.ts']);

interface Import {
  readonly file: string;
  readonly specifier: string;
  /** The file it names, from the root; null where it is a package. */
  readonly target: string | null;
  /** Types only: nothing of it is left when the program runs. */
  readonly isType: boolean;
}

const files = RINGS.flatMap((ring) => sourcesIn(ring));
const imports = files.flatMap((file) => importsOf(file));

function sourcesIn(folder: string): string[] {
  const entries = readdirSync(ROOT).includes(folder.split('/')[0] ?? '')
    ? readdirSync(join(ROOT, folder), { withFileTypes: true })
    : [];
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? sourcesIn(path) : path.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(file: string): Import[] {
  if (TEMPLATES.has(file)) return [];
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, type, from, dynamic]) => {
    const specifier = from ?? dynamic ?? '';
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : null;
    return { file, specifier, target, isType: type !== undefined };
  });
}

function isAllowed({ file, specifier, target }: Import): boolean {
  const ring = RINGS.find((one) => file.startsWith(`${one}/`)) ?? 'core';
  if (target !== null) return [ring, ...MAY[ring].rings].some((folder) => target.startsWith(`${folder}/`));
  // The shape of the configuration is the one thing of the core that a library checks.
  return MAY[ring].packages.test(specifier) || (specifier === 'zod' && file.startsWith('core/config/'));
}

it('finds the source and its imports', () => {
  expect(files).toContain('core/merge.ts');
  expect(imports).toContainEqual({
    file: 'core/key.ts',
    specifier: './number.ts',
    target: 'core/number.ts',
    isType: false,
  });
});

it('every ring imports only what it may know of', () => {
  const broken = imports.filter((one) => !isAllowed(one));
  expect(broken.map(({ file, specifier }) => `${file} must not import ${specifier}`)).toEqual([]);
});

it('relative imports name a file that is there, with its .ts', () => {
  const known = new Set(files);
  const broken = imports.filter(({ target }) => target !== null && !known.has(target));
  expect(broken.map(({ file, specifier }) => `${file} imports ${specifier}, which is no source file`)).toEqual([]);
});

it('files are named for what they hold', () => {
  expect(files.filter((file) => VAGUE.test(basename(file)) || !/^[a-z0-9-]+\.ts$/.test(basename(file)))).toEqual([]);
});

it('no file imports itself by way of others', () => {
  const running = imports.filter((one) => !one.isType);
  const next = new Map(
    files.map((file) => [file, running.filter((one) => one.file === file).map((one) => one.target)]),
  );
  const settled = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (path.includes(file) || settled.has(file)) return;
    for (const target of next.get(file) ?? []) if (target !== null) visit(target, [...path, file]);
    settled.add(file);
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

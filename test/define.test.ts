import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** The packages that an entry imports, at once or later. */
async function packagesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    metafile: true,
    write: false,
    outdir: 'nowhere',
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map((one) => one.path));
  return [...new Set(imports)].filter((path) => !path.startsWith('node:')).sort();
}

it('a configuration loads the library that checks it, and not the CDK', async () => {
  expect(await packagesOf('define.ts')).toEqual(['zod']);
});

it('the command line works where the CDK is not installed', async () => {
  const packages = await packagesOf('bin/glasshouse.ts');
  expect(packages.filter((path) => path.startsWith('aws-cdk-lib') || path.startsWith('constructs'))).toEqual([]);
});

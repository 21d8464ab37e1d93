// Bundles the command line, the CDK app, the public face and the bench into dist/, with packages outside, so that they load
// as installed; and each function into dist/lambdas/<role>/, with all that it needs inside.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { parse } from 'node:path';

const entryPoints = [
  'bin/glasshouse.ts',
  'bin/app.ts',
  'define.ts',
  'index.ts',
  'local/scan-worker.ts',
  'local/dynamodb-worker.ts',
  'bench/main.ts',
].filter((file) => existsSync(file));
rmSync('dist', { recursive: true, force: true });

const roles = existsSync('lambdas')
  ? readdirSync('lambdas')
      .filter((file) => file.endsWith('.ts'))
      .map((file) => parse(file).name)
  : [];

await Promise.all([
  build({
    entryPoints,
    outdir: 'dist',
    outbase: '.',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
    logLevel: 'warning',
  }),
  ...roles.map(bundleFunction),
]);

// Who installs the package needs its types. npm builds here both for an install and for a package, and only the latter says so.
if (['pack', 'publish'].includes(process.env.npm_command ?? '')) {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json'], {
    stdio: 'inherit',
  });
}

/** What is inside depends on the sources alone, so that a function is deployed anew only when it has changed. */
async function bundleFunction(role) {
  const { metafile } = await build({
    entryPoints: { index: `lambdas/${role}.ts` },
    outdir: `dist/lambdas/${role}`,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is imported only when it is needed is a file of its own: a cold start does not read it.
    splitting: true,
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    // Packages that are CommonJS inside call `require`, which a module does not have.
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    minify: true,
    treeShaking: true,
    legalComments: 'none',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  // Beside the folder, not in it: what Lambda is given must not change with a path of this machine.
  writeFileSync(`dist/lambdas/${role}.meta.json`, JSON.stringify(metafile));
}

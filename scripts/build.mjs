// Bundles the command line, the public face and the bench into dist/. Packages stay outside, so that they load as installed.
import { build } from 'esbuild';
import { existsSync, rmSync } from 'node:fs';

const entryPoints = [
  'bin/glasshouse.ts',
  'index.ts',
  'local/scan-worker.ts',
  'local/dynamodb-worker.ts',
  'bench/main.ts',
].filter((file) => existsSync(file));
rmSync('dist', { recursive: true, force: true });
await build({
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
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundles the writer into one file that Node runs as it is; gives the file's path. */
export async function bundleWriter(folder: string): Promise<string> {
  const outfile = join(folder, 'forked-writer.mjs');
  const entry = join(import.meta.dirname, 'forked-writer.ts');
  await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' });
  return outfile;
}

/** Runs a script to its end. Gives the exit code, or the signal that ended it, and what it wrote to standard error. */
export async function runScript(
  script: string,
  args: readonly string[],
): Promise<{ ended: number | string; errors: string }> {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { ended: signal ?? code ?? -1, errors };
}

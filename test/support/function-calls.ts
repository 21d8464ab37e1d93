import { build } from 'esbuild';
import { join } from 'node:path';
import type { FunctionRole } from '../../core/contract.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Commands that are in every client and that a function never sends. */
const NEVER_SENT: Readonly<Record<string, string>> = {
  CreateSessionCommand: 'S3 Express buckets only',
  DescribeEndpointsCommand: 'only where endpoint discovery is switched on',
};

/**
 * The AWS calls that a function's bundle can make: the SDK's commands that are left in it after everything that nobody uses
 * was shaken off. Without `Command`: `PutItem`. The clients that look for credentials are not counted: in Lambda they are
 * in the environment.
 */
export async function callsOf(role: FunctionRole): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [join(ROOT, `lambdas/${role}.ts`)],
    absWorkingDir: ROOT,
    bundle: true,
    // What is loaded later is a file of its own; in one file with the rest, nothing of it could be shaken off.
    splitting: true,
    write: false,
    outdir: 'nowhere',
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    treeShaking: true,
    logLevel: 'error',
  });
  const commands = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => {
      const command = /@aws-sdk\/client-[a-z0-9-]+\/.*\/commands\/(\w+Command)\.js$/.exec(file)?.[1];
      return command === undefined || bytesInOutput === 0 || command in NEVER_SENT ? [] : [command];
    }),
  );
  return [...new Set(commands)].map((command) => command.replace(/Command$/, '')).sort();
}

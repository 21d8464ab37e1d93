import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { GlasshouseError } from '../../core/errors.ts';

/** A command of the CDK, as arguments of node. */
export type CdkStep = 'deploy' | 'destroy';

/** What `node` is given to deploy or destroy every stack of a configuration. */
export function cdkArguments(
  step: CdkStep,
  place: { readonly configPath: string; readonly outputFolder: string },
): string[] {
  const agreed = step === 'deploy' ? ['--require-approval', 'never', '--progress', 'events'] : ['--force'];
  return [
    join('node_modules', 'aws-cdk', 'bin', 'cdk'),
    step,
    '--all',
    ...agreed,
    '--app',
    'node dist/bin/app.js',
    '-c',
    `config=${place.configPath}`,
    '--output',
    place.outputFolder,
  ];
}

/**
 * Runs node in the root of the repository, its output beside ours. In a process group of its own: a Ctrl-C that asks for the
 * end must not also end the clean-up that it asks for.
 * @throws GlasshouseError `unavailable` where it ends with anything but 0.
 */
export async function runNode(root: string, args: readonly string[], signal: AbortSignal | null): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const end = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0) return;
    throw new GlasshouseError(
      'unavailable',
      `node ${args.join(' ')} ended with ${code === null ? 'a signal' : `code ${code}`}; what it said stands above.`,
    );
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

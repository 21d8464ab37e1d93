import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { systemTiming } from '../../adapters/aws/timing.ts';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { openClients } from '../../deployed/clients.ts';
import { findDeployment } from '../../deployed/deployment.ts';
import { examine } from '../../deployed/doctor.ts';
import { statusOfDeployed } from '../../deployed/status.ts';
import { verifyDeployed } from '../../deployed/verify.ts';
import { USAGE, parseArguments } from './arguments.ts';
import { runNode } from './cdk.ts';
import { ALL_CHECKS } from './checks/all-checks.ts';
import { testOnAws } from './test-on-aws.ts';

/** Where the result is kept, from the root of the repository. */
const RESULT = join('docs', 'unverified-result.json');

/** Runs the test in this process, and returns its exit code: 2 for a mistake of who called it. */
export async function main(root: string, args: readonly string[]): Promise<number> {
  const scratch: { folder: string | null } = { folder: null };
  const stop = new AbortController();
  const onSignal = (): void => {
    console.error('Stopping; what was deployed is destroyed first, which takes minutes.');
    stop.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  let isKept = false;
  try {
    const options = parseArguments(args);
    if (options === null) {
      console.log(USAGE);
      return 0;
    }
    isKept = options.isKept;
    return await testOnAws(options, {
      openClients,
      runNode: (nodeArgs, signal) => runNode(root, nodeArgs, signal),
      confirm,
      print: (line) => {
        console.log(line);
      },
      keepResult: async (text) => {
        await writeFile(join(root, RESULT), text);
        return RESULT;
      },
      writeScratch: async (name, text) => {
        scratch.folder ??= await mkdtemp(join(tmpdir(), 'glasshouse-test-aws-'));
        const path = join(scratch.folder, name);
        await writeFile(path, text);
        return path;
      },
      random: () => randomBytes(4).toString('hex'),
      timing: systemTiming,
      signal: stop.signal,
      deployed: { examine, findDeployment, statusOfDeployed, verifyDeployed },
      checks: ALL_CHECKS,
    });
  } catch (thrown) {
    console.error(thrown instanceof GlasshouseError ? thrown.message : messageOf(thrown));
    return thrown instanceof GlasshouseError && (thrown.code === 'usage' || thrown.code === 'config') ? 2 : 1;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    // A mirror that stays is destroyed by the configuration that is in it.
    if (scratch.folder !== null && !isKept) await rm(scratch.folder, { recursive: true, force: true });
  }
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new GlasshouseError(
      'usage',
      'Nobody is there to be asked before the deploy: give --yes, after a look at the cost above.',
    );
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim());
  } finally {
    asking.close();
  }
}

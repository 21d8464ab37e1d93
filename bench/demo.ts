import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { GlasshouseError } from '../core/errors.ts';
import type { Measurement } from './figure.ts';
import { figureOf } from './figure.ts';
import { inScratchFolder } from './scratch-folder.ts';

/** The command line that was built beside the bench: `dist/bin/glasshouse.js`. */
function commandLine(): string {
  return join(dirname(process.argv[1] ?? ''), '..', 'bin', 'glasshouse.js');
}

/** Seconds from the call of `glasshouse demo` to its end, the proof printed. Throws where the proof fails. */
async function demoSeconds(words: readonly string[]): Promise<number> {
  return inScratchFolder(async (folder) => {
    const startedAtMs = performance.now();
    const child = spawn(process.execPath, [commandLine(), 'demo', '--dir', join(folder, 'demo'), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    if (code === 0) return (performance.now() - startedAtMs) / 1000;
    throw new GlasshouseError('bug', `glasshouse demo ended with ${code}:\n${said}`);
  });
}

export const demoMeasurement: Measurement = {
  name: 'demo',
  async measure(size, report) {
    const words = size === 'full' ? [] : ['--items', '50', '--changes', '100'];
    const rounds = size === 'full' ? 3 : 1;
    const seconds: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      report(`round ${round} of ${rounds}`);
      seconds.push(await demoSeconds(words));
    }
    return [
      figureOf(
        {
          name: 'demo',
          what: 'the demo that npm start runs, to its proof and end',
          unit: 's',
          goal: { of: 'measured', is: 'at most', value: 30 },
        },
        { measured: seconds },
      ),
    ];
  },
};

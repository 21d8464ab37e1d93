import { describe, expect, it } from 'vitest';
import { cdkArguments, runNode } from './cdk.ts';

const PLACE = { configPath: '/scratch/glasshouse.config.mjs', outputFolder: '/scratch/cdk.out' };

it('deploys and destroys every stack without asking, from the configuration of this test', () => {
  for (const step of ['deploy', 'destroy'] as const) {
    const args = cdkArguments(step, PLACE);
    expect(args.slice(1, 3)).toEqual([step, '--all']);
    expect(args).toContain('config=/scratch/glasshouse.config.mjs');
    expect(args).toContain('/scratch/cdk.out');
  }
  expect(cdkArguments('deploy', PLACE)).toEqual(expect.arrayContaining(['--require-approval', 'never']));
  expect(cdkArguments('destroy', PLACE)).toContain('--force');
});

describe('runNode', () => {
  it('ends well with the code 0, and tells any other', async () => {
    await runNode('.', ['-e', ''], null);
    await expect(runNode('.', ['-e', 'process.exit(3)'], null)).rejects.toThrow('ended with code 3');
  });

  it('is ended by a stop, and not begun after one', async () => {
    const stop = new AbortController();
    const running = runNode('.', ['-e', 'setInterval(() => {}, 1000)'], stop.signal);
    stop.abort();
    await expect(running).rejects.toThrow('ended with a signal');
    await expect(runNode('.', ['-e', ''], stop.signal)).rejects.toThrow();
  });
});

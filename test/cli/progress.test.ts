import { describe, expect, it } from 'vitest';
import { paintFor } from '../../cli/colour.ts';
import { createProgress, progressText } from '../../cli/progress.ts';
import type { ProgressEvent } from '../../local/results.ts';
import { recordingHost } from './recording-host.ts';

const EVENT: ProgressEvent = {
  phase: 'replaying',
  records: 412_000,
  total: 1_000_000,
  perSecond: 41_210,
  quarantined: 3,
  lagMs: { lakehouse: 400, warehouse: null },
  etaMs: 14_000,
};
const LINE = 'replaying: 412,000 of 1,000,000 records, 41,210/s, lag lakehouse 400 ms, 3 quarantined, 14.0 s left';

function progressOn(isTerminal: boolean, columns = 200) {
  const host = recordingHost({ isTerminal, columns });
  return { host, progress: createProgress(host.stderr, paintFor(false, {}), () => host.now()) };
}

describe('the progress line', () => {
  it('says what is known and leaves out the rest', () => {
    expect(progressText(EVENT)).toBe(LINE);
    expect(
      progressText({
        phase: 'streaming',
        records: 1,
        perSecond: 0,
        quarantined: 0,
        lagMs: { lakehouse: null, warehouse: null },
      }),
    ).toBe('streaming: 1 records, 0/s');
  });

  it('is silent in the first second', () => {
    const { host, progress } = progressOn(true);
    host.advance(999);
    progress.update(EVENT);
    progress.finish();
    expect(host.err()).toBe('');
  });

  it('is redrawn in its place on a terminal, and gone at the end', () => {
    const { host, progress } = progressOn(true);
    host.advance(1000);
    progress.update(EVENT);
    progress.update(EVENT);
    host.advance(100);
    progress.update(EVENT);
    progress.finish();
    expect(host.err()).toBe(`\r\u001b[2K${LINE}`.repeat(2) + '\r\u001b[2K');
  });

  it('is never wider than the terminal', () => {
    const { host, progress } = progressOn(true, 20);
    host.advance(1000);
    progress.update(EVENT);
    expect(host.err()).toBe('\r\u001b[2Kreplaying: 412,000…');
  });

  it('makes room for a line of the log', () => {
    const { host, progress } = progressOn(true);
    host.advance(1000);
    progress.update(EVENT);
    progress.log('a note');
    expect(host.err()).toBe(`\r\u001b[2K${LINE}\r\u001b[2Ka note\n${LINE}`);
  });

  it('is a plain line every five seconds elsewhere', () => {
    const { host, progress } = progressOn(false);
    for (let second = 0; second < 11; second++) {
      host.advance(1000);
      progress.update(EVENT);
    }
    progress.finish();
    expect(host.err()).toBe(`${LINE}\n`.repeat(3));
  });
});

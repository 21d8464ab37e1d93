import { describe, expect, it } from 'vitest';
import { measureFreshness, percentile } from './freshness.ts';

describe('percentile', () => {
  it.each([
    [[], 50, null],
    [[7], 95, 7],
    [[3, 1, 2], 50, 2],
    [Array.from({ length: 100 }, (_, n) => n + 1), 95, 95],
    [[1, 2], 0, 1],
  ])('of %j at %d is %j', (values, percent, expected) => {
    expect(percentile(values, percent)).toBe(expected);
  });
});

/** A world in which a target has a row so long after it was written; `Infinity`: never. */
function worldOf(lagMs: Readonly<Record<string, number>>, already = 0) {
  let now = 1_000_000;
  const writtenAt: number[] = [];
  return {
    writtenAt,
    ports: {
      write: () => Promise.resolve(void writtenAt.push(now)),
      takenIn: (target: string) =>
        Promise.resolve(already + writtenAt.filter((at) => at + (lagMs[target] ?? 0) <= now).length),
      now: () => now,
      wait: (ms: number) => Promise.resolve(void (now += ms)),
    },
  };
}

const PLAN = {
  targets: ['lakehouse', 'warehouse'],
  rows: 10,
  everyMs: 5_000,
  lookEveryMs: 1_000,
  patienceMs: 60_000,
} as const;

describe('measureFreshness', () => {
  it('tells when each target has each row, and does not count what it had before', async () => {
    const { ports, writtenAt } = worldOf({ lakehouse: 20_000, warehouse: 7_000 }, 500);
    expect(await measureFreshness(ports, PLAN)).toEqual({
      lakehouse: { p50Ms: 20_000, p95Ms: 20_000, rows: 10, unseen: 0 },
      warehouse: { p50Ms: 7_000, p95Ms: 7_000, rows: 10, unseen: 0 },
    });
    expect(writtenAt.map((at) => at - (writtenAt[0] ?? 0))).toEqual(Array.from({ length: 10 }, (_, n) => n * 5_000));
  });

  it('gives up on a target that has nothing, and tells so', async () => {
    const { ports } = worldOf({ lakehouse: 3_000, warehouse: Infinity });
    expect(await measureFreshness(ports, PLAN)).toMatchObject({
      lakehouse: { unseen: 0 },
      warehouse: { p50Ms: null, p95Ms: null, unseen: 10 },
    });
  });
});

import { describe, expect, it } from 'vitest';
import { adviceFor } from '../../../core/cost/advice.ts';
import { estimateCost } from '../../../core/cost/estimate.ts';
import { PRICES } from '../../../core/cost/prices.ts';
import { workloadOf } from '../../../core/cost/workload.ts';
import type { Workload } from '../../../core/cost/workload.ts';
import { validateMirror } from '../../../core/config.ts';

const LAKE: Workload = {
  tables: 1,
  changesPerSecond: 1000,
  rowBytes: 1000,
  rowsPerTable: 1_000_000,
  objectiveSeconds: 60,
  captureMemoryMb: 1769,
  captureWindowSeconds: 1,
  lakehouse: { mergeEveryMinutes: 1, bufferSeconds: 15 },
  warehouse: null,
};
const BOTH: Workload = {
  ...LAKE,
  warehouse: { place: { kind: 'new-serverless', baseCapacity: 8 }, dailyBudgetUsd: 10, bufferSeconds: 60 },
};

const lineOf = (workload: Workload, name: string) => estimateCost(workload).items.find((item) => item.item === name);

describe('estimateCost', () => {
  it('counts a change once for each target: 2.592 thousand million of 1.3 KB a month at a thousand a second', () => {
    expect(lineOf(BOTH, 'Firehose into Iceberg')?.quantity).toBeCloseTo(3369.6, 3);
    expect(lineOf(BOTH, 'Firehose into Iceberg')?.monthlyUsd).toBeCloseTo(3369.6 * PRICES.firehoseIceberg.usd, 3);
    expect(estimateCost(BOTH).changes).toBe(2_592_000_000);
  });

  it('rounds the staged records of a slow table up to 5 KB each', () => {
    const slow = { ...BOTH, changesPerSecond: 0.01 };
    const { items, changes } = estimateCost(slow);
    const staged = items.find((item) => item.item === 'Firehose into staging')?.quantity ?? 0;
    expect((staged * 1e9) / changes).toBeGreaterThan(5000);
    const fast = lineOf(BOTH, 'Firehose into staging')?.quantity ?? 0;
    expect(fast).toBeLessThan(3369.6 * 1.02);
  });

  it('reads at least 10 MB a merge, and the guard of every row of a large state', () => {
    expect(lineOf({ ...LAKE, rowsPerTable: 0, changesPerSecond: 1 }, 'Athena, merges')?.quantity).toBeCloseTo(0.432, 2);
    expect(lineOf({ ...LAKE, rowsPerTable: 1e9, changesPerSecond: 1 }, 'Athena, merges')?.quantity).toBeGreaterThan(
      1500,
    );
  });

  it('wakes Redshift as often as the objective asks for, within the budget', () => {
    // A wake-up of 8 RPU is billed 60 s: 5 cents.
    expect(estimateCost(BOTH).load).toMatchObject({ everySeconds: 432, isHeldByBudget: true });
    expect(lineOf(BOTH, 'Redshift Serverless, wake-ups')?.monthlyUsd).toBeCloseTo(300, 2);
    const rich = {
      ...BOTH,
      warehouse: { place: { kind: 'new-serverless', baseCapacity: 8 }, dailyBudgetUsd: 100, bufferSeconds: 60 },
    } as const;
    expect(estimateCost(rich).load).toMatchObject({ everySeconds: 60, isHeldByBudget: false });
  });

  it('wakes nothing where nothing changes, and merges nothing', () => {
    const idle = { ...BOTH, changesPerSecond: 0 };
    expect(lineOf(idle, 'Redshift Serverless, wake-ups')?.monthlyUsd).toBe(0);
    expect(lineOf(idle, 'Athena, merges')?.monthlyUsd).toBe(0);
    expect(estimateCost(idle)).toMatchObject({ changes: 0, usdPerMillionChanges: 0 });
  });

  it('counts a cluster of the mirror by the hour, and one that is there already not at all', () => {
    const place = { kind: 'new-cluster', nodeType: 'ra3.large', nodes: 2 } as const;
    const made: Workload = { ...BOTH, warehouse: { place, dailyBudgetUsd: 10, bufferSeconds: 60 } };
    expect(lineOf(made, 'Redshift cluster, 2 × ra3.large')?.monthlyUsd).toBeCloseTo(720 * 2 * 0.543, 3);
    const yours = { kind: 'cluster', identifier: 'a', copyRoleArn: 'r', dbUser: 'u', secretArn: null } as const;
    expect(
      lineOf({ ...made, warehouse: { place: yours, dailyBudgetUsd: 10, bufferSeconds: 60 } }, 'Redshift cluster')
        ?.monthlyUsd,
    ).toBe(0);
  });

  it('has only the parts of the targets that there are', () => {
    expect(new Set(estimateCost(LAKE).items.map((item) => item.part))).toEqual(
      new Set(['capture', 'lakehouse', 'operations']),
    );
  });
});

describe('adviceFor', () => {
  it('names what dominates, and what would lower it', () => {
    const advice = adviceFor(BOTH, estimateCost(BOTH));
    expect(advice.dominating?.item).toBe('Redshift Serverless, wake-ups');
    expect(advice.savings[0]).toMatchObject({ change: 'aws.redshift.dailyBudgetUsd: 5' });
    expect(advice.savings.map((one) => one.change)).toContain('aws.lakehouse.mergeEveryMinutes: 5');
  });

  it('tells nothing that is not worth telling', () => {
    const tiny = { ...LAKE, changesPerSecond: 0 };
    expect(adviceFor(tiny, estimateCost(tiny)).savings).toEqual([]);
  });
});

describe('workloadOf', () => {
  it('takes the settings of a configuration', () => {
    const mirror = validateMirror({
      name: 'shop',
      tables: { orders: {}, customers: {} },
      targets: { lakehouse: true, warehouse: true },
      freshness: { objectiveSeconds: 300 },
      aws: { redshift: { baseCapacity: 4 } },
    });
    expect(workloadOf(mirror, { changesPerSecond: 1, rowBytes: 2, rowsPerTable: 3 })).toEqual({
      tables: 2,
      changesPerSecond: 1,
      rowBytes: 2,
      rowsPerTable: 3,
      objectiveSeconds: 300,
      captureMemoryMb: 1769,
      captureWindowSeconds: 1,
      lakehouse: { mergeEveryMinutes: 1, bufferSeconds: 15 },
      warehouse: { place: { kind: 'new-serverless', baseCapacity: 4 }, dailyBudgetUsd: 10, bufferSeconds: 60 },
    });
  });
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { estimateCost } from '../../../core/cost/estimate.ts';
import type { Workload } from '../../../core/cost/workload.ts';

const workloads: fc.Arbitrary<Workload> = fc.record({
  tables: fc.integer({ min: 1, max: 50 }),
  changesPerSecond: fc.double({ min: 0, max: 50_000, noNaN: true }),
  rowBytes: fc.integer({ min: 1, max: 400_000 }),
  rowsPerTable: fc.integer({ min: 0, max: 1_000_000_000 }),
  objectiveSeconds: fc.integer({ min: 1, max: 86_400 }),
  captureMemoryMb: fc.integer({ min: 256, max: 10_240 }),
  captureWindowSeconds: fc.integer({ min: 0, max: 300 }),
  lakehouse: fc.option(
    fc.record({
      mergeEveryMinutes: fc.integer({ min: 1, max: 1440 }),
      bufferSeconds: fc.integer({ min: 0, max: 900 }),
    }),
  ),
  warehouse: fc.option(
    fc.record({
      place: fc.oneof(
        fc.record({ kind: fc.constant('new-serverless' as const), baseCapacity: fc.integer({ min: 4, max: 1024 }) }),
        fc.record({
          kind: fc.constant('new-cluster' as const),
          nodeType: fc.constant('ra3.large'),
          nodes: fc.integer({ min: 1, max: 8 }),
        }),
      ),
      dailyBudgetUsd: fc.double({ min: 0.01, max: 100_000, noNaN: true }),
      bufferSeconds: fc.integer({ min: 0, max: 900 }),
    }),
  ),
});

it('every line is finite and not negative, and they make the total', () => {
  fc.assert(
    fc.property(workloads, (workload) => {
      const { items, monthlyUsd } = estimateCost(workload);
      for (const item of items) expect(item.monthlyUsd, item.item).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(monthlyUsd)).toBe(true);
      expect(items.reduce((sum, item) => sum + item.monthlyUsd, 0)).toBeCloseTo(monthlyUsd, 6);
    }),
  );
});

it('more changes never cost less', () => {
  fc.assert(
    fc.property(workloads, fc.double({ min: 1, max: 100, noNaN: true }), (workload, times) => {
      const more = { ...workload, changesPerSecond: workload.changesPerSecond * times };
      expect(estimateCost(more).monthlyUsd).toBeGreaterThanOrEqual(estimateCost(workload).monthlyUsd * 0.999_999);
    }),
  );
});

it('waking Redshift Serverless never costs more than its budget', () => {
  fc.assert(
    fc.property(workloads, (workload) => {
      const { items, load } = estimateCost(workload);
      if (load === null || workload.warehouse === null) return;
      const wakeUps = items.find((item) => item.item === 'Redshift Serverless, wake-ups');
      expect(wakeUps?.monthlyUsd ?? 0).toBeLessThanOrEqual(workload.warehouse.dailyBudgetUsd * 30 * 1.000_001);
    }),
  );
});

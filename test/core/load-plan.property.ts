import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StagedMessage } from '../../core/load-plan.ts';
import { ALONE_FROM, FEW_FROM, planLoads } from '../../core/load-plan.ts';

const TABLES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const weigh = (table: string): number => (table === 'h' ? 1_000 : TABLES.indexOf(table) * 10 + 10);

const messages: fc.Arbitrary<StagedMessage[]> = fc
  .array(
    fc.record({
      receives: fc.integer({ min: 1, max: 6 }),
      objects: fc.array(fc.record({ table: fc.constantFrom(...TABLES), number: fc.integer({ min: 0, max: 30 }) }), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
    { maxLength: 60 },
  )
  .map((all) =>
    all.map(({ receives, objects }, index) => ({
      handle: `h${index}`,
      receives,
      objects: objects.map(({ table, number }) => ({ table, url: `${table}/${number}`, bytes: 1 })),
    })),
  );

const limits = fc.record({
  tables: fc.integer({ min: 1, max: 8 }),
  bytes: fc.integer({ min: 20, max: 300 }),
  objects: fc.integer({ min: 1, max: 40 }),
});

describe('the division into loads', () => {
  it('has every message in exactly one load, with all of its objects', () => {
    fc.assert(
      fc.property(messages, limits, (all, given) => {
        const loads = planLoads(all, weigh, given);
        for (const message of all) {
          const holding = loads.filter((load) =>
            Object.values(load).some(({ handles }) => handles.includes(message.handle)),
          );
          expect(holding).toHaveLength(1);
          for (const { table, url } of message.objects) {
            expect(holding[0]?.[table]?.objectUrls).toContain(url);
            expect(holding[0]?.[table]?.handles).toContain(message.handle);
          }
        }
        const handles = loads.flatMap((load) => [...new Set(Object.values(load).flatMap((part) => part.handles))]);
        expect(handles).toHaveLength(all.length);
      }),
    );
  });

  it('passes no limit, but for a message that passes it by itself', () => {
    fc.assert(
      fc.property(messages, limits, (all, given) => {
        for (const load of planLoads(all, weigh, given)) {
          const tables = Object.keys(load);
          const handles = new Set(Object.values(load).flatMap((part) => part.handles));
          if (handles.size === 1) continue;
          expect(tables.length).toBeLessThanOrEqual(given.tables);
          expect(tables.reduce((sum, table) => sum + weigh(table), 0)).toBeLessThanOrEqual(given.bytes);
          expect(Object.values(load).flatMap((part) => part.objectUrls).length).toBeLessThanOrEqual(given.objects);
        }
      }),
    );
  });

  it('leaves what failed again and again with few others of its table, then alone', () => {
    fc.assert(
      fc.property(messages, limits, (all, given) => {
        const receives = new Map(all.map((message) => [message.handle, message.receives]));
        for (const load of planLoads(all, weigh, given)) {
          const handles = [...new Set(Object.values(load).flatMap((part) => part.handles))];
          const most = Math.max(...handles.map((handle) => receives.get(handle) ?? 0));
          const least = Math.min(...handles.map((handle) => receives.get(handle) ?? 0));
          if (most >= ALONE_FROM) expect(handles).toHaveLength(1);
          else if (most >= FEW_FROM) expect(least).toBeGreaterThanOrEqual(FEW_FROM);
        }
      }),
    );
  });

  it('names an object once, however often it was told of', () => {
    const twice = ['x', 'y'].map((handle) => ({
      handle,
      receives: 1,
      objects: [{ table: 'a', url: 'a/1', bytes: 1 }],
    }));
    expect(planLoads(twice, weigh, { tables: 6, bytes: 1000, objects: 300 })).toEqual([
      { a: { objectUrls: ['a/1'], handles: ['x', 'y'] } },
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadQuestion } from '../../core/load-cadence.ts';
import { costOf, decideLoad, wakeUpCost } from '../../core/load-cadence.ts';

const DAY_MS = 86_400_000;
const MIDNIGHT = Date.UTC(2026, 10, 22);
const HOUR_USD = 0.375;

const question: fc.Arbitrary<LoadQuestion> = fc
  .record({
    waiting: fc.integer({ min: 0, max: 5 }),
    at: fc.integer({ min: 0, max: DAY_MS - 1 }),
    waited: fc.integer({ min: 0, max: 2 * DAY_MS }),
    sinceLoad: fc.option(fc.integer({ min: 0, max: 2 * DAY_MS })),
    awakeFor: fc.integer({ min: -120_000, max: 60_000 }),
    spent: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 30, noNaN: true })),
    objective: fc.integer({ min: 1, max: 7200 }),
    budget: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 50, noNaN: true })),
    capacity: fc.constantFrom(0, 4, 8, 128),
  })
  .map(({ at, waited, sinceLoad, awakeFor, spent, objective, budget, capacity, waiting }) => ({
    waiting,
    oldestWaitingAtMillis: MIDNIGHT + at - waited,
    lastLoadAtMillis: sinceLoad === null ? null : MIDNIGHT + at - sinceLoad,
    awakeUntilMillis: MIDNIGHT + at + awakeFor,
    spentTodayUsd: spent,
    objectiveSeconds: objective,
    dailyBudgetUsd: budget,
    wakeUpUsd: wakeUpCost(capacity, HOUR_USD),
    nowMillis: MIDNIGHT + at,
  }));

/** When it loads at the earliest, as far as is known now. */
function dueAt(asked: LoadQuestion): number {
  const decision = decideLoad(asked);
  return decision.load ? asked.nowMillis : decision.untilMillis;
}

describe('the decision to load', () => {
  it('is no where nothing waits, whatever else', () => {
    fc.assert(
      fc.property(question, (asked) => {
        expect(decideLoad({ ...asked, waiting: 0 })).toEqual({
          load: false,
          untilMillis: Infinity,
          reason: 'nothing waits',
        });
      }),
    );
  });

  it('is yes at once where the time is paid for', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const awake = { ...asked, waiting: 1, wakeUpUsd: 0.05, awakeUntilMillis: asked.nowMillis + 1 };
        expect(decideLoad(awake)).toEqual({ load: true });
      }),
    );
  });

  it('is yes at the time that it gave, and no just before', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const decision = decideLoad({ ...asked, waiting: 1 });
        if (decision.load) return;
        expect(decision.untilMillis).toBeGreaterThan(asked.nowMillis);
        const later = Math.ceil(decision.untilMillis);
        // Past midnight a new budget decides.
        if (Math.floor(later / DAY_MS) !== Math.floor(asked.nowMillis / DAY_MS)) return;
        expect(decideLoad({ ...asked, waiting: 1, nowMillis: later })).toEqual({ load: true });
      }),
    );
  });

  it('waits for nothing but the objective where nothing costs', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const free = { ...asked, waiting: 1, wakeUpUsd: 0 };
        const due = asked.oldestWaitingAtMillis + asked.objectiveSeconds * 500;
        expect(dueAt(free)).toBe(Math.max(asked.nowMillis, due));
      }),
    );
  });

  it('never comes later for a budget that is greater, less that is spent, an objective that is tighter, or more that waits', () => {
    const more = fc.double({ min: 0, max: 20, noNaN: true });
    fc.assert(
      fc.property(question, more, (given, by) => {
        const asked = { ...given, waiting: 1 };
        const due = dueAt(asked);
        expect(dueAt({ ...asked, dailyBudgetUsd: asked.dailyBudgetUsd + by })).toBeLessThanOrEqual(due);
        expect(dueAt({ ...asked, spentTodayUsd: asked.spentTodayUsd + by })).toBeGreaterThanOrEqual(due);
        expect(dueAt({ ...asked, objectiveSeconds: asked.objectiveSeconds + by })).toBeGreaterThanOrEqual(due);
        expect(dueAt({ ...asked, oldestWaitingAtMillis: asked.oldestWaitingAtMillis - by * 1000 })).toBeLessThanOrEqual(
          due,
        );
        expect(dueAt({ ...asked, waiting: 9 })).toBe(due);
      }),
    );
  });
});

describe('a day of decisions', () => {
  const day = fc.record({
    budget: fc.double({ min: 0, max: 12, noNaN: true }),
    capacity: fc.constantFrom(4, 8, 32),
    objective: fc.integer({ min: 30, max: 3600 }),
    /** Seconds that loads take, and the share of minutes in which something is staged. */
    seconds: fc.integer({ min: 1, max: 60 }),
    busy: fc.constantFrom(0.02, 0.3, 1),
    seed: fc.integer(),
  });

  /** Looks every minute, and loads as it is told. */
  function live({
    budget,
    capacity,
    objective,
    seconds,
    busy,
    seed,
  }: typeof day extends fc.Arbitrary<infer T> ? T : never) {
    let oldest: number | null = null;
    let last: number | null = null;
    let awakeUntil = -Infinity;
    let spent = 0;
    let wakeUps = 0;
    let longest = 0;
    let lastWake = 0;
    for (let minute = 0; minute < 1440; minute++) {
      const now = MIDNIGHT + minute * 60_000;
      // A small generator: it only has to be uneven.
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      if (seed / 2 ** 32 < busy) oldest ??= now - 1;
      const decision = decideLoad({
        waiting: oldest === null ? 0 : 1,
        oldestWaitingAtMillis: oldest ?? 0,
        lastLoadAtMillis: last,
        awakeUntilMillis: awakeUntil,
        spentTodayUsd: spent,
        objectiveSeconds: objective,
        dailyBudgetUsd: budget,
        wakeUpUsd: wakeUpCost(capacity, HOUR_USD),
        nowMillis: now,
      });
      if (!decision.load || oldest === null) continue;
      longest = Math.max(longest, now - oldest);
      if (now >= awakeUntil) {
        wakeUps++;
        spent += costOf(60, capacity, HOUR_USD);
        awakeUntil = now + 60_000;
        lastWake = minute;
      }
      last = now + seconds;
      oldest = null;
    }
    return { spent, wakeUps, longest, lastWake };
  }

  it('never costs more than the budget, or than one wake-up where the budget is less', () => {
    fc.assert(
      fc.property(day, (given) => {
        const one = wakeUpCost(given.capacity, HOUR_USD);
        expect(live(given).spent).toBeLessThanOrEqual(Math.max(given.budget, one) + 1e-6);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the objective where the budget allows it', () => {
    fc.assert(
      fc.property(day, (given) => {
        const rich = { ...given, budget: 1e6 };
        expect(live(rich).longest).toBeLessThanOrEqual(given.objective * 500 + 60_000);
      }),
      { numRuns: 30 },
    );
  });

  it('spreads what there is till midnight', () => {
    for (const budget of [0.2, 0.5, 1, 2, 5]) {
      const lived = live({ budget, capacity: 8, objective: 60, seconds: 5, busy: 1, seed: 1 });
      const affordable = Math.floor(budget / wakeUpCost(8, HOUR_USD) + 1e-9);
      expect(lived.wakeUps).toBeGreaterThanOrEqual(affordable - 1);
      // The last gap is no longer than the others, but for a look's minute each.
      expect(1440 - lived.lastWake).toBeLessThanOrEqual(1440 / affordable + 2);
    }
  });
});

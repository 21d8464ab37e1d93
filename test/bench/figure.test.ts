import { describe, expect, it } from 'vitest';
import { type Figure, figureOf, isMet, median } from '../../bench/figure.ts';

const ABOUT = { name: 'replay', what: 'a replay', unit: 'changes/s' } as const;

function withGoal(goal: Figure['goal'], measured: number, ratio?: number): Figure {
  const floor = ratio === undefined ? null : { what: 'parsing', measured: measured / ratio, ratio };
  return { ...ABOUT, measured, rounds: 3, floor, goal };
}

describe('median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([7])).toBe(7);
  });

  it('is the mean of the two in the middle', () => {
    expect(median([4, 1, 2, 100])).toBe(3);
  });

  it('has no value for no values', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('figureOf', () => {
  it('takes medians, and the median of the ratios of rounds that ran side by side', () => {
    const figure = figureOf(ABOUT, {
      measured: [100, 30, 80],
      floor: { what: 'parsing', measured: [50, 10, 20] },
    });
    expect(figure.measured).toBe(80);
    expect(figure.rounds).toBe(3);
    expect(figure.floor).toEqual({ what: 'parsing', measured: 20, ratio: 3 });
  });

  it('compares with the floor as a whole where the rounds have none of their own', () => {
    const figure = figureOf(ABOUT, { measured: [10, 20, 30], floor: { what: 'parsing', measured: [40] } });
    expect(figure.floor?.ratio).toBe(0.5);
  });

  it('has no goal unless it is given one', () => {
    expect(figureOf(ABOUT, { measured: [1] })).toMatchObject({ goal: null, floor: null });
  });
});

describe('isMet', () => {
  it('holds the figure to its goal, the limit itself included', () => {
    expect(isMet(withGoal({ of: 'measured', is: 'at least', value: 40 }, 40))).toBe(true);
    expect(isMet(withGoal({ of: 'measured', is: 'at least', value: 40 }, 39.9))).toBe(false);
    expect(isMet(withGoal({ of: 'measured', is: 'at most', value: 40 }, 40))).toBe(true);
    expect(isMet(withGoal({ of: 'measured', is: 'at most', value: 40 }, 40.1))).toBe(false);
  });

  it('holds the ratio to its goal', () => {
    expect(isMet(withGoal({ of: 'ratio', is: 'at least', value: 2 }, 100, 2.1))).toBe(true);
    expect(isMet(withGoal({ of: 'ratio', is: 'at least', value: 2 }, 100, 1.9))).toBe(false);
  });

  it('says nothing without a goal', () => {
    expect(isMet(withGoal(null, 1))).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { validateMirror } from '../../core/config.ts';
import { allowedSeconds } from '../../lib/allowed-freshness.ts';

const mirror = (objectiveSeconds: number, aws: object = {}) =>
  validateMirror({
    name: 'shop',
    tables: { orders: {} },
    targets: { lakehouse: true, warehouse: true },
    freshness: { objectiveSeconds },
    aws,
  });

describe('how old a target’s newest change may be', () => {
  it('is the objective, where the settings can hold it', () => {
    expect(allowedSeconds(mirror(60), 'lakehouse', 8)).toBe(60);
    expect(allowedSeconds(mirror(900), 'warehouse', 8)).toBe(900);
    expect(allowedSeconds(mirror(60), 'warehouse', null)).toBe(60);
  });

  it('is what the merges’ interval makes of it, with the buffer and the work', () => {
    const rare = mirror(60, { lakehouse: { mergeEveryMinutes: 5, bufferSeconds: 30 } });
    expect(allowedSeconds(rare, 'lakehouse', null)).toBe(300 + 30 + 60);
  });

  it('is what the budget’s wake-ups make of it: $5 a day wake 8 RPU a hundred times', () => {
    const poor = mirror(60, { redshift: { dailyBudgetUsd: 5, bufferSeconds: 0 } });
    expect(allowedSeconds(poor, 'warehouse', 8)).toBe(864 + 60);
  });
});

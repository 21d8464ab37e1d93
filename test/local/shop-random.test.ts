import { describe, expect, it } from 'vitest';
import { createRandom } from '../../local/shop/random.ts';

describe('createRandom', () => {
  it('throws the same for the same seed', () => {
    const throws = (seed: number) => {
      const random = createRandom(seed);
      return Array.from({ length: 5 }, () => random.below(1000));
    };
    expect(throws(7)).toEqual(throws(7));
    expect(throws(7)).not.toEqual(throws(8));
  });

  it('is even, and picks every choice', () => {
    const random = createRandom(1);
    const counts = [0, 0, 0, 0];
    for (let count = 0; count < 40_000; count++) {
      const index = random.pick([0, 1, 2, 3]);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

import { describe, expect, it } from 'vitest';
import { broken, byHand, disturbs, holds, looks, open } from './checks/check.ts';
import { settle, settledLine } from './settle.ts';
import type { World } from './world.ts';

function worldWith(signal = new AbortController().signal): World {
  return { signal } as Partial<World> as World;
}

describe('settle', () => {
  it('looks first, breaks last, and tells in the order of the list', async () => {
    const order: string[] = [];
    const note = (id: string) => {
      order.push(id);
      return holds(id);
    };
    const checks = {
      first: disturbs(() => Promise.resolve(note('first'))),
      second: looks(() => note('second')),
      third: looks(() => note('third')),
    };
    const settled = await settle(checks, worldWith(), () => undefined);
    expect(order).toEqual(['second', 'third', 'first']);
    expect(settled.map(({ id }) => id)).toEqual(['first', 'second', 'third']);
  });

  it('goes on after a check that fails, which settles nothing', async () => {
    const checks = {
      dies: looks(() => {
        throw new Error('no such table');
      }),
      lives: looks(() => broken('it is not so')),
      person: byHand('look there'),
    };
    expect(await settle(checks, worldWith(), () => undefined)).toEqual([
      { id: 'dies', verdict: 'open', how: 'The check itself failed: no such table' },
      { id: 'lives', verdict: 'broken', how: 'it is not so' },
      { id: 'person', verdict: 'open', how: 'by hand: look there' },
    ]);
  });

  it('makes a check that two claims share once', async () => {
    let made = 0;
    const check = () => Promise.resolve(holds(String((made += 1))));
    const settled = await settle({ one: disturbs(check), two: disturbs(check) }, worldWith(), () => undefined);
    expect(settled.map(({ how }) => how)).toEqual(['1', '1']);
  });

  it('begins nothing after a stop', async () => {
    const settled = await settle({ one: looks(() => holds('yes')) }, worldWith(AbortSignal.abort()), () => undefined);
    expect(settled).toEqual([{ id: 'one', verdict: 'open', how: 'The test was stopped before it.' }]);
  });
});

it('a line says whether a claim is settled, and how', () => {
  expect([holds('a'), broken('b'), open('c')].map((verdict) => settledLine({ id: 'x', ...verdict }))).toEqual([
    'settled: yes  x  holds: a',
    'settled: yes  x  DOES NOT HOLD: b',
    'settled: no   x  c',
  ]);
});

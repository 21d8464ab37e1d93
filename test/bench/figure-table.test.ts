import { expect, it } from 'vitest';
import { figureOf } from '../../bench/figure.ts';
import { figureTable, valueText } from '../../bench/figure-table.ts';

it('writes values in their unit', () => {
  expect(valueText(41_210.4, 'changes/s')).toBe('41,210/s');
  expect(valueText(3.14159, 'ms')).toBe('3.1 ms');
  expect(valueText(1234.5, 'ms')).toBe('1,235 ms');
  expect(valueText(12.34, 's')).toBe('12.3 s');
  expect(valueText(1.5e9, 'bytes')).toBe('1.5 GB');
  expect(valueText(2, 'times')).toBe('2.00x');
});

it('shows what was measured beside its floor and goal, and whether the goal is met', () => {
  const lines = figureTable([
    figureOf(
      { name: 'a', what: 'normalise', unit: 'changes/s', goal: { of: 'ratio', is: 'at least', value: 2 } },
      { measured: [90_000], floor: { what: 'unmarshall', measured: [50_000] } },
    ),
    figureOf(
      { name: 'b', what: 'commit', unit: 'ms', goal: { of: 'measured', is: 'at most', value: 200 } },
      { measured: [150] },
    ),
    figureOf({ name: 'c', what: 'memory', unit: 'bytes' }, { measured: [5e8] }),
  ]);
  expect(lines).toEqual([
    'what       measured  floor                  to the floor  goal                      met',
    'normalise  90,000/s  50,000/s (unmarshall)  1.80x         at least 2.00x the floor  NO',
    'commit     150 ms                                         at most 200 ms            yes',
    'memory     500.0 MB',
  ]);
});

import { expect, it } from 'vitest';
import { costMeasurement } from '../../bench/cost.ts';
import { figureTable } from '../../bench/figure-table.ts';

it('a million changes cost cents in the lakehouse, and each further million costs less than the first', async () => {
  const figures = await costMeasurement.measure('smoke', () => undefined);
  const of = (name: string) => figures.find((figure) => figure.name === name)?.measured ?? Number.NaN;
  for (const name of ['lakehouse', 'warehouse', 'both'])
    expect(of(`cost.${name}.further`)).toBeLessThan(of(`cost.${name}`));
  expect(of('cost.lakehouse')).toBeGreaterThan(0.05);
  expect(of('cost.lakehouse')).toBeLessThan(0.5);
  expect(of('cost.both')).toBeGreaterThan(of('cost.lakehouse'));
});

it('is shown in dollars', async () => {
  const figures = await costMeasurement.measure('full', () => undefined);
  expect(figureTable(figures).join('\n')).toMatch(/a million changes of 1 KB, lakehouse, at 1,000\/s +\$0\.\d{3}/);
});

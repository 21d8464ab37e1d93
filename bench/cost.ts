import type { MirrorConfig } from '../core/config.ts';
import { validateMirror } from '../core/config.ts';
import { estimateCost } from '../core/cost/estimate.ts';
import { workloadOf } from '../core/cost/workload.ts';
import type { Figure, Measurement } from './figure.ts';
import { figureOf } from './figure.ts';

/** A busy table: what does not grow with its changes is spread over many. */
const CHANGES_PER_SECOND = 1000;
const ROW_BYTES = 1000;
const ROWS = 1_000_000;

const TARGETS: Readonly<Record<string, MirrorConfig['targets']>> = {
  lakehouse: { lakehouse: true },
  warehouse: { warehouse: true },
  both: { lakehouse: true, warehouse: true },
};

/** What a million changes of 1 KB cost on AWS by the table of prices: nothing is run for it. */
export const costMeasurement: Measurement = {
  name: 'cost',
  measure: () => Promise.resolve(Object.entries(TARGETS).flatMap(([name, targets]) => costFigures(name, targets))),
};

function costFigures(name: string, targets: MirrorConfig['targets']): Figure[] {
  const mirror = validateMirror({ name: 'bench', tables: { orders: {} }, targets });
  const at = (changesPerSecond: number) =>
    estimateCost(workloadOf(mirror, { changesPerSecond, rowBytes: ROW_BYTES, rowsPerTable: ROWS }));
  const [one, two] = [at(CHANGES_PER_SECOND), at(2 * CHANGES_PER_SECOND)];
  const further = ((two.monthlyUsd - one.monthlyUsd) / (two.changes - one.changes)) * 1e6;
  const where = name === 'both' ? 'lakehouse and warehouse' : name;
  return [
    figureOf(
      { name: `cost.${name}`, what: `a million changes of 1 KB, ${where}, at 1,000/s`, unit: 'USD' },
      { measured: [one.usdPerMillionChanges] },
    ),
    figureOf(
      { name: `cost.${name}.further`, what: `each further million changes of 1 KB, ${where}`, unit: 'USD' },
      { measured: [further] },
    ),
  ];
}

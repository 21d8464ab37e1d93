import type { Mirror } from '../config.ts';
import { validateMirror } from '../config.ts';
import type { CostAdvice } from './advice.ts';
import { adviceFor } from './advice.ts';
import type { CostEstimate } from './estimate.ts';
import { estimateCost } from './estimate.ts';
import { PRICES_DATE, PRICES_REGION } from './prices.ts';
import type { Workload } from './workload.ts';
import { workloadOf } from './workload.ts';

/** What passes through a mirror. */
export type LoadAssumed = Pick<Workload, 'changesPerSecond' | 'rowBytes' | 'rowsPerTable'>;

export interface CostReport {
  /** Null: no configuration, but one table into both targets. */
  readonly mirror: string | null;
  readonly prices: { readonly region: string; readonly date: string };
  readonly workload: Workload;
  readonly estimate: CostEstimate;
  readonly advice: CostAdvice;
}

/** What is estimated where there is no configuration. */
const EXAMPLE = { name: 'example', tables: { orders: {} }, targets: { lakehouse: true, warehouse: true } };

/** An estimate of what a mirror costs in a month, and what would lower it. */
export function costReport(mirror: Mirror | null, load: LoadAssumed): CostReport {
  const workload = workloadOf(mirror ?? validateMirror(EXAMPLE), load);
  const estimate = estimateCost(workload);
  return {
    mirror: mirror?.name ?? null,
    prices: { region: PRICES_REGION, date: PRICES_DATE },
    workload,
    estimate,
    advice: adviceFor(workload, estimate),
  };
}

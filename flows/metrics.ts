import type { MetricName } from '../core/metric-names.ts';

/** Counts and measures. What is added is written out at the end of a run; nothing here can fail one. */
export interface Metrics {
  /** `dimensions` beside the mirror's name. */
  add(
    name: MetricName,
    value: number,
    dimensions: { readonly table?: string; readonly target?: 'lakehouse' | 'warehouse' },
  ): void;
}

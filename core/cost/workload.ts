import type { Mirror } from '../config.ts';
import type { RedshiftPlace } from '../config/aws-config.ts';

/** What a mirror has to do, as an estimate of its cost takes it. */
export interface Workload {
  readonly tables: number;
  /** Of all tables together, spread evenly. */
  readonly changesPerSecond: number;
  /** A row as JSON, in bytes. */
  readonly rowBytes: number;
  /** The rows of each table. */
  readonly rowsPerTable: number;
  readonly objectiveSeconds: number;
  /** Memory of a capture function. */
  readonly captureMemoryMb: number;
  readonly captureWindowSeconds: number;
  readonly lakehouse: { readonly mergeEveryMinutes: number; readonly bufferSeconds: number } | null;
  readonly warehouse: {
    readonly place: RedshiftPlace;
    readonly dailyBudgetUsd: number;
    readonly bufferSeconds: number;
  } | null;
}

/** The work of a configured mirror at a rate. */
export function workloadOf(
  mirror: Mirror,
  load: { readonly changesPerSecond: number; readonly rowBytes: number; readonly rowsPerTable: number },
): Workload {
  const { aws, targets, freshness, tables } = mirror;
  const { redshift, lakehouse, capture } = aws;
  return {
    ...load,
    tables: tables.length,
    objectiveSeconds: freshness.objectiveSeconds,
    captureMemoryMb: capture.memoryMb,
    captureWindowSeconds: capture.windowSeconds,
    lakehouse: targets.lakehouse
      ? { mergeEveryMinutes: lakehouse.mergeEveryMinutes, bufferSeconds: lakehouse.bufferSeconds }
      : null,
    warehouse:
      targets.warehouse === null
        ? null
        : { place: redshift.where, dailyBudgetUsd: redshift.dailyBudgetUsd, bufferSeconds: redshift.bufferSeconds },
  };
}

import type { Mirror as ValidMirror } from '../core/config.ts';
import { REDSHIFT_RPU_HOUR_USD } from '../core/cost/prices.ts';
import { secondsBetweenWakeUps, wakeUpCost } from '../core/load-cadence.ts';

/** What a merge or a load may take beside its waiting. */
const WORK_SECONDS = 60;

/**
 * How old the newest change that a reader sees may be before something is wrong, in seconds: the objective, or what the
 * settings make of it where they allow no better. `baseCapacity` is that of a serverless Redshift, null for others.
 */
export function allowedSeconds(
  mirror: ValidMirror,
  target: 'lakehouse' | 'warehouse',
  baseCapacity: number | null,
): number {
  const { objectiveSeconds } = mirror.freshness;
  return Math.max(objectiveSeconds, Math.ceil(attainableSeconds(mirror, target, baseCapacity)));
}

function attainableSeconds(
  mirror: ValidMirror,
  target: 'lakehouse' | 'warehouse',
  baseCapacity: number | null,
): number {
  const { lakehouse, redshift } = mirror.aws;
  if (target === 'lakehouse') {
    const seconds = lakehouse.mergeEveryMinutes * 60;
    return seconds > mirror.freshness.objectiveSeconds ? seconds + lakehouse.bufferSeconds + WORK_SECONDS : 0;
  }
  if (baseCapacity === null) return 0;
  const apart = secondsBetweenWakeUps(wakeUpCost(baseCapacity, REDSHIFT_RPU_HOUR_USD), redshift.dailyBudgetUsd);
  return apart > mirror.freshness.objectiveSeconds ? apart + redshift.bufferSeconds + WORK_SECONDS : 0;
}

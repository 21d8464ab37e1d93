import type { TargetName } from '../../deployed/results.ts';

/** What a measurement of freshness needs of the world. */
export interface FreshnessPorts {
  /** Writes one new row. */
  write(number: number): Promise<void>;
  /** Changes that a target has taken in, ever, as its readers see them. */
  takenIn(target: TargetName): Promise<number>;
  now(): number;
  wait(ms: number): Promise<void>;
}

export interface FreshnessPlan {
  readonly targets: readonly TargetName[];
  readonly rows: number;
  readonly everyMs: number;
  readonly lookEveryMs: number;
  /** After the last write. */
  readonly patienceMs: number;
}

export interface Freshness {
  /** Null where nothing was seen. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly rows: number;
  /** Rows that were not seen in time. */
  readonly unseen: number;
}

/**
 * From a write's answer to a look that finds it taken in, by target. A target is asked how many changes it has, so clocks need
 * not agree; where another row comes twice, one is counted a little early. No finer than the time between two looks.
 */
export async function measureFreshness(
  ports: FreshnessPorts,
  plan: FreshnessPlan,
): Promise<Partial<Record<TargetName, Freshness>>> {
  const { targets, rows, everyMs, lookEveryMs, patienceMs } = plan;
  const before = new Map<TargetName, number>();
  for (const target of targets) before.set(target, await ports.takenIn(target));
  const writtenAt: number[] = [];
  const seenAfterMs = new Map<TargetName, number[]>(targets.map((target) => [target, []]));
  const startMillis = ports.now();
  const endMillis = startMillis + rows * everyMs + patienceMs;
  while (ports.now() < endMillis) {
    while (writtenAt.length < rows && ports.now() >= startMillis + writtenAt.length * everyMs) {
      await ports.write(writtenAt.length);
      writtenAt.push(ports.now());
    }
    for (const [target, lags] of seenAfterMs) {
      const taken = (await ports.takenIn(target)) - (before.get(target) ?? 0);
      const now = ports.now();
      for (const written of writtenAt.slice(lags.length, Math.max(lags.length, taken))) lags.push(now - written);
    }
    if ([...seenAfterMs.values()].every((lags) => lags.length === rows)) break;
    await ports.wait(lookEveryMs);
  }
  return Object.fromEntries([...seenAfterMs].map(([target, lags]) => [target, freshnessOf(lags, rows)]));
}

function freshnessOf(lags: readonly number[], rows: number): Freshness {
  return { p50Ms: percentile(lags, 50), p95Ms: percentile(lags, 95), rows, unseen: rows - lags.length };
}

/** The least value that so many per cent do not exceed; null of nothing. */
export function percentile(values: readonly number[], percent: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
}

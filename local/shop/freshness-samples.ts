import type { KeyHash } from '../../core/change.ts';
import type { KeyAttribute } from '../../core/key.ts';
import { keyHashOf, keyJson } from '../../core/key.ts';
import type { TypedChange } from '../../flows/ports.ts';
import type { DemoReport, TargetName } from '../results.ts';
import type { ShopWrite } from './shop-write.ts';
import { itemsPut } from './shop-write.ts';

/**
 * Measures freshness as a reader meets it: from a new item's acknowledgement by DynamoDB to its being seen in each target.
 * Only inserts are measured, since an update's key may have been written again meanwhile.
 */
export class FreshnessSamples {
  private readonly key: readonly KeyAttribute[];
  private readonly acknowledged = new Map<KeyHash, number>();
  private readonly samples = new Map<TargetName, number[]>();

  constructor(key: readonly KeyAttribute[]) {
    this.key = key;
  }

  onWritten(write: ShopWrite, nowMs: number): void {
    for (const item of itemsPut(write)) {
      const keyHash = keyHashOf(keyJson(item, this.key));
      if (!this.acknowledged.has(keyHash)) this.acknowledged.set(keyHash, nowMs);
    }
  }

  onApplied(target: TargetName, changes: readonly TypedChange[], nowMs: number): void {
    const held = this.samples.get(target) ?? [];
    this.samples.set(target, held);
    for (const { change } of changes) {
      const acknowledgedMs = this.acknowledged.get(change.keyHash);
      // An item that is seen before its writer has the reply was fresh at once.
      if (change.operation === 'insert') held.push(Math.max(0, nowMs - (acknowledgedMs ?? nowMs)));
    }
  }

  summary(): DemoReport['freshnessMs'] {
    const measured = [...this.samples].filter(([, samples]) => samples.length > 0);
    return Object.fromEntries(
      measured.map(([target, samples]) => [target, { p50: percentile(samples, 0.5), p95: percentile(samples, 0.95) }]),
    );
  }
}

/** The value below which a share of the samples lies; the nearest rank. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

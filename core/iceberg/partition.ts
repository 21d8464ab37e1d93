import type { Partition, PartitionValue } from './data-file.ts';
import type { PartitionField } from './fields.ts';

const MICROS_PER_DAY = 86_400_000_000n;

/** The day of a timestamp in epoch microseconds, as days since 1970-01-01; days before it are negative. */
export function dayOfMicros(micros: bigint | number): number {
  const wide = BigInt(micros);
  const days = wide / MICROS_PER_DAY;
  return Number(wide < 0n && days * MICROS_PER_DAY !== wide ? days - 1n : days);
}

/** The partition of a row. `valueOf` gives a column's value by field id: a string, or a timestamp in microseconds. */
export function partitionOf(
  parts: readonly PartitionField[],
  valueOf: (sourceId: number) => string | bigint | number | null,
): Partition {
  const partition: Record<string, PartitionValue> = {};
  for (const part of parts) {
    const value = valueOf(part.sourceId);
    if (value === null) partition[part.name] = null;
    else partition[part.name] = part.transform === 'day' ? dayOfMicros(BigInt(value)) : String(value);
  }
  return partition;
}

import type { OversizedValue } from '../core/oversize.ts';

/** Keeps values that are too large to travel, durably and under their keys. To put one again changes nothing. */
export interface OversizedValues {
  readonly bucket: string;
  put(values: readonly OversizedValue[]): Promise<void>;
}

import type { PriceName } from './prices.ts';
import { PRICES } from './prices.ts';

/** One line of an estimate. */
export interface CostItem {
  readonly part: 'capture' | 'lakehouse' | 'warehouse' | 'operations';
  readonly item: string;
  /** In the unit that the price is per. */
  readonly quantity: number;
  readonly unit: string;
  readonly unitUsd: number;
  readonly monthlyUsd: number;
  /** What was assumed for the quantity. */
  readonly assumption: string;
}

/** A line of something that has a price in the table. */
export function costItem(
  part: CostItem['part'],
  name: string,
  price: PriceName,
  quantity: number,
  assumption: string,
): CostItem {
  const { usd, per } = PRICES[price];
  return { part, item: name, quantity, unit: per, unitUsd: usd, monthlyUsd: quantity * usd, assumption };
}

/** Three digits that count, for text. */
export function rounded(value: number): string {
  const digits = Number(value.toPrecision(3));
  return String(digits).replace(/\B(?=(\d{3})+$)/g, digits >= 1000 ? ',' : '');
}

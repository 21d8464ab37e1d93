import type { KeyType } from '../column.ts';
import type { KeyAttributes } from '../schema.ts';

const KEY_TYPES: readonly KeyType[] = ['S', 'N', 'B'];

/**
 * The key types that most of some stream records have, for a table that nobody described. Null where no record has all
 * of the key's attributes with key types.
 */
export function inferKeyTypes(records: Iterable<unknown>, attributes: readonly string[]): KeyAttributes | null {
  const counts = attributes.map(() => new Map<KeyType, number>());
  for (const record of records) {
    const keys = (record as { readonly dynamodb?: { readonly Keys?: unknown } } | null)?.dynamodb?.Keys;
    if (typeof keys !== 'object' || keys === null) continue;
    for (const [index, attribute] of attributes.entries()) {
      const type = keyTypeOf((keys as Readonly<Record<string, unknown>>)[attribute]);
      const count = counts[index];
      if (type !== null) count?.set(type, (count.get(type) ?? 0) + 1);
    }
  }
  const key = attributes.flatMap((attribute, index) => {
    const type = mostFrequent(counts[index] ?? new Map());
    return type === null ? [] : [{ attribute, type }];
  });
  return key.length === attributes.length ? key : null;
}

function keyTypeOf(value: unknown): KeyType | null {
  if (typeof value !== 'object' || value === null) return null;
  return KEY_TYPES.find((type) => Object.hasOwn(value, type)) ?? null;
}

function mostFrequent(counts: ReadonlyMap<KeyType, number>): KeyType | null {
  let best: KeyType | null = null;
  for (const type of KEY_TYPES) {
    if ((counts.get(type) ?? 0) > (best === null ? 0 : (counts.get(best) ?? 0))) best = type;
  }
  return best;
}

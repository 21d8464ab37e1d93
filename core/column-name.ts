import { createHash } from 'node:crypto';

/** PostgreSQL cuts names at 63 bytes, Redshift at 127: whatever is longer would collide in silence. */
export const MAX_NAME_BYTES = 63;

/**
 * The column name for an attribute: lower_snake of ASCII letters, digits and underscores, at most 63 long, never
 * starting with an underscore (those names are ours) or a digit. `orderId`, `OrderID` and `order-id` fold to one name;
 * `uniqueName` tells them apart.
 */
export function columnNameOf(attribute: string): string {
  const snake = attribute
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  const named = snake === '' ? 'column' : /^[0-9]/.test(snake) ? `c_${snake}` : snake;
  return named.length <= MAX_NAME_BYTES ? named : `${named.slice(0, MAX_NAME_BYTES - 9)}_${shortHash(attribute)}`;
}

/** `name`, or `name_2`, `name_3`, … : the first that is not taken. The registry records it, so it is stable. */
export function uniqueName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let suffix = 2; ; suffix++) {
    const ending = `_${suffix}`;
    const candidate = name.slice(0, MAX_NAME_BYTES - ending.length) + ending;
    if (!taken.has(candidate)) return candidate;
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

import type { Change, KeyHash } from './change.ts';
import type { Version } from './version.ts';

/** Whether a change may be applied over what a target holds for its key: the guard of every merge. */
export function outranks(change: { readonly version: Version }, held: Version | undefined): boolean {
  return held === undefined || change.version > held;
}

/**
 * The newest change of each key. Taking the greatest is commutative, associative and idempotent, so the result depends on
 * the set of changes alone. Deletes stay in it: dropping one (or an insert with its delete) would let a late, older
 * change bring the row back.
 */
export function newestPerKey<T>(
  items: Iterable<T>,
  changeOf: (item: T) => Change,
  into = new Map<KeyHash, T>(),
): Map<KeyHash, T> {
  for (const item of items) {
    const change = changeOf(item);
    const held = into.get(change.keyHash);
    if (held === undefined || outranks(change, changeOf(held).version)) into.set(change.keyHash, item);
  }
  return into;
}

/** The reference for every target: the rows that a set of changes comes to, by key hash. */
export function materialize(changes: Iterable<Change>): Map<KeyHash, Change> {
  const newest = newestPerKey(changes, (change) => change);
  for (const [keyHash, change] of newest) if (change.operation === 'delete') newest.delete(keyHash);
  return newest;
}

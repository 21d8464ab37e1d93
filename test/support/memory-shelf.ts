import { PREFIXES } from '../../core/aws-names.ts';
import type { RedriveShelf } from '../../flows/redrive-ports.ts';

/** A bucket in memory, as redrive works through it. */
export interface MemoryShelf extends RedriveShelf {
  readonly objects: Map<string, string | Uint8Array>;
  /** The keys that are not below `redriven/`, in order. */
  left(): string[];
  /** Calls of `settle` that lose their reply: done, yet reported failed. */
  failSettling(times: number): void;
}

export function createMemoryShelf(
  bucket: string,
  objects: Readonly<Record<string, string | Uint8Array>> = {},
): MemoryShelf {
  const held = new Map(Object.entries(objects));
  let failures = 0;
  return {
    bucket,
    objects: held,
    left: () => [...held.keys()].filter((key) => !key.startsWith(PREFIXES.redriven)).sort(),
    failSettling: (times) => void (failures = times),
    keys(prefix, after) {
      const keys = [...held.keys()].filter((key) => key.startsWith(prefix) && (after === null || key > after)).sort();
      return Promise.resolve(keys.slice(0, 3));
    },
    read(key) {
      const object = held.get(key);
      return Promise.resolve(typeof object === 'string' ? Buffer.from(object) : (object ?? null));
    },
    settle(key, rest) {
      const object = held.get(key);
      if (object !== undefined) {
        held.set(PREFIXES.redriven + key, object);
        if (rest === null) held.delete(key);
        else held.set(key, rest);
      }
      return failures-- > 0 ? Promise.reject(new Error('the reply was lost')) : Promise.resolve();
    },
  };
}

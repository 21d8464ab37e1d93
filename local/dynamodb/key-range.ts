/** Something that gives its values in batches, an empty one at the end. */
export interface Batches<T> {
  nextv(size: number): Promise<T[]>;
  close(): Promise<void>;
}

/** The range of all keys with a prefix that ends with a tilde. */
export function within(prefix: string): { gte: string; lt: string } {
  return { gte: prefix, lt: `${prefix}\u{ffff}` };
}

/** Everything that a cursor gives; closes it. */
export async function all<T>(cursor: Batches<T>): Promise<T[]> {
  const values: T[] = [];
  await forEachBatch(cursor, (batch) => {
    for (const value of batch) values.push(value);
    return Promise.resolve();
  });
  return values;
}

/** Gives everything that a cursor has, a batch at a time; closes it. */
export async function forEachBatch<T>(cursor: Batches<T>, use: (batch: T[]) => Promise<void>): Promise<void> {
  try {
    for (;;) {
      const batch = await cursor.nextv(500);
      if (batch.length === 0) return;
      await use(batch);
    }
  } finally {
    await cursor.close();
  }
}

/** How many keys a cursor gives; closes it. */
export async function count(cursor: Batches<string>): Promise<number> {
  let total = 0;
  await forEachBatch(cursor, (batch) => {
    total += batch.length;
    return Promise.resolve();
  });
  return total;
}

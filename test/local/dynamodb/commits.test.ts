import { describe, expect, test } from 'vitest';
import { Commits, del, put } from '../../../local/dynamodb/commits.ts';
import { type KeyValueStore, type StoreWrite } from '../../../local/dynamodb/engine.ts';

/** A store whose batches end when the test says so. */
function heldStore() {
  const stored = new Map<string, string>();
  const batches: { writes: readonly StoreWrite[]; end: () => void; fail: (error: Error) => void }[] = [];
  const refuse = (): never => {
    throw new Error('Not used by commits.');
  };
  const store: KeyValueStore = {
    open: refuse,
    close: refuse,
    clear: refuse,
    keys: refuse,
    values: refuse,
    iterator: refuse,
    getSync: (key) => stored.get(key),
    batch: (writes) =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          for (const write of writes) {
            if (write.type === 'put') stored.set(write.key, write.value);
            else stored.delete(write.key);
          }
          resolve();
        };
        batches.push({ writes, end, fail: reject });
      }),
  };
  return { store, stored, batches };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('commits', () => {
  test('show what was submitted at once, and share a batch while another is being stored', async () => {
    const { store, stored, batches } = heldStore();
    const commits = new Commits(store);
    const first = commits.submit([put('a', '1'), put('b', '1')]);
    await turn();
    const second = commits.submit([put('a', '2')]);
    const third = commits.submit([del('b'), put('c', '3')]);
    expect([commits.read('a'), commits.read('b'), commits.read('c')]).toEqual(['2', undefined, '3']);
    expect(stored.size).toBe(0);
    batches[0]?.end();
    await first;
    expect([commits.read('a'), commits.read('b'), commits.read('c')]).toEqual(['2', undefined, '3']);
    await turn();
    expect(batches.map((batch) => batch.writes.length)).toEqual([2, 3]);
    let settled = false;
    const settling = commits.settled().then(() => (settled = true));
    await turn();
    expect(settled).toBe(false);
    batches[1]?.end();
    await Promise.all([second, third, settling]);
    expect(Object.fromEntries(stored)).toEqual({ a: '2', c: '3' });
  });

  test('take no more writes after one that could not be stored, and say why', async () => {
    const { store, stored, batches } = heldStore();
    const commits = new Commits(store);
    const first = commits.submit([put('a', '1')]);
    await turn();
    const second = commits.submit([put('a', '2')]);
    batches[0]?.fail(new Error('No space left on device'));
    const refusal = { code: 'unavailable', message: expect.stringMatching(/No space left.*start it again/) as string };
    await expect(first).rejects.toMatchObject(refusal);
    await expect(second).rejects.toMatchObject(refusal);
    await expect(commits.submit([put('a', '3')])).rejects.toMatchObject(refusal);
    await expect(commits.settled()).rejects.toMatchObject(refusal);
    expect(batches).toHaveLength(1);
    expect(stored.size).toBe(0);
  });
});

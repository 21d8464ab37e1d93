import { describe, expect, it } from 'vitest';
import type { Progress } from '../../../core/control.ts';
import type { ControlStore, LoadInFlight } from '../../../flows/control-store.ts';

const FIRST: Progress = {
  sequence: 3,
  snapshotId: '8274629184729384729',
  newestCommittedAtMicros: 1_790_000_000_000_000,
  freshAtMillis: null,
  changes: 12,
};
const SECOND: Progress = { ...FIRST, sequence: 4, freshAtMillis: 1_790_000_000_500 };

function load(change: Partial<LoadInFlight> = {}): LoadInFlight {
  const tables = {
    orders: {
      manifestUrl: 's3://staging/manifests/orders/7.json',
      objectUrls: ['s3://staging/a.gz'],
      schemaVersion: 2,
    },
  };
  return { load: 7, statementId: null, submittedAtMillis: 1_790_000_000_000, tables, attempts: 1, ...change };
}

/** What every control store must do. `open` gives a new, empty one. */
export function controlStoreContract(name: string, open: () => ControlStore): void {
  describe(`${name} as a control store`, () => {
    it('knows nothing at first', async () => {
      const store = open();
      expect(await store.readProgress('orders', 'lakehouse')).toBeNull();
      expect(await store.readLease('load')).toBeNull();
      expect(await store.readLoadInFlight()).toBeNull();
      expect(await store.readLoadSpend('2026-11-22')).toEqual({ wakeUps: 0, billedSeconds: 0 });
    });

    it('keeps how far each target of each table is', async () => {
      const store = open();
      await store.writeProgress('orders', 'lakehouse', FIRST, null);
      await store.writeProgress('orders', 'warehouse', SECOND, null);
      await store.writeProgress('orders', 'lakehouse', SECOND, FIRST);
      expect(await store.readProgress('orders', 'lakehouse')).toEqual(SECOND);
      expect(await store.readProgress('orders', 'warehouse')).toEqual(SECOND);
      expect(await store.readProgress('customers', 'lakehouse')).toBeNull();
    });

    it.each<[string, Progress | null]>([
      ['from nothing where something stands', null],
      ['from where it no longer stands', FIRST],
      ['from where it never stood', { ...SECOND, changes: 99 }],
    ])('refuses progress %s as a conflict, and keeps what it has', async (_, before) => {
      const store = open();
      await store.writeProgress('orders', 'lakehouse', FIRST, null);
      await store.writeProgress('orders', 'lakehouse', SECOND, FIRST);
      const third = { ...SECOND, sequence: 5 };
      await expect(store.writeProgress('orders', 'lakehouse', third, before)).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(await store.readProgress('orders', 'lakehouse')).toEqual(SECOND);
    });

    it('refuses progress from somewhere where there is none', async () => {
      const store = open();
      await expect(store.writeProgress('orders', 'lakehouse', SECOND, FIRST)).rejects.toMatchObject({
        code: 'conflict',
      });
      expect(await store.readProgress('orders', 'lakehouse')).toBeNull();
    });

    it('takes the same progress again after a lost reply', async () => {
      const store = open();
      await store.writeProgress('orders', 'lakehouse', FIRST, null);
      await store.writeProgress('orders', 'lakehouse', FIRST, null);
      await store.writeProgress('orders', 'lakehouse', SECOND, FIRST);
      await store.writeProgress('orders', 'lakehouse', SECOND, FIRST);
      expect(await store.readProgress('orders', 'lakehouse')).toEqual(SECOND);
    });

    it('lets exactly one of two writers of progress win', async () => {
      const store = open();
      const other = { ...FIRST, sequence: 9 };
      const outcomes = await Promise.allSettled([
        store.writeProgress('orders', 'lakehouse', FIRST, null),
        store.writeProgress('orders', 'lakehouse', other, null),
      ]);
      expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
      const winner = outcomes[0].status === 'fulfilled' ? FIRST : other;
      expect(await store.readProgress('orders', 'lakehouse')).toEqual(winner);
    });

    it('gives a lease to one owner until its time is over', async () => {
      const store = open();
      expect(await store.takeLease('merge#orders', 'a', 1000, 2000)).toBe(true);
      expect(await store.takeLease('merge#orders', 'b', 1999, 5000)).toBe(false);
      expect(await store.readLease('merge#orders')).toEqual({ owner: 'a', untilMillis: 2000 });
      expect(await store.takeLease('merge#customers', 'b', 1999, 5000)).toBe(true);
      expect(await store.takeLease('merge#orders', 'b', 2000, 5000)).toBe(true);
      expect(await store.readLease('merge#orders')).toEqual({ owner: 'b', untilMillis: 5000 });
    });

    it('lets an owner take its lease again, for longer', async () => {
      const store = open();
      await store.takeLease('load', 'a', 1000, 2000);
      expect(await store.takeLease('load', 'a', 1500, 3000)).toBe(true);
      expect(await store.readLease('load')).toEqual({ owner: 'a', untilMillis: 3000 });
    });

    it('gives a lease back for its owner only', async () => {
      const store = open();
      await store.takeLease('load', 'a', 1000, 2000);
      await store.releaseLease('load', 'b');
      expect(await store.takeLease('load', 'b', 1500, 3000)).toBe(false);
      await store.releaseLease('load', 'a');
      await store.releaseLease('load', 'a');
      expect(await store.takeLease('load', 'b', 1500, 3000)).toBe(true);
    });

    it('lets exactly one of two takers have a lease', async () => {
      const store = open();
      const taken = await Promise.all(['a', 'b', 'c'].map((owner) => store.takeLease('load', owner, 1000, 2000)));
      expect(taken.filter(Boolean)).toHaveLength(1);
    });

    it('remembers the load that is under way until it is forgotten', async () => {
      const store = open();
      await store.writeLoadInFlight(load());
      expect(await store.readLoadInFlight()).toEqual(load());
      await store.writeLoadInFlight(load({ statementId: 'd9b6c0c9', attempts: 2 }));
      expect(await store.readLoadInFlight()).toEqual(load({ statementId: 'd9b6c0c9', attempts: 2 }));
      await store.writeLoadInFlight(null);
      await store.writeLoadInFlight(null);
      expect(await store.readLoadInFlight()).toBeNull();
    });

    it('remembers a load of ten thousand objects', async () => {
      const store = open();
      const objectUrls = Array.from(
        { length: 10_000 },
        (_, at) =>
          `s3://glasshouse-shop-staging/staged/orders/2026/11/22/10/shop-orders-1-2026-11-22-10-00-${at}-ef01.gz`,
      );
      const large = load({ tables: { orders: { manifestUrl: 's3://m', objectUrls, schemaVersion: 2 } } });
      await store.writeLoadInFlight(large);
      expect(await store.readLoadInFlight()).toEqual(large);
    });

    it('adds up what the loads of a day cost', async () => {
      const store = open();
      await Promise.all([
        store.addLoadSpend('2026-11-22', { wakeUps: 1, billedSeconds: 60 }),
        store.addLoadSpend('2026-11-22', { wakeUps: 1, billedSeconds: 71.5 }),
        store.addLoadSpend('2026-11-23', { wakeUps: 0, billedSeconds: 5 }),
      ]);
      expect(await store.readLoadSpend('2026-11-22')).toEqual({ wakeUps: 2, billedSeconds: 131.5 });
      expect(await store.readLoadSpend('2026-11-23')).toEqual({ wakeUps: 0, billedSeconds: 5 });
    });
  });
}

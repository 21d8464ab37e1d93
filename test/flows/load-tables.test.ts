import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { addColumns } from '../../core/schema.ts';
import { changeOf } from '../support/changes.ts';
import type { Happening } from '../support/changes.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { Crash } from '../support/fault-script.ts';
import type { ControlStore } from '../../flows/control-store.ts';
import { LoadingSite, dyingPorts, slowPorts } from '../support/loading.ts';

const SCHEMA = schemaOf({ note: { kind: 'string' } });
const change = (id: string, at: number, note?: string) => {
  const happening: Happening = note === undefined ? { id, at } : { id, at, image: { note: { S: note } } };
  return changeOf(happening, SCHEMA);
};

let site: LoadingSite;

beforeEach(async () => {
  site = new LoadingSite();
  await site.register('orders', SCHEMA);
  await site.register('users', SCHEMA);
});

describe('a run of the loader', () => {
  it('makes the tables, loads all that wait in one transaction, and removes their notices', async () => {
    site.stage('orders', [change('a', 1, 'x'), change('b', 2, 'y')], SCHEMA);
    site.stage('orders', [change('a', 3)], SCHEMA);
    site.stage('users', [change('u', 1, 'z')], SCHEMA);
    const report = await site.run();
    expect(report).toMatchObject({ outcome: 'loaded', loads: 1, changes: 4 });
    for (const table of ['orders', 'users']) expect(site.found(table)).toEqual(site.expected(table));
    expect(site.staging.left).toBe(0);
    expect(site.warehouse.batches).toHaveLength(3);
    expect(site.warehouse.batches.at(-1)?.[0]).toBe('LOCK TABLE "shop_base"."_ledger"');
  });

  it('writes down how far each table is, and measures it', async () => {
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    const loader = site.loader();
    await site.run(loader);
    const [manifest] = site.staging.manifests.keys();
    expect(await site.control.readProgress('orders', 'warehouse')).toMatchObject({
      sequence: 1,
      snapshotId: manifest,
      newestCommittedAtMicros: 1_790_000_000_000_000,
      changes: 1,
    });
    expect(site.metrics.filter(({ name }) => name === 'LoadedChanges')).toEqual([
      { name: 'LoadedChanges', value: 1, table: 'orders' },
    ]);
    expect(site.metrics.find(({ name }) => name === 'Freshness')?.value).toBeGreaterThan(0);
    expect((await site.run(loader)).outcome).toBe('idle');
    expect(site.metrics.at(-1)).toEqual({ name: 'Freshness', value: 0, table: 'orders' });
    expect((await site.control.readProgress('orders', 'warehouse'))?.freshAtMillis).toBe(site.clock.millis);
  });

  it('numbers its loads, and keeps the number of the last when it is over', async () => {
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    await site.run();
    site.stage('orders', [change('a', 2, 'y')], SCHEMA);
    await site.run();
    expect(site.warehouse.ledger.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(await site.control.readLoadInFlight()).toMatchObject({ load: 2, statementId: null, tables: {} });
  });

  it('asks for nothing that it knows: a warm loader looks at a table again only for a newer schema', async () => {
    const loader = site.loader();
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    await site.run(loader);
    const asked = site.warehouse.queries.length;
    site.stage('orders', [change('a', 2, 'y')], SCHEMA);
    await site.run(loader);
    // The one question is what the load did.
    expect(site.warehouse.queries.length - asked).toBe(1);
    const wider = addColumns(SCHEMA, [{ attribute: 'extra', type: { kind: 'json' } }], { maxColumns: 10 });
    await site.register('orders', wider);
    site.stage('orders', [changeOf({ id: 'a', at: 3, image: { extra: { L: [] } } }, wider)], wider);
    await site.run(loader);
    expect(site.warehouse.columns('orders')).toContain('extra');
    expect(site.found('orders')).toEqual(site.expected('orders'));
    const [ddl, load] = site.warehouse.batches.slice(-2);
    expect(ddl?.[0]).toContain('ADD COLUMN "extra"');
    expect(load?.join()).not.toContain('ADD COLUMN');
  });

  it('does nothing while another has the lease', async () => {
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    await site.control.takeLease('load', 'other', site.clock.millis, site.clock.millis + 600_000);
    expect((await site.run()).outcome).toBe('busy');
    expect(site.staging.left).toBe(1);
  });

  it('spreads more tables than one transaction takes over several', async () => {
    for (let table = 0; table < 9; table++) {
      await site.register(`t${table}`, SCHEMA);
      site.stage(`t${table}`, [change('a', 1, 'x')], SCHEMA);
    }
    expect(await site.run()).toMatchObject({ outcome: 'loaded', loads: 2, changes: 9 });
    for (const batch of site.warehouse.batches) expect(batch.length).toBeLessThanOrEqual(40);
    for (let table = 0; table < 9; table++) expect(site.found(`t${table}`)).toEqual(site.expected(`t${table}`));
  });

  it('takes what is more than one round', async () => {
    for (let index = 0; index < 700; index++)
      site.stage('orders', [change(`k${index % 40}`, index, `n${index}`)], SCHEMA);
    expect(await site.run()).toMatchObject({ loads: 3, changes: 700 });
    expect(site.found('orders')).toEqual(site.expected('orders'));
  });

  it('puts off what is of no registered table, and goes on with the rest', async () => {
    site.stage('ghosts', [change('a', 1, 'x')], SCHEMA);
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    expect(await site.run()).toMatchObject({ outcome: 'loaded', changes: 1 });
    expect(site.staging.left).toBe(1);
    expect(site.errors[0]).toMatchObject({ tables: ['ghosts'] });
  });
});

describe('a load that takes longer than its run', () => {
  it('is left under way, and settled by the next run without being loaded again', async () => {
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    site.warehouse.seconds = 1;
    await site.run(); // makes the table
    site.stage('orders', [change('a', 2, 'y')], SCHEMA);
    site.warehouse.seconds = 1_000;
    const loader = site.loader();
    expect((await site.run(loader)).outcome).toBe('running');
    const batches = site.warehouse.batches.length;
    expect((await site.run(loader)).outcome).toBe('running');
    site.clock.advance(1_000);
    expect(await site.run(loader)).toMatchObject({ outcome: 'loaded', loads: 1, changes: 1 });
    expect(site.warehouse.batches).toHaveLength(batches);
    expect(site.staging.left).toBe(0);
    expect(site.found('orders')).toEqual(site.expected('orders'));
  });

  it('that nobody remembers any more is found in the ledger', async () => {
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    site.warehouse.seconds = 1;
    await site.run();
    site.stage('orders', [change('a', 2, 'y')], SCHEMA);
    site.warehouse.seconds = 1_000;
    await site.run();
    site.clock.advance(90_000);
    site.warehouse.forget();
    const batches = site.warehouse.batches.length;
    expect((await site.run()).loads).toBe(1);
    expect(site.warehouse.batches).toHaveLength(batches);
    expect(site.warehouse.ledger).toHaveLength(2);
  });
});

describe('a load that fails', () => {
  it('for a passing reason is tried again later, as it was', async () => {
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    await site.run();
    site.stage('orders', [change('a', 2, 'y')], SCHEMA);
    site.warehouse.breaks = () => ({ message: 'ERROR: 1023 Serializable isolation violation', statement: 6 });
    expect((await site.run()).outcome).toBe('later');
    expect(await site.control.readLoadInFlight()).toMatchObject({ load: 2, statementId: null, attempts: 1 });
    expect(site.metrics.filter(({ name }) => name === 'LoadFailures')).toHaveLength(1);
    site.warehouse.breaks = () => null;
    expect(await site.run()).toMatchObject({ loads: 1, changes: 1 });
    expect(site.staging.left).toBe(0);
    expect(site.found('orders')).toEqual(site.expected('orders'));
  });

  it('again and again is tried ever more seldom, and its notices stay out of the dead letters', async () => {
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    await site.run();
    site.stage('orders', [change('a', 2, 'y')], SCHEMA);
    site.warehouse.breaks = () => ({ message: 'permission denied for database', statement: null });
    for (let run = 0; run < 600; run++) await site.run();
    const tries = site.warehouse.batches.length;
    expect(tries).toBeLessThan(60);
    expect(site.staging.dead).toEqual([]);
    site.warehouse.breaks = () => null;
    await site.settle();
    expect(site.found('orders')).toEqual(site.expected('orders'));
  });

  it('for one object that cannot be read ends with that object dead, and everything else loaded', async () => {
    for (let index = 0; index < 40; index++) {
      site.stage('orders', [change(`k${index}`, index, 'x')], SCHEMA);
      site.stage('users', [change(`k${index}`, index, 'x')], SCHEMA);
    }
    const poison = site.staging.stage('orders', ['{"_key":']);
    await site.run();
    // The other table has not waited for it.
    expect(site.found('users')).toEqual(site.expected('users'));
    await site.settle();
    expect(site.found('orders')).toEqual(site.expected('orders'));
    expect(site.staging.dead.map(({ url }) => url)).toEqual([poison]);
  });

  it('does not hold up objects that come after it', async () => {
    site.staging.stage('orders', ['no json']);
    for (let run = 0; run < 20; run++) {
      site.stage('orders', [change(`k${run}`, run, 'x')], SCHEMA);
      await site.run();
    }
    await site.run();
    expect(site.found('orders')).toEqual(site.expected('orders'));
  });

  it('because an object is gone lets the others through', async () => {
    const gone = site.stage('orders', [], SCHEMA);
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    site.staging.objects.delete(gone);
    await site.settle();
    expect(site.found('orders')).toEqual(site.expected('orders'));
    expect(site.staging.dead.map(({ url }) => url)).toEqual([gone]);
  });

  it('because a table is somebody else’s leaves that alone, and loads the others', async () => {
    site.warehouse.makeView('orders');
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    site.stage('users', [change('a', 1, 'x')], SCHEMA);
    expect(await site.run()).toMatchObject({ loads: 1, changes: 1 });
    expect(site.found('users')).toEqual(site.expected('users'));
    expect(site.errors[0]).toMatchObject({ table: 'orders', kind: 'setting' });
    expect(String(site.errors[0]?.reason)).toContain('Rename one of the two');
  });

  it('because nobody can plan it fails alone', async () => {
    const wanted = Array.from({ length: 1200 }, (_, index) => ({
      attribute: `a_rather_long_name_of_an_attribute_${index}`,
      type: { kind: 'timestamp' } as const,
    }));
    await site.register('wide', SCHEMA);
    await site.register('wide', addColumns(SCHEMA, wanted, { maxColumns: 1600 }));
    site.stage('wide', [change('a', 1, 'x')], SCHEMA);
    site.stage('users', [change('a', 1, 'x')], SCHEMA);
    for (let run = 0; run < 6; run++) await site.run();
    expect(site.found('users')).toEqual(site.expected('users'));
    expect(String(site.errors[0]?.reason)).toContain('maxColumns');
  });
});

describe('the money', () => {
  const serverless = { baseCapacity: 8, rpuHourUsd: 0.375 };

  it('is spent in wake-ups: one bills a minute at least, and what comes within it is loaded too', async () => {
    const loader = site.loader({ serverless });
    site.stage('orders', [change('a', 1, 'x')], SCHEMA);
    await site.run(loader);
    expect(await site.control.readLoadSpend('2026-11-22')).toEqual({ wakeUps: 1, billedSeconds: 60 });
    site.stage('orders', [change('a', 2, 'x')], SCHEMA);
    await loader.run({ owner: 'at once', deadlineMillis: site.clock.millis + 300_000 });
    expect(await site.control.readLoadSpend('2026-11-22')).toEqual({ wakeUps: 1, billedSeconds: 60 });
    expect(site.found('orders')).toEqual(site.expected('orders'));
  });

  it('lasts the day out', async () => {
    const loader = site.loader({ serverless, dailyBudgetUsd: 1, objectiveSeconds: 60 });
    const day = '2026-11-23';
    while (new Date(site.clock.millis).toISOString() < `${day}T23:58`) {
      if (site.staging.left < 5) site.stage('orders', [change('a', site.clock.millis % 1e9, 'x')], SCHEMA);
      await site.run(loader);
    }
    const { wakeUps } = await site.control.readLoadSpend(day);
    expect(wakeUps).toBeGreaterThanOrEqual(19);
    expect(wakeUps).toBeLessThanOrEqual(20);
  });
});

describe('faults', () => {
  async function prepared(): Promise<LoadingSite> {
    const one = new LoadingSite();
    for (const table of ['orders', 'users']) await one.register(table, SCHEMA);
    one.stage('orders', [change('a', 1, 'x'), change('b', 4, 'y')], SCHEMA);
    await one.run();
    const wider = addColumns(SCHEMA, [{ attribute: 'extra', type: { kind: 'json' } }], { maxColumns: 10 });
    await one.register('users', wider);
    one.stage('orders', [change('a', 3), change('c', 1, 'z')], SCHEMA);
    one.stage('orders', [change('a', 2, 'late'), change('b', 5)], SCHEMA);
    one.stage('users', [changeOf({ id: 'u', at: 7, image: { extra: { L: [] } } }, wider)], wider);
    return one;
  }

  it.each(['before', 'after'] as const)(
    'killed %s any call of any port, the next runs end equal to the source',
    async (when) => {
      const whole = await prepared();
      const counting = dyingPorts(whole.ports, Infinity, when);
      await whole.run(whole.loader({}, counting));
      expect(counting.calls()).toBeGreaterThan(15);
      for (let at = 1; at <= counting.calls(); at++) {
        const one = await prepared();
        const dying = one.run(one.loader({}, dyingPorts(one.ports, at, when)));
        await expect(dying, `call ${at}`).rejects.toThrow(Crash);
        // Something newer comes before anybody has seen to it.
        one.stage('orders', [change('b', 6, 'back')], SCHEMA);
        await one.settle();
        for (const table of ['orders', 'users'])
          expect(one.found(table), `${table}, call ${at}`).toEqual(one.expected(table));
        expect(one.staging.dead).toEqual([]);
      }
    },
  );

  it('with the reply of any call lost, this run or the next ends equal to the source', async () => {
    const whole = await prepared();
    const counting = dyingPorts(whole.ports, Infinity, 'lost');
    await whole.run(whole.loader({}, counting));
    for (let at = 1; at <= counting.calls(); at++) {
      const one = await prepared();
      const loader = one.loader({}, dyingPorts(one.ports, at, 'lost'));
      await expect(one.run(loader), `call ${at}`).rejects.toThrow('The reply was lost');
      // The loader stays warm, with all that it believes to know.
      await one.run(loader);
      await one.settle();
      for (const table of ['orders', 'users'])
        expect(one.found(table), `${table}, call ${at}`).toEqual(one.expected(table));
      expect(one.staging.dead).toEqual([]);
    }
  });

  it('beside another that the lease has not kept out, nothing is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat({ max: 12 })), async (dice) => {
        const one = await prepared();
        const control: ControlStore = { ...one.control, takeLease: () => Promise.resolve(true) };
        const ports = slowPorts({ ...one.ports, control }, () => Number(dice.next().value));
        const runs = [0, 1].map(() => one.run(one.loader({}, ports)).catch(() => null));
        one.stage('orders', [change('b', 6, 'back')], SCHEMA);
        await Promise.all(runs);
        await one.settle();
        for (const table of ['orders', 'users']) expect(one.found(table)).toEqual(one.expected(table));
        expect(one.staging.dead).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('killed while dealing with a poison object, the rest still ends equal to the source', async () => {
    const poisoned = async (): Promise<LoadingSite> => {
      const one = await prepared();
      one.staging.stage('orders', ['{']);
      return one;
    };
    const whole = await poisoned();
    const counting = dyingPorts(whole.ports, Infinity, 'after');
    await whole.run(whole.loader({}, counting));
    for (let at = 1; at <= counting.calls(); at++) {
      const one = await poisoned();
      await expect(one.run(one.loader({}, dyingPorts(one.ports, at, 'after')))).rejects.toThrow(Crash);
      await one.settle();
      for (const table of ['orders', 'users'])
        expect(one.found(table), `${table}, call ${at}`).toEqual(one.expected(table));
      expect(one.staging.dead).toHaveLength(1);
    }
  });
});

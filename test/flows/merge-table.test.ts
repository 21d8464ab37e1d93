import { describe, expect, it } from 'vitest';
import { addColumns } from '../../core/schema.ts';
import { lookForNews } from '../../flows/merge-look.ts';
import {
  LEASE_MINUTES,
  REST_MINUTES,
  beginMerge,
  failMerge,
  finishMerge,
  runMergeStep,
} from '../../flows/merge-table.ts';
import { changeOf } from '../support/changes.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { MergeWorld } from './merge-world.ts';

const WORDS = schemaOf({ word: { kind: 'string' } });
const FIRST = { table: 'orders', execution: 'arn:execution:first' };
const SECOND = { table: 'orders', execution: 'arn:execution:second' };
const MINUTE = 60_000;

function change(at: number, committedAtMillis: number) {
  const made = changeOf({ id: 'a', at, image: { word: { S: `${at}` } } }, WORDS);
  return { ...made, committedAtMicros: committedAtMillis * 1000, capturedAtMicros: committedAtMillis * 1000 + 500 };
}

/** A world with a merged change and its views. */
async function mergedWorld(): Promise<MergeWorld> {
  const world = new MergeWorld();
  world.makeViews(WORDS);
  world.append([change(1, world.nowMillis - 5_000)]);
  await mergeAll(world, FIRST);
  return world;
}

async function mergeAll(world: MergeWorld, execution: typeof FIRST): Promise<void> {
  const begun = await beginMerge(world.ports, execution);
  for (const statement of begun.statements) world.run(statement);
  if (begun.statements.length > 0) await finishMerge(world.ports, execution, begun.plan);
}

describe('a look', () => {
  it('starts the merge of a table with something new, named by table, snapshot and minute', async () => {
    const world = new MergeWorld();
    world.append([change(1, world.nowMillis - 5_000)]);
    expect(await runMergeStep(world.ports, { step: 'look', tables: ['orders'] })).toEqual({ orders: 'started' });
    expect(world.started).toEqual([{ table: 'orders', name: `orders-${world.current?.snapshotId}-29833335` }]);
    expect(await lookForNews(world.ports, ['orders'])).toEqual({ orders: 'started' });
    expect(world.started.length).toBe(1);
    world.nowMillis += MINUTE;
    await lookForNews(world.ports, ['orders']);
    expect(world.started.length).toBe(2);
  });

  it('gives every execution a name that Step Functions takes', async () => {
    const world = new MergeWorld();
    world.append([change(1, world.nowMillis)]);
    await lookForNews(world.ports, ['o'.repeat(100)]);
    expect(world.started[0]?.name).toMatch(/^[a-zA-Z0-9_-]{1,80}$/);
  });

  it('records that a table with nothing new is fresh', async () => {
    const world = await mergedWorld();
    const before = await world.control.readProgress('orders', 'lakehouse');
    world.nowMillis += 5 * MINUTE;
    expect(await lookForNews(world.ports, ['orders'])).toEqual({ orders: 'fresh' });
    expect(await world.control.readProgress('orders', 'lakehouse')).toEqual({
      ...before,
      freshAtMillis: world.nowMillis,
    });
    expect(world.metrics.values('Freshness', { table: 'orders', target: 'lakehouse' }).at(-1)).toBe(0);
    expect(world.started).toEqual([]);
  });

  it('moves the watermark past a commit that brought nothing, without a query', async () => {
    const world = await mergedWorld();
    world.append([]);
    expect(await lookForNews(world.ports, ['orders'])).toEqual({ orders: 'fresh' });
    expect(await world.control.readProgress('orders', 'lakehouse')).toMatchObject({ ...world.current, changes: 1 });
  });

  it('says of a changelog without a commit that it is fresh, and records nothing', async () => {
    const world = new MergeWorld();
    expect(await lookForNews(world.ports, ['orders'])).toEqual({ orders: 'fresh' });
    expect(await world.control.readProgress('orders', 'lakehouse')).toBeNull();
  });

  it('tells how long something has waited, and starts nothing while a merge is under way', async () => {
    const world = await mergedWorld();
    world.nowMillis += MINUTE;
    world.append([change(2, world.nowMillis - 1_000)]);
    await beginMerge(world.ports, SECOND);
    world.nowMillis += 2 * MINUTE;
    expect(await lookForNews(world.ports, ['orders'])).toEqual({ orders: 'busy' });
    expect(world.metrics.values('Freshness').at(-1)).toBe(180);
    expect(world.started).toEqual([]);
    world.nowMillis += LEASE_MINUTES * MINUTE;
    expect(await lookForNews(world.ports, ['orders'])).toEqual({ orders: 'started' });
  });

  it('measures from the oldest capture where nothing was merged yet', async () => {
    const world = new MergeWorld();
    world.append([change(1, world.nowMillis - 90_000)]);
    await lookForNews(world.ports, ['orders']);
    expect(world.metrics.values('Freshness').at(-1)).toBeCloseTo(90, 2);
  });

  it('looks at every table, and then says which it could not look at', async () => {
    const world = new MergeWorld();
    world.append([change(1, world.nowMillis)]);
    const { files } = world.ports;
    const ports = {
      ...world.ports,
      files: {
        ...files,
        newFiles: (table: string, since: null) =>
          table === 'broken' ? Promise.reject(new Error('x')) : files.newFiles(table, since),
      },
    };
    await expect(lookForNews(ports as typeof world.ports, ['broken', 'orders'])).rejects.toThrow(/in broken:/);
    expect(world.started.map((one) => one.table)).toEqual(['orders']);
    expect(world.metrics.total('MergeFailures', { table: 'broken' })).toBe(1);
    expect(world.log.lines.filter((line) => line.level === 'error').length).toBe(1);
  });

  it('leaves a progress alone that another has recorded meanwhile', async () => {
    const world = await mergedWorld();
    const { control } = world;
    const ports = {
      ...world.ports,
      control: {
        ...control,
        readProgress: async (...all: Parameters<typeof control.readProgress>) => {
          const progress = await control.readProgress(...all);
          if (progress !== null)
            await control.writeProgress('orders', 'lakehouse', { ...progress, changes: 99 }, progress);
          return progress;
        },
      },
    };
    expect(await lookForNews(ports, ['orders'])).toEqual({ orders: 'fresh' });
    expect(await control.readProgress('orders', 'lakehouse')).toMatchObject({ changes: 99 });
  });
});

describe('a merge', () => {
  it('records what it brought the table to, and how fresh that is', async () => {
    const world = new MergeWorld();
    world.makeViews(WORDS);
    world.append([change(1, world.nowMillis - 9_000), change(2, world.nowMillis - 4_000)]);
    const begun = await beginMerge(world.ports, FIRST);
    expect(begun.statements.length).toBe(1);
    expect(begun.plan).toEqual({
      upTo: world.current,
      files: 1,
      records: 2,
      newestCommittedAtMicros: (world.nowMillis - 4_000) * 1000,
      plannedAtMillis: world.nowMillis,
    });
    for (const statement of begun.statements) world.run(statement);
    world.nowMillis += 6_000;
    await finishMerge(world.ports, FIRST, begun.plan);
    expect(await world.control.readProgress('orders', 'lakehouse')).toEqual({
      ...world.current,
      newestCommittedAtMicros: begun.plan.newestCommittedAtMicros,
      freshAtMillis: world.nowMillis - 6_000,
      changes: 2,
    });
    expect(world.metrics.values('Freshness', { table: 'orders', target: 'lakehouse' })).toEqual([10]);
    expect(world.metrics.total('MergedChanges')).toBe(2);
    expect(await world.control.readLease('merge#orders')).toBeNull();
    expect(world.rows).toEqual(world.expectedRows);
  });

  it('of late changes alone is as fresh as its plan', async () => {
    const world = await mergedWorld();
    world.nowMillis += MINUTE;
    world.append([change(2, world.nowMillis - 7 * 24 * 60 * MINUTE)]);
    const begun = await beginMerge(world.ports, SECOND);
    world.nowMillis += 7_000;
    await finishMerge(world.ports, SECOND, begun.plan);
    expect(world.metrics.values('Freshness').at(-1)).toBe(7);
    const newest = (await world.control.readProgress('orders', 'lakehouse'))?.newestCommittedAtMicros;
    expect(newest).toBe((world.nowMillis - 7_000 - MINUTE - 5_000) * 1000);
  });

  it('counts once where its reply was lost and it is finished again', async () => {
    const world = new MergeWorld();
    world.makeViews(WORDS);
    world.append([change(1, world.nowMillis)]);
    const begun = await beginMerge(world.ports, FIRST);
    await finishMerge(world.ports, FIRST, begun.plan);
    await finishMerge(world.ports, FIRST, begun.plan);
    expect(await world.control.readProgress('orders', 'lakehouse')).toMatchObject({ changes: 1 });
    expect(world.metrics.total('MergedChanges')).toBe(1);
  });

  it('reads the schema after the files: what their changes have was registered before them', async () => {
    const world = new MergeWorld();
    const order: string[] = [];
    const { files, registry } = world.ports;
    world.append([change(1, world.nowMillis)]);
    await beginMerge(
      {
        ...world.ports,
        files: {
          ...files,
          newFiles: (...all) => {
            order.push('files');
            return files.newFiles(...all);
          },
        },
        registry: {
          ...registry,
          load: (table) => {
            order.push('schema');
            return registry.load(table);
          },
        },
      },
      FIRST,
    );
    expect(order).toEqual(['files', 'schema']);
  });

  it('adds new columns before it is planned, and makes stale views anew before it', async () => {
    const world = await mergedWorld();
    const wider = addColumns(WORDS, [{ attribute: 'total', type: { kind: 'long' } }], { maxColumns: 9 });
    world.schemas.push(wider);
    world.append([change(2, world.nowMillis)]);
    const begun = await beginMerge(world.ports, SECOND);
    expect(world.evolved.at(-1)).toBe(wider);
    expect(begun.statements.map((one) => one.slice(0, 50))).toEqual([
      expect.stringContaining('VIEW "shop"."orders_live"'),
      expect.stringContaining('VIEW "shop"."orders_history"'),
      expect.stringContaining('MERGE INTO'),
    ]);
    expect(begun.statements.at(-1)).toContain('"total" = s.c');
    // The execution died after the first view: the next one makes the other.
    world.run(begun.statements[0] ?? '');
    await failMerge(world.ports, SECOND, 'killed');
    world.nowMillis += REST_MINUTES * MINUTE;
    const again = await beginMerge(world.ports, FIRST);
    expect(again.statements.map((one) => one.slice(0, 50))).toEqual([
      expect.stringContaining('VIEW "shop"."orders_history"'),
      expect.stringContaining('MERGE INTO'),
    ]);
  });

  it('leaves the changes to the next execution where the views of a wide table fill one', async () => {
    const world = new MergeWorld();
    const declared = Array.from(
      { length: 499 },
      (_, index) => [`${'a'.repeat(58)}${1000 + index}`, { kind: 'json' }] as const,
    );
    world.schemas = [schemaOf(Object.fromEntries(declared))];
    world.append([change(1, world.nowMillis)]);
    const kinds: string[] = [];
    for (let execution = 0; execution < 3; execution++) {
      const begun = await beginMerge(world.ports, FIRST);
      expect(JSON.stringify(begun).length).toBeLessThan(250_000);
      kinds.push(begun.statements.map((one) => one.split(' ')[0]).join('+'));
      for (const statement of begun.statements) world.run(statement);
      await finishMerge(world.ports, FIRST, begun.plan);
    }
    expect(kinds).toEqual(['CREATE', 'CREATE', 'MERGE']);
    expect(world.rows).toEqual(world.expectedRows);
  });

  it('has nothing to run where another has the lease', async () => {
    const world = new MergeWorld();
    world.append([change(1, world.nowMillis)]);
    await beginMerge(world.ports, FIRST);
    expect(await beginMerge(world.ports, SECOND)).toMatchObject({ statements: [], plan: { upTo: null } });
    expect((await world.control.readLease('merge#orders'))?.owner).toBe(FIRST.execution);
  });

  it('has nothing to run where nothing is new any more, and gives the lease back', async () => {
    const world = await mergedWorld();
    world.append([]);
    expect(await beginMerge(world.ports, SECOND)).toMatchObject({ statements: [], plan: { upTo: null } });
    expect(await world.control.readLease('merge#orders')).toBeNull();
    expect(await world.control.readProgress('orders', 'lakehouse')).toMatchObject({ ...world.current });
  });

  it('that lost its lease records nothing: the one that has it will', async () => {
    const world = new MergeWorld();
    world.makeViews(WORDS);
    world.append([change(1, world.nowMillis)]);
    const slow = await beginMerge(world.ports, FIRST);
    world.nowMillis += LEASE_MINUTES * MINUTE;
    world.append([change(2, world.nowMillis)]);
    const quick = await beginMerge(world.ports, SECOND);
    await finishMerge(world.ports, FIRST, slow.plan);
    expect(await world.control.readProgress('orders', 'lakehouse')).toBeNull();
    for (const statement of [...quick.statements, ...slow.statements]) world.run(statement);
    await finishMerge(world.ports, SECOND, quick.plan);
    await finishMerge(world.ports, FIRST, slow.plan);
    expect(await world.control.readProgress('orders', 'lakehouse')).toMatchObject({ ...world.current });
    expect(world.rows).toEqual(world.expectedRows);
  });

  it('that failed is counted, and its table rests a little', async () => {
    const world = new MergeWorld();
    world.append([change(1, world.nowMillis)]);
    await beginMerge(world.ports, FIRST);
    await runMergeStep(world.ports, { step: 'fail', ...FIRST, error: 'ICEBERG_COMMIT_ERROR' });
    expect(world.metrics.total('MergeFailures', { table: 'orders' })).toBe(1);
    expect(world.log.lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { table: 'orders', reason: 'ICEBERG_COMMIT_ERROR' },
    });
    world.nowMillis += MINUTE;
    expect(await lookForNews(world.ports, ['orders'])).toEqual({ orders: 'busy' });
    world.nowMillis += MINUTE;
    expect(await lookForNews(world.ports, ['orders'])).toEqual({ orders: 'started' });
  });

  it('of a table that was never registered says what to do', async () => {
    const world = new MergeWorld();
    world.schemas = [];
    world.append([change(1, world.nowMillis)]);
    await expect(beginMerge(world.ports, FIRST)).rejects.toThrow(/orders has changes and no schema.*cdk deploy/);
  });

  it('gives up on recording after a few conflicts in a row', async () => {
    const world = new MergeWorld(['ok', 'conflict', 'conflict', 'conflict', 'conflict', 'conflict']);
    world.append([change(1, world.nowMillis)]);
    const begun = await beginMerge(world.ports, FIRST);
    await expect(finishMerge(world.ports, FIRST, begun.plan)).rejects.toMatchObject({ code: 'conflict' });
  });
});

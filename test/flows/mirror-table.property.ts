import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryChangelog } from '../../adapters/memory/changelog.ts';
import type { MemoryChangelog } from '../../adapters/memory/changelog.ts';
import { createMemoryQuarantine } from '../../adapters/memory/quarantine.ts';
import { createMemorySchemaRegistry } from '../../adapters/memory/schema-registry.ts';
import { createMemoryTarget } from '../../adapters/memory/target.ts';
import { decodeRow } from '../../core/decode-row.ts';
import { GlasshouseError } from '../../core/errors.ts';
import { materialize } from '../../core/merge.ts';
import type { TableSchema } from '../../core/schema.ts';
import { streamVersion } from '../../core/version.ts';
import type { Epoch } from '../../core/version.ts';
import { Capture } from '../../flows/capture.ts';
import { mirrorSource } from '../../flows/mirror-table.ts';
import type { Delivered, Target } from '../../flows/ports.ts';
import { TableWriter } from '../../flows/table-writer.ts';
import type { Happening } from '../support/changes.ts';
import { changeOf, recordOf, rowsOf, sequenceNumber } from '../support/changes.ts';
import { schemaOf } from '../support/dynamodb.ts';
import type { Fault } from '../support/fault-script.ts';
import { Crash } from '../support/fault-script.ts';
import { FaultyChangelog, FaultyQuarantine, FaultyRegistry, FaultyTarget } from '../support/faulty-ports.ts';
import type { RunOptions, Stores } from '../support/mirror.ts';
import { NOW_MILLIS, ORDERS, delivered, runOnce } from '../support/mirror.ts';

/** Images with attributes of their own, so that columns come late and types mix; null is a delete. */
const anyImage = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 5, arbitrary: fc.nat(99).map((n) => ({ total: { N: `${n}.5` } })) },
  { weight: 2, arbitrary: fc.string({ maxLength: 4 }).map((S) => ({ note: { S } })) },
  { weight: 1, arbitrary: fc.constant({ total: { BOOL: true }, note: { N: '1' } }) },
);

const anyHistory = fc
  .array(fc.record({ id: fc.constantFrom('a', 'b', 'c'), image: anyImage }), { minLength: 1, maxLength: 25 })
  .map((steps) =>
    steps.map(({ id, image }, at): Happening => (image === null ? { id, at: at + 1 } : { id, at: at + 1, image })),
  );

/** The history, every record of it at least once, with repetitions, out of order, and poison between. */
const anyDelivery = anyHistory.chain((history) =>
  fc.record({
    history: fc.constant(history),
    order: fc.shuffledSubarray([...history, ...history], { minLength: history.length * 2 }),
    repeated: fc.nat(history.length),
    poison: fc.array(fc.nat(history.length), { maxLength: 3 }),
  }),
);

function deliveriesOf({
  history,
  order,
  repeated,
  poison,
}: typeof anyDelivery extends fc.Arbitrary<infer T> ? T : never): Delivered[] {
  const seen = new Set<Happening>();
  let again = repeated;
  const happenings = order.filter((one) => {
    if (seen.has(one)) return again-- > 0;
    seen.add(one);
    return true;
  });
  expect(seen.size).toBe(history.length);
  const records: unknown[] = happenings.map(recordOf);
  for (const at of poison) records.splice(at, 0, { poison: at });
  return delivered(...records);
}

const anyFaults = (faults: readonly Fault[]): fc.Arbitrary<Fault[]> =>
  fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant<Fault>('ok') }, { weight: 1, arbitrary: fc.constantFrom(...faults) }),
    { maxLength: 12 },
  );

const anyScripts = fc.record({
  changelog: anyFaults(['refuse', 'lose-reply', 'crash', 'crash-after']),
  targets: fc.tuple(
    anyFaults(['refuse', 'lose-reply', 'conflict', 'crash', 'crash-after']),
    anyFaults(['refuse', 'lose-reply', 'conflict', 'crash', 'crash-after']),
  ),
  registry: anyFaults(['refuse', 'lose-reply', 'conflict', 'crash']),
  quarantine: anyFaults(['refuse', 'lose-reply', 'crash-after']),
});

const anyOptions: fc.Arbitrary<RunOptions> = fc.record({
  batchSize: fc.integer({ min: 1, max: 6 }),
  gatherRecords: fc.integer({ min: 1, max: 8 }),
  feed: fc.record({ maxKeys: fc.integer({ min: 1, max: 4 }), applyFrom: fc.integer({ min: 1, max: 4 }) }),
});

interface World extends Stores {
  readonly memory: MemoryChangelog;
}

function worldOf(scripts: typeof anyScripts extends fc.Arbitrary<infer T> ? T : never, pieceChanges: number): World {
  const memory = createMemoryChangelog(pieceChanges);
  return {
    memory,
    registry: new FaultyRegistry(createMemorySchemaRegistry(), scripts.registry),
    changelog: new FaultyChangelog(memory, scripts.changelog),
    quarantine: new FaultyQuarantine(createMemoryQuarantine(), scripts.quarantine),
    targets: scripts.targets.map((faults) => new FaultyTarget(createMemoryTarget(), faults)),
  };
}

/** Every script has fewer faults than this. */
const MOST_LIVES = 70;

/** Lives of a mirror one after the other, each ended by a fault, until one comes to the end. Returns how many there were. */
async function runUntilDone(world: World, deliveries: readonly Delivered[], options: RunOptions): Promise<number> {
  for (let lives = 1; lives < MOST_LIVES; lives++) {
    try {
      await runOnce(world, deliveries, options);
      return lives;
    } catch (thrown) {
      if (!(thrown instanceof Crash || thrown instanceof GlasshouseError)) throw thrown;
    }
  }
  throw new Error('The mirror never came to its end.');
}

async function newestSchema(world: World): Promise<TableSchema> {
  return (await Capture.open(ORDERS, world.registry)).schema;
}

/** What a target holds, in words that do not depend on where a value stands: its column, or _rescued. */
async function versionsOf(target: Target, schema: TableSchema): Promise<unknown[]> {
  return (await rowsOf(target, schema)).map((row) => [row.keyHash, row.version]);
}

describe('whatever is delivered, in whatever order, however often, through any faults', () => {
  it('every target ends equal to what the history comes to; nothing is lost and nothing is there twice', async () => {
    const anyRun = fc.record({
      delivery: anyDelivery,
      scripts: anyScripts,
      options: anyOptions,
      piece: fc.integer({ min: 1, max: 5 }),
    });
    let killed = 0;
    await fc.assert(
      fc.asyncProperty(anyRun, async ({ delivery, scripts, options, piece }) => {
        const world = worldOf(scripts, piece);
        const deliveries = deliveriesOf(delivery);
        const lives = await runUntilDone(world, deliveries, options);
        if (lives > 1) killed++;
        const schema = await newestSchema(world);
        const expected = [...materialize(delivery.history.map((one) => changeOf(one, schema))).values()]
          .map((change) => [change.keyHash, change.version])
          .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
        const fromChangelog = materialize(world.memory.all());
        for (const target of world.targets) {
          expect(await versionsOf(target, schema)).toEqual(expected);
          for (const row of await rowsOf(target, schema)) {
            const { cells, rescued } = decodeRow(fromChangelog.get(row.keyHash)?.row ?? '{}', schema);
            expect([row.cells, row.rescued]).toEqual([cells, rescued]);
          }
          expect(await target.mark()).toEqual(await world.changelog.newest());
        }
        const captured = new Set(world.memory.all().map((change) => change.version));
        expect(captured).toEqual(
          new Set(delivery.history.map((one) => streamVersion('20261122100000000' as Epoch, sequenceNumber(one.at)))),
        );
        const counts = await world.quarantine.counts('orders');
        expect(counts['not-a-record'] ?? 0).toBe(delivery.poison.length);
      }),
      { numRuns: 300 },
    );
    // The law says little where hardly any mirror is killed.
    expect(killed).toBeGreaterThan(50);
  });

  it('without a fault the changelog holds every delivery once', async () => {
    await fc.assert(
      fc.asyncProperty(anyDelivery, anyOptions, async (delivery, options) => {
        const none = { changelog: [], targets: [[], []] as [Fault[], Fault[]], registry: [], quarantine: [] };
        const world = worldOf(none, 3);
        const deliveries = deliveriesOf(delivery);
        await runOnce(world, deliveries, options);
        expect(world.memory.all()).toHaveLength(deliveries.length - delivery.poison.length);
        await runOnce(world, deliveries, options);
        expect(world.memory.all()).toHaveLength(deliveries.length - delivery.poison.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a mirror that is killed', () => {
  const records = delivered(
    recordOf({ id: 'a', at: 1, image: { word: { S: 'x' } } }),
    recordOf({ id: 'b', at: 2, image: { word: { S: 'y' } } }),
    recordOf({ id: 'a', at: 3 }),
  );
  const options = { batchSize: 1, gatherRecords: 1 };

  function stores(changelog: readonly Fault[], target: readonly Fault[]): World {
    return worldOf({ changelog: [...changelog], targets: [[...target], []], registry: [], quarantine: [] }, 2);
  }

  it('between an append and its apply brings its targets up to the changelog when it is started again', async () => {
    const world = stores(['ok', 'ok', 'crash-after'], []);
    await expect(runOnce(world, records, options)).rejects.toThrow(Crash);
    const schema = schemaOf({ word: { kind: 'string' } });
    expect(world.memory.all()).toHaveLength(3);
    await runOnce(world, [], options);
    for (const target of world.targets)
      expect((await rowsOf(target, schema)).map((row) => row.cells)).toEqual([['b', 'y']]);
    expect(world.memory.all()).toHaveLength(3);
  });

  it('before an append delivers it again', async () => {
    const world = stores(['ok', 'crash'], []);
    await expect(runOnce(world, records, options)).rejects.toThrow(Crash);
    expect(world.memory.all()).toHaveLength(1);
    await runOnce(world, records, options);
    expect(world.memory.all().map((change) => change.operation)).toEqual(['update', 'update', 'delete']);
  });

  it('while one target is away leaves the other as it is, and both are equal in the end', async () => {
    const world = stores([], ['crash']);
    await expect(runOnce(world, records, options)).rejects.toThrow(Crash);
    await runOnce(world, records, options);
    const schema = await newestSchema(world);
    const [one, other] = world.targets;
    if (one === undefined || other === undefined) throw new Error('There are two targets.');
    expect(await rowsOf(one, schema)).toEqual(await rowsOf(other, schema));
    expect(await rowsOf(one, schema)).toHaveLength(1);
  });

  it('and whose changelog was made anew brings a target that was kept up to that one', async () => {
    const world = stores([], []);
    for (let again = 0; again < 3; again++) await world.changelog.append([], null);
    await runOnce(world, records, options);
    const anew = createMemoryChangelog();
    const made = changeOf({ id: 'c', at: 9, image: { word: { S: 'z' } } }, await newestSchema(world));
    await anew.append([made], null);
    await runOnce({ ...world, changelog: anew }, [], options);
    const schema = await newestSchema(world);
    for (const target of world.targets) {
      expect((await rowsOf(target, schema)).map((row) => row.cells[0]).sort()).toEqual(['b', 'c']);
      expect(await target.mark()).toEqual(await anew.newest());
    }
  });

  it('and whose append’s reply was lost holds the changes once all the same', async () => {
    const world = stores(['lose-reply'], []);
    await expect(runOnce(world, records, options)).rejects.toMatchObject({ code: 'unavailable' });
    await runOnce(world, records, options);
    expect(world.memory.all()).toHaveLength(3);
  });
});

it('a source that waits for records is ended when an append fails', async () => {
  const world = worldOf({ changelog: ['refuse'], targets: [[], []], registry: [], quarantine: [] }, 2);
  const writer = new TableWriter({ changelog: world.changelog, quarantine: world.quarantine, feeds: [] }, null);
  const capture = await Capture.open(ORDERS, world.registry);
  const source = {
    async *batches(_from: unknown, signal: AbortSignal) {
      yield { deliveries: delivered(recordOf({ id: 'a', at: 1 })), positions: null };
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
        if (signal.aborted) resolve(null);
      });
    },
  };
  const mirroring = mirrorSource(
    { source, capture, writer, nowMillis: () => NOW_MILLIS, gatherRecords: 1 },
    null,
    new AbortController().signal,
  );
  await expect(mirroring).rejects.toMatchObject({ code: 'unavailable' });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryTarget } from '../../adapters/memory/target.ts';
import { addColumns } from '../../core/schema.ts';
import { Feed } from '../../flows/feed.ts';
import { START } from '../../flows/mirror-table.ts';
import type { Applied, ChangelogMark, Target, TypedChange } from '../../flows/ports.ts';
import type { Happening } from '../support/changes.ts';
import { changeOf, rowsOf } from '../support/changes.ts';
import { expectedRows } from '../support/contracts/target.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { Crash } from '../support/fault-script.ts';
import { FaultyTarget } from '../support/faulty-ports.ts';
import { feedOptions } from '../support/mirror.ts';

const WORDS = schemaOf({ word: { kind: 'string' } });

function mark(sequence: number): ChangelogMark {
  return { sequence, snapshotId: sequence };
}

function word(id: string, at: number): Happening {
  return { id, at, image: { word: { S: `${at}` } } };
}

function changes(...happenings: readonly Happening[]) {
  return happenings.map((happening) => changeOf(happening, WORDS));
}

/** A target that ends an apply only when it is told to, and keeps what it was given. */
class HeldTarget implements Target {
  readonly given: { readonly versions: readonly string[]; readonly mark: ChangelogMark }[] = [];
  private readonly inner = createMemoryTarget();
  private readonly waiting: (() => void)[] = [];

  mark(): Promise<ChangelogMark | null> {
    return this.inner.mark();
  }

  async apply(given: readonly TypedChange[], schema: typeof WORDS, at: ChangelogMark): Promise<Applied> {
    this.given.push({ versions: given.map((one) => one.change.version), mark: at });
    await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this.inner.apply(given, schema, at);
  }

  rows(schema: typeof WORDS): ReturnType<Target['rows']> {
    return this.inner.rows(schema);
  }

  /** Lets the apply that runs end. */
  async letGo(): Promise<void> {
    this.waiting.shift()?.();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
}

describe('while its target is busy, a feed', () => {
  it('keeps the newest change of each key only, and applies them together with the newest mark', async () => {
    const target = new HeldTarget();
    const feed = new Feed(target, START, feedOptions());
    await feed.offer(changes(word('a', 1)), WORDS, mark(1));
    await feed.offer(changes(word('a', 2), word('b', 3)), WORDS, mark(2));
    await feed.offer(changes(word('b', 1), { id: 'a', at: 4 }), WORDS, mark(3));
    await target.letGo();
    await target.letGo();
    await feed.drain();
    expect(target.given).toEqual([
      { versions: changes(word('a', 1)).map((one) => one.version), mark: mark(1) },
      { versions: changes({ id: 'a', at: 4 }, word('b', 3)).map((one) => one.version), mark: mark(3) },
    ]);
    expect(await target.mark()).toEqual(mark(3));
  });

  it('lets whoever offers wait where too many keys do', async () => {
    const target = new HeldTarget();
    const feed = new Feed(target, START, feedOptions({ maxKeys: 2 }));
    let isTaken = false;
    await feed.offer(changes(word('a', 1)), WORDS, mark(1));
    const offered = feed.offer(changes(word('b', 1), word('c', 1)), WORDS, mark(2)).then(() => (isTaken = true));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(isTaken).toBe(false);
    await target.letGo();
    await target.letGo();
    await offered;
    await feed.drain();
    expect(await rowsOf(target, WORDS)).toHaveLength(3);
  });

  it('begins by itself only once enough keys wait, and with the rest when it is drained', async () => {
    const target = new HeldTarget();
    const feed = new Feed(target, START, feedOptions({ applyFrom: 3 }));
    await feed.offer(changes(word('a', 1), word('b', 1), word('a', 2)), WORDS, mark(1));
    expect(target.given).toHaveLength(0);
    await feed.offer(changes(word('c', 1)), WORDS, mark(2));
    expect(target.given).toHaveLength(1);
    await feed.offer(changes(word('d', 1)), WORDS, mark(3));
    await target.letGo();
    expect(target.given).toHaveLength(1);
    const drained = feed.drain();
    await target.letGo();
    await drained;
    expect(target.given.map((one) => one.mark)).toEqual([mark(2), mark(3)]);
  });
});

describe('a mark', () => {
  it('is never ahead of what was offered: a piece within an append leaves it where it was', async () => {
    const target = createMemoryTarget();
    const feed = new Feed(target, mark(7), feedOptions());
    await feed.offer(changes(word('a', 1)), WORDS, null);
    await feed.drain();
    expect(await target.mark()).toEqual(mark(7));
    await feed.offer(changes(word('b', 1)), WORDS, mark(8));
    await feed.drain();
    expect(await target.mark()).toEqual(mark(8));
  });

  it('never says more than the target has, however offers and applies meet', async () => {
    const anyOffers = fc.array(
      fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c'), at: fc.nat(50) }), { minLength: 1 }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        anyOffers,
        fc.integer({ min: 1, max: 4 }),
        async (scheduler, offers, applyFrom) => {
          const inner = createMemoryTarget();
          const offered: Happening[][] = [];
          const target: Target = {
            mark: () => inner.mark(),
            rows: (schema) => inner.rows(schema),
            apply: async (given, schema, at) => {
              await scheduler.schedule(Promise.resolve(), 'apply');
              const applied = await inner.apply(given, schema, at);
              const covered = offered.slice(0, at.sequence).flat();
              const held = await rowsOf(inner, schema);
              for (const row of expectedRows(covered, schema)) {
                const version = held.find((one) => one.keyHash === row.keyHash)?.version ?? '';
                expect(version >= row.version).toBe(true);
              }
              return applied;
            },
          };
          const feed = new Feed(target, START, feedOptions({ applyFrom, maxKeys: 5 }));
          const work = (async () => {
            for (const [index, offer] of offers.entries()) {
              const happenings = offer.map(({ id, at }) => word(id, at));
              offered.push(happenings);
              await feed.offer(changes(...happenings), WORDS, mark(index + 1));
            }
            await feed.drain();
          })();
          await scheduler.waitFor(work);
          expect(await inner.mark()).toEqual(offers.length === 0 ? null : mark(offers.length));
          expect(await rowsOf(inner, WORDS)).toEqual(expectedRows(offered.flat(), WORDS));
        },
      ),
    );
  });
});

describe('a target that fails', () => {
  it('is tried again while it is away, throttled or in conflict, each time a little later', async () => {
    const target = new FaultyTarget(createMemoryTarget(), ['refuse', 'conflict', 'lose-reply', 'refuse']);
    const troubles: string[] = [];
    const slept: number[] = [];
    const applied: Applied[] = [];
    const options = feedOptions({
      backoffMs: (attempt) => attempt * 10,
      sleep: (ms) => {
        slept.push(ms);
        return Promise.resolve();
      },
      onTrouble: (message) => troubles.push(message),
      onApplied: (counts) => applied.push(counts),
    });
    const feed = new Feed(target, START, options);
    await feed.offer(changes(word('a', 1)), WORDS, mark(1));
    await feed.drain();
    expect(await rowsOf(target, WORDS)).toEqual(expectedRows([word('a', 1)], WORDS));
    expect(slept).toEqual([10, 20, 30, 40]);
    expect(troubles).toHaveLength(4);
    // The lost reply had applied it: the retry finds it there.
    expect(applied).toEqual([{ applied: 0, stale: 1 }]);
  });

  it('in a way that nobody classified halts its feed for good', async () => {
    const target = new FaultyTarget(createMemoryTarget(), ['crash']);
    const feed = new Feed(target, START, feedOptions());
    await feed.offer(changes(word('a', 1)), WORDS, mark(1));
    await expect(feed.drain()).rejects.toThrow(Crash);
    await expect(feed.offer(changes(word('b', 1)), WORDS, mark(2))).rejects.toThrow(Crash);
    await expect(feed.drain()).rejects.toThrow(Crash);
    expect(target.script.calls).toBe(1);
    expect(await target.mark()).toBeNull();
  });

  it('is heard when its feed is drained, even if it failed long before', async () => {
    const target = new FaultyTarget(createMemoryTarget(), ['crash']);
    const feed = new Feed(target, START, feedOptions());
    await feed.offer(changes(word('a', 1)), WORDS, mark(1));
    await new Promise(setImmediate);
    await expect(feed.drain()).rejects.toThrow(Crash);
  });

  it('is not tried again once the mirror is told to stop', async () => {
    const target = new FaultyTarget(createMemoryTarget(), ['refuse', 'refuse']);
    const feed = new Feed(target, START, feedOptions({ isStopped: () => true }));
    await feed.offer(changes(word('a', 1)), WORDS, mark(1));
    await expect(feed.drain()).rejects.toMatchObject({ code: 'unavailable' });
    expect(target.script.calls).toBe(1);
  });
});

it('changes that were captured with an older schema lose nothing of those with a newer one', async () => {
  const wider = addColumns(WORDS, [{ attribute: 'total', type: { kind: 'long' } }], { maxColumns: 9 });
  const total: Happening = { id: 'a', at: 1, image: { total: { N: '7' } } };
  const target = new HeldTarget();
  const feed = new Feed(target, START, feedOptions());
  await feed.offer(changes(word('z', 1)), WORDS, mark(1));
  await feed.offer([changeOf(total, wider)], wider, mark(2));
  await feed.offer(changes(word('b', 1)), WORDS, mark(3));
  await target.letGo();
  await target.letGo();
  await feed.drain();
  expect(await rowsOf(target, wider)).toEqual(expectedRows([word('z', 1), total, word('b', 1)], wider));
});

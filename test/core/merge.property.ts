import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change, KeyHash } from '../../core/change.ts';
import { materialize, newestPerKey, outranks } from '../../core/merge.ts';
import type { Happening } from '../support/changes.ts';
import { changeOf } from '../support/changes.ts';
import { schemaOf } from '../support/dynamodb.ts';

const WORDS = schemaOf({ word: { kind: 'string' } });

/** A history: at one place of the stream one thing happened. */
const anyHistory = fc
  .uniqueArray(
    fc.record({ id: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: 1, max: 40 }), isDelete: fc.boolean() }),
    { selector: (one) => one.at, maxLength: 20 },
  )
  .map((history) =>
    history.map(({ id, at, isDelete }) => {
      const happening: Happening = isDelete ? { id, at } : { id, at, image: { word: { S: `${at}` } } };
      return changeOf(happening, WORDS);
    }),
  );

/** A history with any of its changes delivered again, in any order. */
const anyDelivery = anyHistory.chain((history) =>
  fc
    .tuple(fc.constant(history), fc.array(fc.constantFrom(...(history.length === 0 ? [undefined] : history))))
    .chain(([, again]) => {
      const delivered = [...history, ...again.filter((one) => one !== undefined)];
      return fc.record({
        history: fc.constant(history),
        delivered: fc.shuffledSubarray(delivered, { minLength: delivered.length, maxLength: delivered.length }),
      });
    }),
);

type Fold = (changes: Iterable<Change>) => Map<KeyHash, Change>;

function sorted(rows: ReadonlyMap<KeyHash, Change>): Change[] {
  return [...rows.values()].sort((a, b) => (a.keyHash < b.keyHash ? -1 : 1));
}

function newest(changes: Iterable<Change>): Map<KeyHash, Change> {
  return newestPerKey(changes, (change) => change);
}

describe.each([
  ['the newest change of each key', newest],
  ['what a set of changes comes to', materialize],
])('%s', (_, fold: Fold) => {
  it('depends on the set of changes, never on their order or repetition', () => {
    fc.assert(
      fc.property(anyDelivery, ({ history, delivered }) => {
        expect(sorted(fold(delivered))).toEqual(sorted(fold(history)));
      }),
    );
  });
});

it('merging in any pieces, in any grouping, gives what merging at once gives', () => {
  fc.assert(
    fc.property(anyDelivery, fc.nat(), fc.nat(), ({ delivered }, first, second) => {
      const [from, to] = [first % (delivered.length + 1), second % (delivered.length + 1)].sort((a, b) => a - b);
      const [a, b, c] = [delivered.slice(0, from), delivered.slice(from, to), delivered.slice(to)];
      const leftFirst = newest([
        ...newest([...newest(a).values(), ...newest(b).values()]).values(),
        ...newest(c).values(),
      ]);
      const rightFirst = newest([
        ...newest(a).values(),
        ...newest([...newest(b).values(), ...newest(c).values()]).values(),
      ]);
      expect(sorted(leftFirst)).toEqual(sorted(newest(delivered)));
      expect(sorted(rightFirst)).toEqual(sorted(newest(delivered)));
      expect(
        sorted(
          newestPerKey(
            c,
            (change) => change,
            newestPerKey(b, (change) => change, newest(a)),
          ),
        ),
      ).toEqual(sorted(newest(delivered)));
    }),
  );
});

it('the newest change is that of the greatest version, deletes among them', () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      for (const change of newest(history).values()) {
        const ofKey = history.filter((one) => one.keyHash === change.keyHash);
        expect(ofKey.every((one) => one.version <= change.version)).toBe(true);
      }
      expect(newest(history).size).toBe(new Set(history.map((change) => change.keyHash)).size);
      expect([...materialize(history).values()].some((change) => change.operation === 'delete')).toBe(false);
    }),
  );
});

it('only a greater version outranks what is held, and anything outranks nothing', () => {
  const [one, two] = [1, 2].map((at) => changeOf({ id: 'a', at }, WORDS));
  if (one === undefined || two === undefined) throw new Error('Two were made.');
  expect([
    outranks(two, one.version),
    outranks(one, two.version),
    outranks(one, one.version),
    outranks(one, undefined),
  ]).toEqual([true, false, false, true]);
});

describe('the rules are needed: without one, some delivery ends wrong', () => {
  /** Changes applied one by one over a table, by a rule; a delete leaves what the rule says. */
  function apply(rules: {
    readonly wins: (change: Change, held: Change) => boolean;
    readonly keepsDeletes: boolean;
  }): Fold {
    return (changes) => {
      const held = new Map<KeyHash, Change>();
      for (const change of changes) {
        const before = held.get(change.keyHash);
        if (before !== undefined && !rules.wins(change, before)) continue;
        if (change.operation === 'delete' && !rules.keepsDeletes) held.delete(change.keyHash);
        else held.set(change.keyHash, change);
      }
      for (const [keyHash, change] of held) if (change.operation === 'delete') held.delete(keyHash);
      return held;
    };
  }

  function isAlwaysRight(fold: Fold): boolean {
    const law = fc.property(anyDelivery, ({ history, delivered }) => {
      expect(sorted(fold(delivered))).toEqual(sorted(materialize(history)));
    });
    return !fc.check(law, { seed: 7, numRuns: 300 }).failed;
  }

  it('with all of them every delivery ends right', () => {
    expect(isAlwaysRight(apply({ wins: (change, held) => change.version > held.version, keepsDeletes: true }))).toBe(
      true,
    );
  });

  it('without the guard', () => {
    expect(isAlwaysRight(apply({ wins: () => true, keepsDeletes: true }))).toBe(false);
  });

  it('with deletes that are forgotten', () => {
    expect(isAlwaysRight(apply({ wins: (change, held) => change.version > held.version, keepsDeletes: false }))).toBe(
      false,
    );
  });

  it('with the commit time, which many changes share, in place of the version', () => {
    const wins = (change: Change, held: Change): boolean => change.committedAtMicros >= held.committedAtMicros;
    expect(isAlwaysRight(apply({ wins, keepsDeletes: true }))).toBe(false);
  });

  it('a change of the same version is no news: a guard that lets it in would count, write and publish it again', () => {
    const change = changeOf({ id: 'a', at: 1, image: { word: { S: 'x' } } }, WORDS);
    const applied = (isNews: (change: Change, held: Change) => boolean): number => {
      let [held, count]: [Change | null, number] = [null, 0];
      for (const next of [change, change, change]) {
        if (held !== null && !isNews(next, held)) continue;
        [held, count] = [next, count + 1];
      }
      return count;
    };
    expect(applied((next, held) => outranks(next, held.version))).toBe(1);
    expect(applied((next, held) => next.version >= held.version)).toBe(3);
    // Two records of one place can differ in form only, as when the schema grew between them: the first stays, in every target.
    const wider = { ...change, schemaVersion: 2 };
    expect([...newest([change, wider]).values()]).toEqual([change]);
  });
});

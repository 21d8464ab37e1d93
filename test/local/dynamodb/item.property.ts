import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AttributeValue, type Item, itemBytes, sameItem, type StoredItem } from '../../../local/dynamodb/item.ts';

const stored = (item: Item): StoredItem => ({ item, text: JSON.stringify(item) });

const { value } = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.record({ S: fc.string() }),
    fc.record({ N: fc.integer().map(String) }),
    fc.record({ BOOL: fc.boolean() }),
    fc.record({ SS: fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }) }),
    fc.record({ NS: fc.uniqueArray(fc.integer().map(String), { minLength: 1, maxLength: 4 }) }),
    fc.record({ L: fc.array(tie('value'), { maxLength: 3 }) }),
    fc.record({ M: fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }) }),
  ),
}));
const item = fc.dictionary(fc.string(), value, { maxKeys: 5 });

/** The same item, with attributes and members of sets the other way round. */
function reversed(from: Item): Item {
  return Object.fromEntries(
    Object.entries(from)
      .reverse()
      .map(([name, each]) => [name, each === undefined ? undefined : reversedValue(each)]),
  );
}

function reversedValue(from: AttributeValue): AttributeValue {
  if (from.M) return { M: reversed(from.M) };
  if (from.L) return { L: from.L.map(reversedValue) };
  if (from.SS) return { SS: [...from.SS].reverse() };
  return from.NS ? { NS: [...from.NS].reverse() } : from;
}

test('the order of attributes and of the members of sets makes no difference', () => {
  fc.assert(
    fc.property(item, (each) => {
      expect(sameItem(stored(each), stored(reversed(each)))).toBe(true);
    }),
  );
});

test('another value is another item', () => {
  fc.assert(
    fc.property(item, fc.string(), value, value, (rest, name, one, other) => {
      fc.pre(name !== '__proto__');
      const same = sameItem(stored({ v: one }), stored({ v: other }));
      expect(sameItem(stored({ ...rest, [name]: one }), stored({ ...rest, [name]: other }))).toBe(same);
      expect(sameItem(stored({ ...rest, [name]: { L: [one] } }), stored({ ...rest, [name]: one }))).toBe(false);
    }),
  );
});

test('an attribute more is a change, and makes the item larger', () => {
  fc.assert(
    fc.property(item, value, (rest, extra) => {
      const more = { ...rest, 'an attribute more': extra };
      expect(sameItem(stored(rest), stored(more))).toBe(false);
      expect(itemBytes(more)).toBeGreaterThan(itemBytes(rest));
    }),
  );
});

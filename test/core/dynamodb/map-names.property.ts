import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plainJson, typedJson } from '../../../core/dynamodb/attribute-value.ts';
import type { JsonStyle } from '../../../core/json-text.ts';
import { NESTED, PLAIN } from '../../../core/json-text.ts';
import { NamePath } from '../../../core/name-path.ts';
import { anyText } from '../../support/dynamodb.ts';

const anyName = fc.oneof(fc.constantFrom('a', 'b', 'c', 'a ', 'ab', '10', '9', '__proto__', 'constructor'), anyText);
const anyString = anyText.map((S) => ({ S }));

/** Maps of values, which share names, so that one map's names are often the beginning of another's. */
function anyMapOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.dictionary(anyName, value, { maxKeys: 5, noNullPrototype: true }).map((M) => ({ M }));
}

const anyMap = anyMapOf(fc.oneof(anyString, anyMapOf(fc.oneof(anyString, anyMapOf(anyString)))));

interface MapOrText {
  readonly S?: string;
  readonly M?: Readonly<Record<string, MapOrText>>;
}

/** The same without remembering anything. */
function reference({ S, M }: MapOrText, isTyped: boolean): string {
  if (M === undefined) return isTyped ? `{"S":${JSON.stringify(S)}}` : JSON.stringify(S);
  const entries = Object.entries(M).sort(([a], [b]) => (a < b ? -1 : 1));
  const json = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${reference(value, isTyped)}`).join(',')}}`;
  return isTyped ? `{"M":${json}}` : json;
}

it('a map is written with its names sorted, whatever maps were written before it', () => {
  fc.assert(
    fc.property(fc.array(anyMap, { maxLength: 8 }), (maps) => {
      for (const map of maps) {
        const plain = reference(map as MapOrText, false);
        expect(plainJson(map)).toBe(plain);
        expect(JSON.parse(`"${plainJson(map, NESTED)}"`)).toBe(plain);
        expect(typedJson(map)).toBe(reference(map as MapOrText, true));
      }
    }),
    { numRuns: 500 },
  );
});

it('where no more names are remembered, maps are written all the same', () => {
  const anyPlainMap = fc.dictionary(fc.stringMatching(/^[a-d]{0,2}$/), fc.constant({ S: 'x' }), { maxKeys: 5 });
  fc.assert(
    fc.property(fc.nat(12), fc.array(anyPlainMap, { maxLength: 10 }), (most, maps) => {
      const style: JsonStyle = { ...PLAIN, maps: NamePath.start(most) };
      for (const map of maps) expect(plainJson({ M: map }, style)).toBe(reference({ M: map }, false));
    }),
  );
});

it('no more names are remembered than there is room for', () => {
  const start = NamePath.start(5);
  const path = start.next('a')?.next('b');
  expect(start.next('a')?.next('b')).toBe(path);
  expect(
    path?.remember([
      { name: 'a', prefix: '"a":' },
      { name: 'b', prefix: ',"b":' },
    ]),
  ).toBe(path?.members);
  const last = start.next('c');
  expect(last?.remember([{ name: 'c', prefix: '"c":' }])).toHaveLength(1);
  expect(last?.members).toBeNull();
  expect(start.next('d')).toBeNull();
  expect(start.next('a')?.next('b')).toBe(path);
});

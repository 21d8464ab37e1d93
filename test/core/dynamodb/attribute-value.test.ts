import { describe, expect, it } from 'vitest';
import { payloadOf, plainJson, tagOf, typedJson } from '../../../core/dynamodb/attribute-value.ts';
import { RecordFault } from '../../../core/dynamodb/fault.ts';
import { NESTED } from '../../../core/json-text.ts';

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof RecordFault) return `${thrown.kind}: ${thrown.message}`;
    throw thrown;
  }
  return 'none';
}

/** A list in a list, so many levels deep, with one value in the innermost. */
function nested(levels: number, inner: unknown): unknown {
  let value = inner;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { L: [value] } : { M: { m: value } };
  return value;
}

describe('each type of value', () => {
  it.each([
    ['S', { S: 'a"b' }, '"a\\"b"', '{"S":"a\\"b"}'],
    ['S empty', { S: '' }, '""', '{"S":""}'],
    ['S with a NUL', { S: 'a\0b' }, '"a\\u0000b"', '{"S":"a\\u0000b"}'],
    ['N', { N: '-012.50' }, '-12.5', '{"N":"-12.5"}'],
    ['N zero', { N: '-0' }, '0', '{"N":"0"}'],
    ['N of 38 digits', { N: '9'.repeat(38) }, `"${'9'.repeat(38)}"`, `{"N":"${'9'.repeat(38)}"}`],
    ['N tiny', { N: '1E-130' }, `"0.${'0'.repeat(129)}1"`, `{"N":"0.${'0'.repeat(129)}1"}`],
    ['B', { B: 'AP8=' }, '"AP8="', '{"B":"AP8="}'],
    ['B empty', { B: '' }, '""', '{"B":""}'],
    ['BOOL', { BOOL: false }, 'false', '{"BOOL":false}'],
    ['NULL', { NULL: true }, 'null', '{"NULL":true}'],
    ['M', { M: { b: { N: '1' }, a: { S: 'x' } } }, '{"a":"x","b":1}', '{"a":{"S":"x"},"b":{"N":"1"}}'],
    ['M empty', { M: {} }, '{}', '{"M":{}}'],
    ['L', { L: [{ S: 'b' }, { S: 'a' }] }, '["b","a"]', '{"L":[{"S":"b"},{"S":"a"}]}'],
    ['L empty', { L: [] }, '[]', '{"L":[]}'],
    ['SS', { SS: ['b', '', 'a'] }, '["","a","b"]', '{"SS":["","a","b"]}'],
    ['SS empty', { SS: [] }, '[]', '{"SS":[]}'],
    ['NS', { NS: ['10', '9.0', '-1'] }, '[-1,9,10]', '{"NS":["-1","9","10"]}'],
    ['NS empty', { NS: [] }, '[]', '{"NS":[]}'],
    ['BS', { BS: ['/w==', 'AA=='] }, '["/w==","AA=="]', '{"BS":["/w==","AA=="]}'],
    ['BS empty', { BS: [] }, '[]', '{"BS":[]}'],
  ])('%s', (_, value, plain, typed) => {
    const [tag] = Object.keys(value);
    expect(tagOf(value)).toBe(tag);
    expect(payloadOf(value, tagOf(value))).toBe(Object.values(value)[0]);
    expect(plainJson(value)).toBe(plain);
    // A map of one value shows how it stands in _rescued.
    expect(typedJson({ M: { m: value } })).toBe(`{"M":{"m":${typed.startsWith('{"a"') ? `{"M":${typed}}` : typed}}}`);
    expect(JSON.parse(`"${plainJson(value, NESTED)}"`)).toBe(plain);
  });

  it('sorts the names of a map by code units, however many they are', () => {
    const names = Array.from({ length: 40 }, (_, index) => `n${(index * 7) % 40}`);
    for (const some of [names, names.slice(0, 10), ['b', 'a ', 'a', 'A', 'ä', '']]) {
      const map = { M: Object.fromEntries(some.map((name) => [name, { NULL: true }])) };
      const parsed = JSON.parse(plainJson(map)) as Record<string, unknown>;
      expect(Object.keys(parsed)).toEqual([...some].sort());
    }
  });

  it('keeps a name that JavaScript’s objects know for themselves', () => {
    const value = JSON.parse('{"M":{"__proto__":{"S":"x"},"constructor":{"N":"1"}}}') as unknown;
    expect(plainJson(value)).toBe('{"__proto__":"x","constructor":1}');
  });

  it('may be nested 32 levels deep, as DynamoDB has it', () => {
    const deep = nested(32, { S: 'bottom' });
    expect(JSON.stringify(JSON.parse(plainJson(deep)))).toBe(plainJson(deep));
    expect(plainJson(deep)).toContain('bottom');
    expect(typedJson(deep)).toBe(JSON.stringify(deep));
  });
});

describe('what is no value is refused with its reason', () => {
  it.each([
    ['an unknown type', { X: 'a' }, /^unknown-type: .*\{"X"\}/],
    ['two types', { S: 'a', N: '1' }, /^unknown-type: .*\{"S","N"\}/],
    ['a type and something else', { S: 'a', extra: 1 }, /^unknown-type/],
    ['no type', {}, /^unknown-type: .*\{\}/],
    ['null', null, /^unknown-type/],
    ['plain text', 'a', /^unknown-type: .*string/],
    ['an array', [{ S: 'a' }], /^unknown-type/],
    ['nothing', undefined, /^unknown-type/],
    ['S of a number', { S: 1 }, /^unknown-type: .*S must be a string, not number/],
    ['N of a number', { N: 1 }, /^unknown-type: .*N must be a string of digits/],
    ['N of words', { N: 'many' }, /^bad-number: .*"many" is not a decimal number/],
    ['N of 39 digits', { N: '1'.repeat(39) }, /^bad-number: .*38 significant digits/],
    ['N too great', { N: '1E126' }, /^bad-number: .*outside/],
    ['N too small', { N: '1E-131' }, /^bad-number: .*outside/],
    ['B that is no base64', { B: 'a b' }, /^bad-binary/],
    ['B without its padding', { B: 'AP8' }, /^bad-binary/],
    ['B of bytes', { B: new Uint8Array(1) }, /^unknown-type/],
    ['BOOL of text', { BOOL: 'true' }, /^unknown-type: .*BOOL must be true or false/],
    ['M of a list', { M: [] }, /^unknown-type: .*M must be an object/],
    ['M of null', { M: null }, /^unknown-type: .*not null/],
    ['L of a map', { L: {} }, /^unknown-type: .*L must be an array/],
    ['SS of text', { SS: 'a' }, /^unknown-type: .*SS must be an array/],
    ['SS with a number', { SS: ['a', 1] }, /^unknown-type/],
    ['NS with words', { NS: ['1', 'x'] }, /^bad-number/],
    ['BS with words', { BS: ['?'] }, /^bad-binary/],
    ['half a surrogate pair', { S: 'a\ud83d' }, /^lone-surrogate: A string/],
    ['half a pair in a set', { SS: ['\ude00'] }, /^lone-surrogate/],
    ['half a pair in a name', { M: { 'a\ud83d': { S: 'x' } } }, /^lone-surrogate: A name/],
    ['something wrong far inside', nested(10, { N: '' }), /^bad-number/],
    ['far more levels than DynamoDB has', nested(200, { S: 'x' }), /^too-deep/],
  ])('%s', (_, value, fault) => {
    expect(faultOf(() => plainJson(value))).toMatch(fault);
    expect(faultOf(() => typedJson(value))).toMatch(fault);
  });

  it('a number of 5,000 characters is not repeated in the message whole', () => {
    expect(faultOf(() => plainJson({ N: 'x'.repeat(5000) })).length).toBeLessThan(300);
  });
});

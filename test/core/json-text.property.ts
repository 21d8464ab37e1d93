import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NESTED, PLAIN, flat, jsonOfAnyDepth, memberPrefix, quoted } from '../../core/json-text.ts';

/** Any string at all: NUL, controls, halves of surrogate pairs, line separators. */
const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc
    .array(fc.constantFrom('"', '\\', '\n', '\u007f', '\u2028', '\ud800', '\udc00', 'a', '/'))
    .map((parts) => parts.join('')),
);

it('a quoted string is what JSON.stringify makes of it', () => {
  fc.assert(
    fc.property(anyString, (text) => {
      expect(quoted(text)).toBe(JSON.stringify(text));
      expect(memberPrefix(text, PLAIN)).toBe(`${JSON.stringify(text)}:`);
    }),
    { numRuns: 2000 },
  );
});

it('a nested one is what stands inside the string that JSON.stringify makes of that', () => {
  fc.assert(
    fc.property(anyString, (text) => {
      expect(`"${quoted(text, NESTED)}"`).toBe(JSON.stringify(JSON.stringify(text)));
      expect(`"${memberPrefix(text, NESTED)}"`).toBe(JSON.stringify(`${JSON.stringify(text)}:`));
    }),
    { numRuns: 2000 },
  );
});

it('a text that is made flat is the same text', () => {
  fc.assert(
    fc.property(anyString, anyString, (a, b) => {
      expect(flat(a + b)).toBe(a + b);
    }),
  );
});

it('JSON of any depth is JSON.stringify’s, and goes on where that gives up', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(jsonOfAnyDepth(value)).toBe(JSON.stringify(value));
    }),
  );
  const depth = 50_000;
  const inner = '{"a":[1,"x",null],"b":{},"c":[]}';
  const deep = `${'[{"n":'.repeat(depth)}${inner}${'}]'.repeat(depth)}`;
  const parsed = JSON.parse(deep) as unknown;
  expect(() => JSON.stringify(parsed)).toThrow(RangeError);
  expect(jsonOfAnyDepth(parsed)).toBe(deep);
});

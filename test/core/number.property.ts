import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalNumber, compareNumbers, jsonNumber, scaledInteger, unscaledText } from '../../core/number.ts';
import { anyNumber } from '../support/dynamodb.ts';

const anyCanonical = anyNumber.map((text) => {
  const canonical = canonicalNumber(text);
  if ('fault' in canonical) throw new Error(`${text}: ${canonical.fault}`);
  return canonical.text;
});

/** A number as a whole number of units of 10^-200: exact, by arithmetic that is not ours. */
function exact(text: string): bigint {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const units = BigInt(whole + fraction) * 10n ** BigInt(200 - fraction.length + Number(exponent));
  return sign === '-' ? -units : units;
}

it('the canonical form has the very same value, and no needless character', () => {
  fc.assert(
    fc.property(anyNumber, (text) => {
      const canonical = canonicalNumber(text);
      expect('text' in canonical && exact(canonical.text)).toBe(exact(text));
      expect('text' in canonical && canonical.text).toMatch(/^(0|-?([1-9]\d*|0)(\.\d*[1-9])?)$/);
    }),
  );
});

it('two texts have one canonical form exactly if they are one number', () => {
  fc.assert(
    fc.property(anyNumber, fc.integer({ min: 0, max: 5 }), anyNumber, (text, zeros, other) => {
      const padded = /[.eE]/.test(text)
        ? text.replace(/^-?/, (sign) => `${sign}${'0'.repeat(zeros)}`)
        : `${text}.${'0'.repeat(zeros)}`;
      expect(canonicalNumber(padded)).toEqual(canonicalNumber(text));
      const same = JSON.stringify(canonicalNumber(other)) === JSON.stringify(canonicalNumber(text));
      expect(same).toBe(exact(other) === exact(text));
    }),
  );
});

it('scaling is exact: it gives value times ten to the scale, or null just where that is no whole number or has too many digits', () => {
  const anyDecimal = fc
    .tuple(fc.integer({ min: 1, max: 38 }), fc.integer({ min: 0, max: 38 }))
    .map(([precision, scale]) => ({ precision, scale: Math.min(precision, scale) }));
  fc.assert(
    fc.property(anyCanonical, anyDecimal, (text, { precision, scale }) => {
      const units = exact(text) * 10n ** BigInt(scale);
      const one = 10n ** 200n;
      const magnitude = (units < 0n ? -units : units) / one;
      const fits = units % one === 0n && magnitude < 10n ** BigInt(precision);
      expect(scaledInteger(text, precision, scale)).toBe(fits ? units / one : null);
    }),
    { numRuns: 1000 },
  );
});

it('what was scaled comes back', () => {
  const anyUnscaled = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });
  fc.assert(
    fc.property(anyUnscaled, fc.integer({ min: 0, max: 38 }), (unscaled, scale) => {
      expect(scaledInteger(unscaledText(unscaled, scale), 38, scale)).toBe(unscaled);
    }),
  );
});

it('comparing is comparing the values', () => {
  fc.assert(
    fc.property(anyCanonical, anyCanonical, (a, b) => {
      const order = exact(a) < exact(b) ? -1 : exact(a) > exact(b) ? 1 : 0;
      expect(Math.sign(compareNumbers(a, b))).toBe(order);
    }),
  );
});

it('a JSON number read as a double and written again has lost no digit', () => {
  const anyShort = fc
    .tuple(fc.integer({ min: -(10 ** 15) + 1, max: 10 ** 15 - 1 }), fc.integer({ min: 0, max: 15 }))
    .map(([digits, scale]) => unscaledText(BigInt(digits), scale));
  fc.assert(
    fc.property(fc.oneof(anyShort, anyCanonical), (text) => {
      const json = jsonNumber(text);
      const parsed = JSON.parse(json) as unknown;
      if (typeof parsed === 'string') expect(parsed).toBe(text);
      else expect(exact(String(parsed))).toBe(exact(text));
    }),
    { numRuns: 1000 },
  );
});

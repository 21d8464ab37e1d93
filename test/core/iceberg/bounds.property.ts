import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerBound, minimalTwosComplement, serializeValue, upperBound } from '../../../core/iceberg/bounds.ts';

const hex = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString('hex'));

/** UTF-8 byte order is code point order, which is how readers compare. */
const atMost = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) <= 0;

describe('bounds', () => {
  it('are serialised as the specification says', () => {
    expect(hex(serializeValue('long', 34n))).toBe('2200000000000000');
    expect(hex(serializeValue('int', -1))).toBe('ffffffff');
    expect(hex(serializeValue('date', 1))).toBe('01000000');
    expect(hex(serializeValue('double', 1))).toBe('000000000000f03f');
    expect(hex(serializeValue('boolean', true))).toBe('01');
    expect(hex(serializeValue('decimal(9,2)', 1420n))).toBe('058c');
    expect(hex(serializeValue('decimal(9,2)', -128n))).toBe('80');
    expect(hex(serializeValue('decimal(9,2)', 128n))).toBe('0080');
    expect(hex(serializeValue('string', 'é'))).toBe('c3a9');
    expect(hex(serializeValue('timestamp', 1n))).toBe('0100000000000000');
  });

  it('hold a string between them, however long and whatever its characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (value) => {
        const bytes = Buffer.from(value);
        const high = upperBound('string', value);
        expect(atMost(lowerBound('string', value), bytes)).toBe(true);
        expect(high === undefined || atMost(bytes, high)).toBe(true);
        expect(Array.from(Buffer.from(high ?? '').toString()).length).toBeLessThanOrEqual(16);
      }),
    );
  });

  it('hold bytes between them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
        const high = upperBound('binary', value);
        expect(atMost(lowerBound('binary', value), value)).toBe(true);
        expect(high === undefined || atMost(value, high)).toBe(true);
      }),
    );
  });

  it('round a cut string up past what cannot be raised', () => {
    const top = '\u{10ffff}';
    expect(Buffer.from(upperBound('string', `a${top.repeat(20)}`) ?? '').toString()).toBe('b');
    expect(upperBound('string', top.repeat(17))).toBeUndefined();
    expect(Buffer.from(upperBound('string', '\ud7ff'.repeat(17)) ?? '').toString()).toBe(
      `${'\ud7ff'.repeat(15)}\ue000`,
    );
    expect(upperBound('binary', new Uint8Array(17).fill(0xff))).toBeUndefined();
  });

  it('hold decimals in the fewest bytes that give them back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (value) => {
        const bytes = minimalTwosComplement(value);
        expect(BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex(bytes) ?? ''}`))).toBe(value);
        expect(bytes.length === 1 || BigInt.asIntN((bytes.length - 1) * 8, value) !== value).toBe(true);
      }),
    );
  });
});

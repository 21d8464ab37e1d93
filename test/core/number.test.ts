import { describe, expect, it } from 'vitest';
import {
  canonicalNumber,
  compareNumbers,
  isPlainCanonical,
  jsonNumber,
  scaledInteger,
  unscaledText,
} from '../../core/number.ts';
import { NESTED } from '../../core/json-text.ts';

const NINES = '9'.repeat(38);

describe('a number’s canonical form', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['+0.000', '0'],
    ['0E99', '0'],
    ['00012', '12'],
    ['1200', '1200'],
    ['12.500', '12.5'],
    ['-12.50', '-12.5'],
    ['+7', '7'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1e3', '1000'],
    ['1.5E-3', '0.0015'],
    ['-1.25e+1', '-12.5'],
    ['0.00010', '0.0001'],
    [NINES, NINES],
    [`0.${NINES}`, `0.${NINES}`],
    [`000${NINES}000`, `${NINES}000`],
    ['1E125', `1${'0'.repeat(125)}`],
    ['9.9E125', `99${'0'.repeat(124)}`],
    ['1E-130', `0.${'0'.repeat(129)}1`],
    ['-1E-130', `-0.${'0'.repeat(129)}1`],
  ])('of %s is %s', (text, canonical) => {
    expect(canonicalNumber(text)).toEqual({ text: canonical });
    expect(canonicalNumber(canonical)).toEqual({ text: canonical });
  });

  it.each([
    ['', 'not-a-number'],
    ['-', 'not-a-number'],
    ['.', 'not-a-number'],
    ['abc', 'not-a-number'],
    ['1,000', 'not-a-number'],
    ['0x10', 'not-a-number'],
    ['NaN', 'not-a-number'],
    ['Infinity', 'not-a-number'],
    ['1e', 'not-a-number'],
    ['1 ', 'not-a-number'],
    ['--1', 'not-a-number'],
    ['1.2.3', 'not-a-number'],
    [`${NINES}1`, 'too-many-digits'],
    [`0.${NINES}1`, 'too-many-digits'],
    [`1${'0'.repeat(37)}1`, 'too-many-digits'],
    ['1E126', 'out-of-range'],
    ['-1E126', 'out-of-range'],
    ['10E125', 'out-of-range'],
    ['1E-131', 'out-of-range'],
    ['0.1E-130', 'out-of-range'],
    ['1E999999', 'out-of-range'],
  ] as const)('is refused for %j: %s', (text, fault) => {
    expect(canonicalNumber(text)).toEqual({ fault });
  });

  it('is seen at a glance only where it is canonical already', () => {
    for (const text of ['0', '5', '-5', '1200', '0.5', '-0.05', '12.5', NINES])
      expect(isPlainCanonical(text)).toBe(true);
    for (const text of [
      '',
      '-',
      '-0',
      '00',
      '01',
      '0.',
      '.5',
      '0.0',
      '1.50',
      '5.',
      '1e3',
      '1.2.3',
      '-.5',
      '٣',
      `${NINES}1`,
    ])
      expect(isPlainCanonical(text)).toBe(false);
  });
});

describe('a number times ten to its scale', () => {
  it.each([
    ['0', 38, 9, 0n],
    ['12.5', 38, 9, 12_500_000_000n],
    ['-0.000000001', 38, 9, -1n],
    ['0.0000000001', 38, 9, null],
    ['999.99', 5, 2, 99_999n],
    ['1000', 5, 2, null],
    ['99999', 5, 0, 99_999n],
    ['-99999', 5, 0, -99_999n],
    ['100000', 5, 0, null],
    ['0.5', 1, 1, 5n],
    ['0', 1, 1, 0n],
    ['-0.5', 1, 1, -5n],
    ['1', 1, 1, null],
    [NINES, 38, 0, BigInt(NINES)],
    [`-${NINES}`, 38, 0, -BigInt(NINES)],
    [`${NINES}0`, 38, 0, null],
  ] as const)('%s in decimal(%d,%d) is %s', (text, precision, scale, unscaled) => {
    expect(scaledInteger(text, precision, scale)).toBe(unscaled);
    if (unscaled !== null) expect(unscaledText(unscaled, scale)).toBe(text);
  });
});

describe('a number in JSON', () => {
  it('is a number up to fifteen digits, then a string', () => {
    expect(jsonNumber('-12345678901.2345')).toBe('-12345678901.2345');
    expect(jsonNumber('123456789012345')).toBe('123456789012345');
    expect(jsonNumber('1234567890123456')).toBe('"1234567890123456"');
    expect(jsonNumber('0.000000000000001')).toBe('"0.000000000000001"');
    expect(jsonNumber('1234567890123456', NESTED)).toBe('\\"1234567890123456\\"');
    expect(jsonNumber('5', NESTED)).toBe('5');
  });
});

it('numbers are compared by value, not as text', () => {
  const sorted = [
    '-100',
    '-99.5',
    '-1',
    '-0.5',
    '-0.05',
    '0',
    '0.05',
    '0.5',
    '1',
    '1.25',
    '1.5',
    '9',
    '10',
    '99.5',
    '100',
  ];
  expect([...sorted].reverse().sort(compareNumbers)).toEqual(sorted);
});

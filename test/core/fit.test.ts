import { describe, expect, it } from 'vitest';
import type { ColumnType } from '../../core/column.ts';
import { columnTypeText, parseColumnType } from '../../core/column.ts';
import type { AttributeTag } from '../../core/dynamodb/attribute-value.ts';
import { MISFIT, fitValue } from '../../core/fit.ts';
import { NESTED, PLAIN } from '../../core/json-text.ts';
import { cellOf } from '../../core/row.ts';

const VALUES: Readonly<Record<AttributeTag, Readonly<Record<string, unknown>>>> = {
  S: { S: '2026-11-22' },
  N: { N: '1790000000' },
  B: { B: 'AP8=' },
  BOOL: { BOOL: true },
  NULL: { NULL: true },
  M: { M: { b: { N: '1.0' }, a: { S: 'x' } } },
  L: { L: [{ S: 'x' }, { NULL: true }] },
  SS: { SS: ['b', 'a'] },
  NS: { NS: ['10', '9'] },
  BS: { BS: ['/w==', 'AA=='] },
};

/** What each type of value becomes in each kind of column; what is not named here does not fit. */
const FITS: Readonly<Record<string, Partial<Record<AttributeTag, string | boolean>>>> = {
  string: { S: '2026-11-22', N: '1790000000' },
  boolean: { BOOL: true },
  binary: { B: 'AP8=' },
  json: {
    S: '"2026-11-22"',
    N: '1790000000',
    B: '"AP8="',
    BOOL: 'true',
    M: '{"a":"x","b":1}',
    L: '["x",null]',
    SS: '["a","b"]',
    NS: '[9,10]',
    BS: '["/w==","AA=="]',
  },
  long: { N: '1790000000' },
  double: { N: '1790000000' },
  timestamp: { S: '2026-11-22 00:00:00.000000', N: '2026-09-21 14:13:20.000000' },
  date: { S: '2026-11-22' },
  'decimal(38,9)': { N: '1790000000' },
};

function typeOf(text: string): ColumnType {
  const type = parseColumnType(text);
  if (type === null) throw new Error(`${text} is no type`);
  return type;
}

function fit(value: unknown, type: string): unknown {
  const [tag = ''] = Object.keys(value as object);
  return fitValue(value, tag as AttributeTag, typeOf(type), PLAIN);
}

describe.each(Object.keys(FITS))('a column %s', (type) => {
  it.each(Object.keys(VALUES) as AttributeTag[])('holds a %s exactly or not at all', (tag) => {
    const fitted = fit(VALUES[tag], type);
    expect(fitted).toBe(tag === 'NULL' ? null : (FITS[type]?.[tag] ?? MISFIT));
  });
});

describe('a value is never rounded, cut or coerced', () => {
  it.each([
    ['long', '9223372036854775807', true],
    ['long', '9223372036854775808', false],
    ['long', '-9223372036854775808', true],
    ['long', '-9223372036854775809', false],
    ['long', '1.5', false],
    ['long', '1.0', true],
    ['long', '1E18', true],
    ['long', '1E19', false],
    ['decimal(38,9)', '0.123456789', true],
    ['decimal(38,9)', '0.1234567891', false],
    ['decimal(38,9)', '99999999999999999999999999999.999999999', true],
    ['decimal(38,9)', '100000000000000000000000000000', false],
    ['decimal(5,2)', '-999.99', true],
    ['decimal(5,2)', '1000', false],
    ['decimal(2,2)', '0.99', true],
    ['decimal(2,2)', '-0.99', true],
    ['decimal(2,2)', '1', false],
    ['decimal(38,38)', '0', true],
    ['timestamp', '1790000000.123456', true],
    ['timestamp', '1790000000.1234567', false],
    ['timestamp', '1E30', false],
  ])('%s of the number %s: %s', (type, number, isFitting) => {
    expect(fit({ N: number }, type) !== MISFIT).toBe(isFitting);
  });

  it.each([
    ['timestamp', '2026-11-22T10:00:00.1234567Z'],
    ['timestamp', 'soon'],
    ['date', '2026-11-22T10:00:00Z'],
    ['date', '2026-02-30'],
    ['long', '5'],
    ['boolean', 'true'],
  ])('%s of the text %s does not fit', (type, text) => {
    expect(fit({ S: text }, type)).toBe(MISFIT);
  });

  it('a number keeps all its digits in a string column, and in a double column until it is typed', () => {
    const digits = '12345678901234567890123456789012345678';
    expect(fit({ N: digits }, 'string')).toBe(digits);
    expect(fit({ N: digits }, 'double')).toBe(digits);
    expect(cellOf(digits, { kind: 'double' })).toBe(1.2345678901234568e37);
  });
});

it('what fits has a typed cell', () => {
  const cells = Object.entries(FITS).flatMap(([text, fitting]) =>
    Object.values(fitting).map((value) => [columnTypeText(typeOf(text)), cellOf(value, typeOf(text))]),
  );
  expect(cells).not.toContainEqual([expect.anything(), null]);
  expect(cells).toContainEqual(['decimal(38,9)', 1_790_000_000_000_000_000n]);
  expect(cells).toContainEqual(['timestamp', 1_790_000_000_000_000n]);
  expect(cells).toContainEqual(['date', 20_779]);
  expect(cells).toContainEqual(['binary', Buffer.from([0, 255])]);
});

it('JSON is quoted in the style that was asked for', () => {
  expect(fitValue(VALUES.M, 'M', { kind: 'json' }, NESTED)).toBe('{\\"a\\":\\"x\\",\\"b\\":1}');
});

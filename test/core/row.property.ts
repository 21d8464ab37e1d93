import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRow } from '../../core/decode-row.ts';
import { normaliseImage } from '../../core/dynamodb/normalise.ts';
import { canonicalJson, cellOf, parseRow, rowJson, rowLayout, typedRow } from '../../core/row.ts';
import { scanRow } from '../../core/row-scan.ts';
import { addColumns } from '../../core/schema.ts';
import type { ColumnType } from '../../core/column.ts';
import { anyAttributeValue, anyText, schemaOf } from '../support/dynamodb.ts';

const KINDS: readonly ColumnType[] = [
  ...(['string', 'boolean', 'binary', 'json', 'long', 'double', 'timestamp', 'date'] as const).map((kind) => ({
    kind,
  })),
  { kind: 'decimal', precision: 38, scale: 9 },
];

const anyTable = fc.dictionary(anyText, fc.record({ type: fc.constantFrom(...KINDS), value: anyAttributeValue }), {
  maxKeys: 8,
  noNullPrototype: true,
});

it('a row’s text, scanned or parsed, gives the row again', () => {
  fc.assert(
    fc.property(anyTable, fc.dictionary(anyText, anyAttributeValue, { maxKeys: 3 }), (table, others) => {
      const schema = schemaOf(Object.fromEntries(Object.entries(table).map(([name, { type }]) => [name, type])));
      const layout = rowLayout(schema);
      const values = Object.entries(table).map(([name, { value }]) => [name, value]);
      const { row } = normaliseImage({ ...others, ...(Object.fromEntries(values) as object) }, layout);
      const text = rowJson(row, layout);
      expect(scanRow(text, layout)).toEqual(row);
      expect(parseRow(text, schema)).toEqual(row);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
    { numRuns: 1000 },
  );
});

it('a row of an older schema lacks the columns that came later, and nothing else', () => {
  fc.assert(
    fc.property(anyTable, fc.array(anyText, { maxLength: 4 }), (table, later) => {
      const older = schemaOf(Object.fromEntries(Object.entries(table).map(([name, { type }]) => [name, type])));
      const wanted = later.map((attribute) => ({ attribute, type: { kind: 'string' } as const }));
      const newer = addColumns(older, wanted, { maxColumns: 50 });
      const image = Object.fromEntries(Object.entries(table).map(([name, { value }]) => [name, value]));
      const { row } = normaliseImage(image, rowLayout(older));
      const { cells, rescued } = decodeRow(rowJson(row, rowLayout(older)), newer);
      const before = typedRow(row, older);
      expect(cells.slice(0, older.columns.length)).toEqual(before.cells);
      expect(cells.slice(older.columns.length)).toEqual(newer.columns.slice(older.columns.length).map(() => null));
      expect(rescued).toBe(before.rescued);
    }),
    { numRuns: 300 },
  );
});

describe('a row', () => {
  const schema = schemaOf({
    b: { kind: 'string' },
    a: { kind: 'decimal', precision: 38, scale: 9 },
    tree: { kind: 'json' },
    ...Object.fromEntries([['constructor', { kind: 'string' }]]),
  });
  const layout = rowLayout(schema);

  it('stands with its names sorted, what is absent left out, null written, _rescued first', () => {
    const image = { id: { S: 'x' }, tree: { NULL: true }, b: { S: 'y' }, a: { N: '1.50' }, new: { N: '1e2' } };
    const { row } = normaliseImage(image, layout);
    expect(rowJson(row, layout)).toBe('{"_rescued":{"new":{"N":"100"}},"a":1.5,"b":"y","id":"x","tree":null}');
  });

  it('that lacks an attribute called constructor has no such value', () => {
    const { row } = normaliseImage({ id: { S: 'x' } }, layout);
    const text = rowJson(row, layout);
    expect(parseRow(text, schema)).toEqual(row);
    expect(decodeRow(text, schema).cells).toEqual(['x', null, null, null, null]);
    expect(
      decodeRow(rowJson(normaliseImage({ constructor: { S: 'mason' } }, layout).row, layout), schema).cells[4],
    ).toBe('mason');
  });

  it('keeps small numbers in plain text, which JavaScript writes with an exponent', () => {
    const { row } = normaliseImage({ a: { N: '0.000000001' }, tree: { L: [{ N: '1E-9' }] } }, layout);
    const text = rowJson(row, layout);
    expect(text).toBe('{"a":0.000000001,"tree":[0.000000001]}');
    expect(parseRow(text, schema)).toEqual(row);
  });

  it('that another program wrote is parsed where it cannot be scanned', () => {
    for (const text of ['{ "b": "y" }', '{"b":"y","a":1}', '{"unknown":1,"b":"y"}']) {
      expect(scanRow(text, layout)).toBeNull();
      expect(decodeRow(text, schema).cells[1]).toBe('y');
    }
  });

  it('that holds something else than its column is corrupt', () => {
    expect(() => decodeRow('{"b":{"not":"text"}}', schema)).toThrow(/Column b holds .* which is no string/);
    expect(() => cellOf('text', { kind: 'boolean' })).toThrow(/boolean column holds the text/);
  });

  it.each([
    '',
    '{',
    '{"b":',
    '{"b":"y',
    '{"b":"y"',
    '{"tree":[1',
    '{"tree":{"a":"}"',
    '{"b":"y"}x',
    '[]',
    'null',
    '{"_rescued":',
  ])('that is broken off as %j is not scanned', (text) => {
    expect(scanRow(text, layout)).toBeNull();
  });
});

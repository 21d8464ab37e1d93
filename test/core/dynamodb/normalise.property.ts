import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ColumnType } from '../../../core/column.ts';
import { normaliseImage, normaliseRecord } from '../../../core/dynamodb/normalise.ts';
import { decodeRow } from '../../../core/decode-row.ts';
import { rowJson, rowLayout, typedRow } from '../../../core/row.ts';
import { anyAttributeValue, anyText, schemaOf, streamRecord } from '../../support/dynamodb.ts';

const anyType: fc.Arbitrary<ColumnType> = fc.oneof(
  fc
    .constantFrom('string', 'boolean', 'binary', 'json', 'long', 'double', 'timestamp', 'date')
    .map((kind) => ({ kind })),
  fc
    .tuple(fc.integer({ min: 1, max: 38 }), fc.integer({ min: 0, max: 38 }))
    .map(([precision, scale]) => ({ kind: 'decimal', precision, scale: Math.min(scale, precision) }) as const),
);

const anyTableAndItem = fc.record({
  declared: fc.dictionary(anyText, anyType, { maxKeys: 5, noNullPrototype: true }),
  item: fc.dictionary(anyText, anyAttributeValue, { maxKeys: 6, noNullPrototype: true }),
  values: fc.array(anyAttributeValue, { maxLength: 5 }),
});

it('the changelog’s text of a row gives the same typed cells as the row itself', () => {
  fc.assert(
    fc.property(anyTableAndItem, ({ declared, item, values }) => {
      const schema = schemaOf(declared);
      const attributes = Object.keys(declared);
      const image = {
        ...item,
        ...Object.fromEntries(attributes.map((name, i) => [name, values[i] ?? { NULL: true }])),
      };
      const { row } = normaliseImage(image, rowLayout(schema));
      expect(decodeRow(rowJson(row, rowLayout(schema)), schema)).toEqual(typedRow(row, schema));
    }),
    { numRuns: 500 },
  );
});

it('every value is exactly in its column or whole in _rescued, never in both and never in neither', () => {
  fc.assert(
    fc.property(anyTableAndItem, ({ declared, item }) => {
      const schema = schemaOf(declared);
      const { row } = normaliseImage(item, rowLayout(schema));
      const rescued = (row.rescued === null ? {} : JSON.parse(row.rescued)) as Record<string, unknown>;
      for (const [attribute, value] of Object.entries(item)) {
        const column = schema.columns.findIndex((one) => one.attribute === attribute);
        const inColumn = column !== -1 && row.values[column] !== undefined;
        const isNull = 'NULL' in (value as object);
        expect(Object.hasOwn(rescued, attribute)).toBe(!inColumn && !isNull);
      }
    }),
    { numRuns: 500 },
  );
});

it('the order of an item’s attributes changes nothing', () => {
  fc.assert(
    fc.property(anyTableAndItem, ({ declared, item }) => {
      const layout = rowLayout(schemaOf(declared));
      const reversed = Object.fromEntries(Object.entries(item).reverse());
      expect(rowJson(normaliseImage(reversed, layout).row, layout)).toBe(
        rowJson(normaliseImage(item, layout).row, layout),
      );
    }),
  );
});

/** JSON with every object's names sorted by code units: nothing of ours has a hand in it. */
function withSortedNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedNames);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, withSortedNames(member)] as const);
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON text of values in which maps stand for objects, since an object's own order puts numbers first. Numbers are written without an exponent. */
function textOf(value: unknown): string {
  if (value instanceof Map)
    return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}:${textOf(member)}`).join(',')}}`;
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (typeof value === 'number' && String(value).includes('e')) return value.toFixed(15).replace(/0+$/, '');
  return JSON.stringify(value);
}

it('a row’s text is canonical JSON: parsing it and writing it with sorted names gives it again', () => {
  const anyNamed = fc.oneof(anyText, fc.constantFrom('a', 'a ', 'a!', 'a\n', '\n', 'A', '1', '10', '9'));
  const anyItem = fc.dictionary(anyNamed, anyAttributeValue, { maxKeys: 8, noNullPrototype: true });
  fc.assert(
    fc.property(anyTableAndItem, anyItem, ({ declared, item }, more) => {
      const context = {
        table: null,
        key: [{ attribute: 'id', type: 'S' }],
        layout: rowLayout(schemaOf(declared)),
        capturedAtMicros: 1,
      } as const;
      const record = streamRecord({ image: { ...item, ...more }, keys: { id: { S: 'a' } } });
      const row = normaliseRecord(record, context).change.row ?? '';
      expect(textOf(withSortedNames(JSON.parse(row)))).toBe(row);
    }),
    { numRuns: 500 },
  );
});

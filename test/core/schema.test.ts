import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnType } from '../../core/column.ts';
import {
  DEFAULT_DECIMAL,
  FIRST_USER_COLUMN_ID,
  STATE_COLUMNS,
  columnTypeText,
  parseColumnType,
} from '../../core/column.ts';
import { GlasshouseError } from '../../core/errors.ts';
import { addColumns, initialSchema, keyColumnsOf, schemaFromJson, schemaToJson } from '../../core/schema.ts';
import type { TableSchema, WantedColumn } from '../../core/schema.ts';
import { anyText } from '../support/dynamodb.ts';

const STRING: ColumnType = { kind: 'string' };
const KEY = [
  { attribute: 'customer', type: 'S' },
  { attribute: 'at', type: 'N' },
] as const;

function wanted(...attributes: readonly string[]): WantedColumn[] {
  return attributes.map((attribute) => ({ attribute, type: STRING }));
}

describe('the first schema', () => {
  it('has the key in key order, then what is declared, with ids above ours', () => {
    const schema = initialSchema(KEY, { total: { kind: 'long' }, at: { kind: 'long' } });
    expect(schema.version).toBe(1);
    expect(schema.columns).toEqual([
      { id: 101, name: 'customer', attribute: 'customer', type: STRING, keyIndex: 0, keyType: 'S' },
      { id: 102, name: 'at', attribute: 'at', type: { kind: 'long' }, keyIndex: 1, keyType: 'N', declared: true },
      { id: 103, name: 'total', attribute: 'total', type: { kind: 'long' }, declared: true },
    ]);
    expect(keyColumnsOf(schema).map((column) => column.attribute)).toEqual(['customer', 'at']);
    for (const { id } of Object.values(STATE_COLUMNS)) expect(id).toBeLessThan(FIRST_USER_COLUMN_ID);
  });

  it('gives a key the type that its source has', () => {
    const columns = initialSchema([{ attribute: 'n', type: 'N' }], {}).columns;
    expect(columns[0]?.type).toEqual(DEFAULT_DECIMAL);
    expect(initialSchema([{ attribute: 'b', type: 'B' }], {}).columns[0]?.type).toEqual({ kind: 'binary' });
    expect(initialSchema([{ attribute: 'constructor', type: 'S' }], {}).columns[0]?.type).toEqual(STRING);
  });
});

describe('adding columns', () => {
  const first = initialSchema(KEY, {});

  it('makes the next version, and leaves every column that was there as it is', () => {
    const next = addColumns(first, wanted('b', 'a'), { maxColumns: 10 });
    expect(next.version).toBe(2);
    expect(next.columns.slice(0, 2)).toEqual(first.columns);
    expect(next.columns.slice(2).map(({ id, name }) => [id, name])).toEqual([
      [103, 'b'],
      [104, 'a'],
    ]);
  });

  it('gives the very same schema where there is nothing to add', () => {
    expect(addColumns(first, [], { maxColumns: 10 })).toBe(first);
    expect(addColumns(first, wanted('at', 'customer'), { maxColumns: 10 })).toBe(first);
    expect(addColumns(first, wanted('a'), { maxColumns: 2 })).toBe(first);
  });

  it('stops at the limit', () => {
    const next = addColumns(first, wanted('a', 'b', 'c'), { maxColumns: 4 });
    expect(next.columns.map((column) => column.attribute)).toEqual(['customer', 'at', 'a', 'b']);
    expect(addColumns(next, wanted('c'), { maxColumns: 4 })).toBe(next);
  });

  it('tells attributes apart that fold to one name, for ever', () => {
    const next = addColumns(first, wanted('orderId', 'order-id', 'OrderID'), { maxColumns: 10 });
    expect(next.columns.slice(2).map((column) => column.name)).toEqual(['order_id', 'order_id_2', 'order_id_3']);
    const later = addColumns(next, wanted('order_id'), { maxColumns: 10 });
    expect(later.columns.slice(0, -1)).toEqual(next.columns);
    expect(later.columns.at(-1)?.name).toBe('order_id_4');
  });

  it('never gives an id or a name twice, and never changes one', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyText, { maxLength: 6 }), { maxLength: 6 }), (batches) => {
        let schema: TableSchema = first;
        for (const batch of batches) {
          const next = addColumns(schema, wanted(...batch), { maxColumns: 15 });
          expect(next.columns.slice(0, schema.columns.length)).toEqual(schema.columns);
          expect(next.version - schema.version).toBe(next.columns.length > schema.columns.length ? 1 : 0);
          schema = next;
        }
        for (const of of ['id', 'name', 'attribute'] as const)
          expect(new Set(schema.columns.map((column) => column[of])).size).toBe(schema.columns.length);
        expect(schema.columns.length).toBeLessThanOrEqual(15);
      }),
    );
  });
});

describe('a stored schema', () => {
  it('comes back through JSON text as it was', () => {
    const declared: Record<string, ColumnType> = {
      amount: { kind: 'decimal', precision: 12, scale: 2 },
      when: { kind: 'timestamp' },
    };
    const schema = addColumns(initialSchema(KEY, declared), wanted('x'), { maxColumns: 10 });
    expect(schemaFromJson(JSON.parse(JSON.stringify(schemaToJson(schema))))).toEqual(schema);
  });

  it.each([
    null,
    'text',
    {},
    { version: 1 },
    { version: '1', columns: [] },
    { version: 1, columns: [{ name: 'a', type: 'decimal(9,10)' }] },
  ])('that is %j is corrupt', (json) => {
    expect(() => schemaFromJson(json)).toThrow(GlasshouseError);
    expect(() => schemaFromJson(json)).toThrow(/stored/);
  });
});

it('a column type is written and read in one way', () => {
  for (const text of [
    'string',
    'boolean',
    'binary',
    'json',
    'long',
    'double',
    'timestamp',
    'date',
    'decimal(38,9)',
    'decimal(1,0)',
    'decimal(38,38)',
  ]) {
    const type = parseColumnType(text);
    expect(type && columnTypeText(type)).toBe(text);
  }
  expect(parseColumnType('decimal(10, 2)')).toEqual({ kind: 'decimal', precision: 10, scale: 2 });
  for (const text of ['', 'int', 'decimal', 'decimal(39,1)', 'decimal(0,0)', 'decimal(5,6)', 'constructor'])
    expect(parseColumnType(text)).toBeNull();
});

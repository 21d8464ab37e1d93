import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseColumnType } from '../../core/column.ts';
import { shrinkRow } from '../../core/oversize.ts';
import { canonicalJson, parseRow } from '../../core/row.ts';
import type { DeclaredColumns, TableSchema } from '../../core/schema.ts';
import { schemaOf } from '../support/dynamodb.ts';

const PLACE = { bucket: 'control', table: 'orders' };
const SCHEMA = schemaOf(
  columns({ Title: 'string', photo: 'binary', lines: 'json', total: 'decimal(12,2)', note: 'string' }),
);

function columns(types: Readonly<Record<string, string>>): DeclaredColumns {
  return Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, parseColumnType(type) ?? { kind: 'json' }]),
  );
}

function rowOf(fields: Readonly<Record<string, unknown>>): string {
  return canonicalJson({ id: 'a', ...fields });
}

function shrunkTo(row: string, longest: number, schema: TableSchema = SCHEMA) {
  return shrinkRow(row, schema, PLACE, (smaller) => Buffer.byteLength(smaller) - longest);
}

function pointerTo(content: string | Uint8Array) {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { bytes: Buffer.from(content).length, sha256, s3: `s3://control/oversized/orders/${sha256}` };
}

describe('a row that is too long', () => {
  it('loses its largest value to an object of its own, and says where it is', () => {
    const title = 'ü'.repeat(5000);
    const { row, oversized } = shrunkTo(rowOf({ title, total: 1.5, note: 'short' }), 2000);
    expect(JSON.parse(row)).toEqual({
      id: 'a',
      title: null,
      total: 1.5,
      note: 'short',
      _rescued: { Title: pointerTo(title) },
    });
    expect(oversized.map(({ key, content }) => [key, Buffer.from(content).toString()])).toEqual([
      [pointerTo(title).s3.slice('s3://control/'.length), title],
    ]);
  });

  it('keeps a binary value as its bytes, and JSON as canonical JSON', () => {
    const photo = Buffer.alloc(6000, 7);
    const lines = [{ sku: 's'.repeat(4000) }];
    const { row, oversized } = shrunkTo(rowOf({ photo: photo.toString('base64'), lines }), 1500);
    expect(JSON.parse(row)).toEqual({
      id: 'a',
      photo: null,
      lines: null,
      _rescued: { photo: pointerTo(photo), lines: pointerTo(canonicalJson(lines)) },
    });
    expect(oversized.map(({ content }) => content.length)).toEqual([6000, canonicalJson(lines).length]);
  });

  it('loses what was rescued, too, and keeps the rest of it', () => {
    const large = { S: 'x'.repeat(9000) };
    const { row } = shrunkTo(rowOf({ note: 'n', _rescued: { large, small: { N: '1' } } }), 2000);
    expect(JSON.parse(row)).toEqual({
      id: 'a',
      note: 'n',
      _rescued: { large: pointerTo(canonicalJson(large)), small: { N: '1' } },
    });
  });

  it('loses no more than it must', () => {
    const { row, oversized } = shrunkTo(rowOf({ title: 't'.repeat(9000), note: 'n'.repeat(4000) }), 6000);
    expect(oversized).toHaveLength(1);
    expect(JSON.parse(row)).toMatchObject({ note: 'n'.repeat(4000) });
  });

  it('of ever so many small values goes out whole, but for its key', () => {
    const rescued = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`a${at}`, { S: 'small' }]));
    const before = rowOf({ note: 'n', _rescued: rescued });
    const { row, oversized } = shrunkTo(before, 1000);
    expect(JSON.parse(row)).toEqual({ id: 'a', _rescued: { _rescued: pointerTo(before) } });
    expect(Buffer.from(oversized[0]?.content ?? []).toString()).toBe(before);
  });

  it('keeps an attribute that is called __proto__', () => {
    const row = `{"_rescued":{"__proto__":{"S":"${'x'.repeat(3000)}"}},"id":"a"}`;
    const shrunk = shrunkTo(row, 1000);
    expect(shrunk.row).toContain('"_rescued":{"__proto__":{"bytes":');
    expect(shrunk.oversized).toHaveLength(1);
  });
});

it('a row that is not too long is left as it is', () => {
  const row = rowOf({ title: 'short' });
  expect(shrunkTo(row, row.length)).toEqual({ row, oversized: [] });
});

it('any row comes to fit, always the same way, and what it lost can be put back', () => {
  const value = fc.string({ unit: 'binary', maxLength: 3000 });
  const fields = fc.record(
    { title: value, note: value, lines: fc.array(value, { maxLength: 3 }), _rescued: fc.dictionary(value, value) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fields, fc.integer({ min: 700, max: 6000 }), (any, longest) => {
      const row = rowOf(any);
      const shrunk = shrunkTo(row, longest);
      expect(Buffer.byteLength(shrunk.row)).toBeLessThanOrEqual(Math.max(longest, 400));
      expect(shrunkTo(row, longest)).toEqual(shrunk);
      // It is a row as any other.
      expect(parseRow(shrunk.row, SCHEMA).values[0]).toBe('a');
      for (const { key, content } of shrunk.oversized) {
        const sha256 = createHash('sha256').update(content).digest('hex');
        expect(key).toBe(`oversized/orders/${sha256}`);
        expect(shrunk.row).toContain(sha256);
      }
    }),
  );
});

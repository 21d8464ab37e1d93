import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AttributeTag } from '../../core/dynamodb/attribute-value.ts';
import { inferType, wantedColumns } from '../../core/infer.ts';
import { columnTypeText } from '../../core/column.ts';

const TAGS: readonly AttributeTag[] = ['S', 'N', 'B', 'BOOL', 'M', 'L', 'SS', 'NS', 'BS'];

it.each([
  ['S', 'string'],
  ['N', 'decimal(38,9)'],
  ['BOOL', 'boolean'],
  ['B', 'binary'],
  ['M', 'json'],
  ['L', 'json'],
  ['SS', 'json'],
  ['NS', 'json'],
  ['BS', 'json'],
] as const)('values of %s alone make a column %s', (tag, type) => {
  expect(columnTypeText(inferType(new Set([tag])))).toBe(type);
});

it('S with anything is string, and every other mixture is json', () => {
  for (const a of TAGS) {
    for (const b of TAGS) {
      if (a === b) continue;
      expect(inferType(new Set([a, b])).kind).toBe(a === 'S' || b === 'S' ? 'string' : 'json');
    }
  }
});

it('neither the order nor the number of values decides a column or its place', () => {
  const anySeen = fc.record({ attribute: fc.constantFrom('a', 'b', 'B', 'ä', ''), tag: fc.constantFrom(...TAGS) });
  fc.assert(
    fc.property(fc.array(anySeen), (seen) => {
      const columns = wantedColumns(seen);
      expect(wantedColumns([...seen].reverse())).toEqual(columns);
      expect(wantedColumns([...seen, ...seen])).toEqual(columns);
      expect(columns.map((column) => column.attribute)).toEqual([...new Set(seen.map((one) => one.attribute))].sort());
    }),
  );
});

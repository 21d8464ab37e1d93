import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ColumnType } from '../../../core/column.ts';
import { normaliseRecord } from '../../../core/dynamodb/normalise.ts';
import { scanRecord } from '../../../core/dynamodb/record-scan.ts';
import { NESTED, PLAIN } from '../../../core/json-text.ts';
import { rowLayout } from '../../../core/row.ts';
import { addColumns } from '../../../core/schema.ts';
import { anyAttributeValue, anyText, schemaOf, streamRecord } from '../../support/dynamodb.ts';

const anyKind = fc
  .constantFrom('string', 'boolean', 'binary', 'json', 'long', 'double', 'timestamp', 'date', 'decimal')
  .map((kind): ColumnType => (kind === 'decimal' ? { kind, precision: 38, scale: 9 } : { kind: kind as 'json' }));

/** Records whose attributes the schema knows, with blanks in their text or without. */
const anyCase = fc.record({
  columns: fc.uniqueArray(fc.tuple(anyText, anyKind, anyAttributeValue), { maxLength: 6, selector: ([name]) => name }),
  extra: fc.option(anyAttributeValue, { freq: 8 }),
  blanks: fc.constantFrom('', ' ', '\t', '\n  '),
  event: fc.constantFrom('INSERT', 'MODIFY', 'REMOVE'),
  style: fc.constantFrom(PLAIN, NESTED),
});

function written(value: unknown, blanks: string): string {
  return blanks === '' ? JSON.stringify(value) : JSON.stringify(value, null, blanks);
}

/** What the whole way makes of a text; null where it is no record. */
function wholeWay(text: string, context: Parameters<typeof normaliseRecord>[1]): unknown {
  try {
    return normaliseRecord(JSON.parse(text), context);
  } catch {
    return null;
  }
}

/** The same value with the members of every map in the other order. */
function reversed(value: unknown): Record<string, unknown> {
  const turn = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(turn);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(
      Object.entries(one)
        .reverse()
        .map(([name, inner]) => [name, turn(inner)]),
    );
  };
  return turn(value) as Record<string, unknown>;
}

function contextOf({
  columns,
  style,
}: {
  columns: readonly (readonly [string, ColumnType, unknown])[];
  style: typeof PLAIN;
}) {
  const wanted = columns.filter(([name]) => name !== 'id').map(([attribute, type]) => ({ attribute, type }));
  const schema = addColumns(schemaOf(), wanted, { maxColumns: 100 });
  return {
    table: null,
    key: [{ attribute: 'id', type: 'S' }] as const,
    layout: rowLayout(schema, style),
    capturedAtMicros: 1,
  };
}

it('a scanned record is exactly the parsed and normalised one', () => {
  let scannedCount = 0;
  fc.assert(
    fc.property(anyCase, ({ columns, extra, blanks, event, style }) => {
      const image = Object.fromEntries(columns.map(([name, , value]) => [name, value]));
      if (extra !== null) image.somethingNew = extra;
      const text = written(streamRecord({ image, event, keys: { id: { S: 'a' } } }), blanks);
      const context = contextOf({ columns, style });
      const scanned = scanRecord(text, context);
      if (scanned === null) return;
      scannedCount++;
      expect(scanned).toEqual(wholeWay(text, context));
      // What was learnt from one record must not show in the next, alike or not.
      expect(scanRecord(text, context)).toEqual(scanned);
      const other = JSON.stringify(streamRecord({ image: reversed(image), event, keys: { id: { S: 'a' } } }));
      expect(scanRecord(other, context)?.change.row).toEqual(scanned.change.row);
      expect(scanRecord(text, context)).toEqual(scanned);
    }),
    { numRuns: 3000 },
  );
  expect(scannedCount).toBeGreaterThan(150);
});

it('a text that was tampered with is scanned to what parsing gives, or not at all', () => {
  const anyTampering = fc.tuple(
    fc.nat(),
    fc.constantFrom('', '"', '{', '}', ',', ':', '\\', 'x', '0', '1e5', '\u0001', '\\ud800', '[', ']'),
  );
  fc.assert(
    fc.property(
      anyCase,
      fc.array(anyTampering, { minLength: 1, maxLength: 3 }),
      ({ columns, event, style }, tamperings) => {
        const image = Object.fromEntries(columns.map(([name, , value]) => [name, value]));
        let text = JSON.stringify(streamRecord({ image, event, keys: { id: { S: 'a' } } }));
        for (const [place, insert] of tamperings) {
          const at = place % text.length;
          text = text.slice(0, at) + insert + text.slice(at + (place % 2));
        }
        const context = contextOf({ columns, style });
        const scanned = scanRecord(text, context);
        if (scanned !== null) expect(scanned).toEqual(wholeWay(text, context));
      },
    ),
    { numRuns: 5000 },
  );
});

it('an ordinary record is scanned, not left to parsing', () => {
  const image = {
    total: { N: '12.50' },
    tags: { SS: ['b', 'a'] },
    address: { M: { zip: { S: '1' }, city: { S: 'é"' } } },
    gone: { NULL: true },
  };
  const columns = [
    ['total', { kind: 'decimal', precision: 38, scale: 9 }, null],
    ['tags', { kind: 'json' }, null],
    ['address', { kind: 'json' }, null],
  ] as const;
  const scanned = scanRecord(
    JSON.stringify(streamRecord({ image, keys: { id: { S: 'a' } } })),
    contextOf({ columns, style: PLAIN }),
  );
  expect(scanned?.change.row).toBe('{"address":{"city":"é\\"","zip":"1"},"id":"a","tags":["a","b"],"total":12.5}');
});

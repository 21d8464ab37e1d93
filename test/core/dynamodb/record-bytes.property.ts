import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ColumnType } from '../../../core/column.ts';
import type { NormaliseContext } from '../../../core/dynamodb/normalise.ts';
import { normaliseRecord } from '../../../core/dynamodb/normalise.ts';
import { RecordBytesScanner } from '../../../core/dynamodb/record-bytes.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { ChangePacker, unpacked } from '../../../core/packed-changes.ts';
import { rowLayout } from '../../../core/row.ts';
import type { KeyAttributes } from '../../../core/schema.ts';
import { addColumns } from '../../../core/schema.ts';
import { anyAttributeValue, anyText, schemaOf, streamRecord } from '../../support/dynamodb.ts';

const KEY: KeyAttributes = [
  { attribute: 'id', type: 'S' },
  { attribute: 'at', type: 'N' },
];

const anyKind = fc
  .constantFrom('string', 'boolean', 'binary', 'json', 'long', 'double', 'timestamp', 'date', 'decimal')
  .map((kind): ColumnType => (kind === 'decimal' ? { kind, precision: 38, scale: 9 } : { kind: kind as 'json' }));

/** Text that needs no escapes, of every length of UTF-8. */
const plainText = fc.string({
  unit: fc.constantFrom('a', 'b', 'Z', ' ', 'é', '€', '𝄞', '\uffee', '{', ',', ':', '0'),
  maxLength: 8,
});
const plainNumber = fc.constantFrom(
  '0',
  '7',
  '-12.5',
  '123456789012345',
  '1234567890123456',
  '0.000000001',
  '1.50',
  '-0.0000000001',
  '1E5',
);

/** What real items are made of: few escapes, and maps that often look alike. */
const plainValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    plainText.map((S) => ({ S })),
    plainNumber.map((N) => ({ N })),
    fc.boolean().map((BOOL) => ({ BOOL })),
    fc.constant({ NULL: true }),
    fc.constantFrom({ B: 'AQI=' }, { B: 'AQI' }, { BS: ['AQI=', 'AAA='] }, { NS: ['10', '9', '1E3'] }),
    fc.constantFrom({ S: '2026-01-10T00:15:31Z' }, { N: '1790000000' }, { S: '2026-01-10' }),
    fc.array(plainText, { maxLength: 3 }).map((SS) => ({ SS })),
    fc.array(tie('value'), { maxLength: 3 }).map((L) => ({ L })),
    fc
      .dictionary(fc.constantFrom('b', 'a', 'zip', 'é'), tie('value'), { maxKeys: 3, noNullPrototype: true })
      .map((M) => ({ M })),
  ),
})).value;

const anyColumns = fc.uniqueArray(
  fc.tuple(
    fc.oneof({ arbitrary: plainText, weight: 5 }, anyText),
    anyKind,
    fc.oneof({ arbitrary: plainValue, weight: 5 }, anyAttributeValue),
  ),
  { maxLength: 6, selector: ([name]) => name },
);
const anyCase = fc.record({
  columns: anyColumns,
  second: anyColumns,
  extra: fc.option(plainValue, { freq: 8 }),
  event: fc.constantFrom('INSERT' as const, 'MODIFY' as const, 'REMOVE' as const),
  at: plainNumber,
  table: fc.constantFrom(null, 'orders', 'others'),
});
type Columns = readonly (readonly [string, ColumnType, unknown])[];

function textOf(
  columns: Columns,
  { extra, event, at }: { extra: unknown; event: 'INSERT' | 'MODIFY' | 'REMOVE'; at: string },
): string {
  const image = Object.fromEntries(columns.map(([name, , value]) => [name, value]));
  if (extra !== null) image.somethingNew = extra;
  return JSON.stringify(streamRecord({ image, event, keys: { id: { S: 'ä' }, at: { N: at } } }));
}

function contextOf(columns: Columns, table: string | null): NormaliseContext {
  const wanted = columns
    .filter(([name]) => name !== 'id' && name !== 'at')
    .map(([attribute, type]) => ({ attribute, type }));
  const schema = addColumns(schemaOf({}, KEY), wanted, { maxColumns: 100 });
  return { table, key: KEY, layout: rowLayout(schema), capturedAtMicros: 1 };
}

/** What the whole way makes of a text; null where it is no record. */
function wholeWay(text: string, context: NormaliseContext): Envelope | null {
  try {
    return normaliseRecord(JSON.parse(text), context).change;
  } catch {
    return null;
  }
}

function scannerOf({ table, key, layout }: NormaliseContext): RecordBytesScanner {
  return new RecordBytesScanner({ table, key, schema: layout.schema });
}

/** What the scanner makes of texts that stand one after the other, and which of them it took. */
function packedOf(
  scanner: RecordBytesScanner,
  texts: readonly string[],
): { readonly taken: readonly number[]; readonly changes: readonly Envelope[] } {
  const packer = new ChangePacker();
  const bytes = Buffer.from(texts.join('\n'));
  const taken: number[] = [];
  let from = 0;
  for (const [index, text] of texts.entries()) {
    const to = from + Buffer.byteLength(text);
    if (scanner.pack(bytes, from, to, packer)) taken.push(index);
    from = to + 1;
  }
  const changes = unpacked(packer.take(1, 1)).map(plainOf);
  return { taken, changes };
}

function plainOf(one: Envelope): Envelope {
  const { key, keyHash, version, operation, committedAtMicros, capturedAtMicros, schemaVersion, row, cause } = one;
  return { key, keyHash, version, operation, committedAtMicros, capturedAtMicros, schemaVersion, row, cause };
}

function expectSame(texts: readonly string[], context: NormaliseContext): number {
  const { taken, changes } = packedOf(scannerOf(context), texts);
  const whole = taken.map((index) => wholeWay(texts[index] ?? '', context));
  expect(changes).toEqual(whole.map((one) => one && { ...one, schemaVersion: 1 }));
  return taken.length;
}

it('records scanned from their bytes are exactly the parsed and normalised ones', () => {
  let taken = 0;
  fc.assert(
    fc.property(anyCase, ({ columns, second, table, ...one }) => {
      const context = contextOf([...columns, ...second], table);
      // What is learnt from one record must not show in the next, alike or not.
      const values = [columns, second, [...columns].reverse(), columns, [...second].reverse()];
      taken += expectSame(
        values.map((value) => textOf(value, one)),
        context,
      );
    }),
    { numRuns: 3000 },
  );
  expect(taken).toBeGreaterThan(1500);
});

it('a text that was tampered with is scanned to what parsing gives, or not at all', () => {
  const inserts = [
    '',
    '"',
    '{',
    '}',
    ',',
    ':',
    '\\',
    'x',
    '0',
    '-',
    '1e5',
    '\u0001',
    ' ',
    '\n',
    '[',
    ']',
    '"Records":[],',
    '"eventName":"MODIFY",',
  ];
  const anyTampering = fc.tuple(fc.nat(), fc.constantFrom(...inserts));
  let taken = 0;
  fc.assert(
    fc.property(
      anyCase,
      fc.array(anyTampering, { minLength: 1, maxLength: 2 }),
      ({ columns, table, ...one }, tamperings) => {
        const context = contextOf(columns, table);
        const before = textOf(columns, one);
        let text = before;
        for (const [place, insert] of tamperings) {
          const at = place % text.length;
          text = text.slice(0, at) + insert + text.slice(at + (place % 2));
        }
        taken += expectSame([before, text, before], context);
      },
    ),
    { numRuns: 5000 },
  );
  expect(taken).toBeGreaterThan(1500);
});

it('ordinary records are scanned, not left to parsing', () => {
  const image = {
    total: { N: '12.5' },
    precise: { N: '12345678901234567890.5' },
    tags: { SS: ['b', 'a'] },
    address: { M: { zip: { S: '1' }, city: { S: 'é' }, geo: { M: { lat: { N: '1' } } } } },
    lines: {
      L: [{ M: { sku: { S: 'x' } } }, { M: { sku: { S: 'y' }, off: { BOOL: true } } }, { M: { sku: { S: 'z' } } }],
    },
    gone: { NULL: true },
  };
  const decimal = { kind: 'decimal', precision: 38, scale: 9 } as const;
  const json = { kind: 'json' } as const;
  const columns = [
    ['total', decimal, null],
    ['precise', decimal, null],
    ['tags', json, null],
    ['address', json, null],
    ['lines', json, null],
  ] as const;
  const record = streamRecord({ image, keys: { at: { N: '5' }, id: { S: 'a' } } });
  const { changes } = packedOf(scannerOf(contextOf(columns, 'orders')), [JSON.stringify(record)]);
  expect(changes[0]).toMatchObject({
    key: '["a",5]',
    operation: 'insert',
    row: '{"address":{"city":"é","geo":{"lat":1},"zip":"1"},"at":5,"id":"a","lines":[{"sku":"x"},{"off":true,"sku":"y"},{"sku":"z"}],"precise":"12345678901234567890.5","tags":["a","b"],"total":12.5}',
  });
});

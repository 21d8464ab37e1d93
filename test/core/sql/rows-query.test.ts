import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Parser, init } from '@guanmingchiu/sqlparser-ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Duck } from '../../../adapters/duckdb/connection.ts';
import { openDuck, withConnection } from '../../../adapters/duckdb/connection.ts';
import type { TypedRow } from '../../../core/change.ts';
import { cellText } from '../../../core/cell-text.ts';
import { decodeRow } from '../../../core/decode-row.ts';
import { canonicalJson } from '../../../core/row.ts';
import { initialSchema } from '../../../core/schema.ts';
import {
  answeredRow,
  asAskedOfRedshift,
  athenaColumnsQuery,
  athenaRowsQuery,
  redshiftRowsQuery,
} from '../../../core/sql/rows-query.ts';
import { changeOf } from '../../support/changes.ts';
import { anyNumber, anyText } from '../../support/dynamodb.ts';
import { createDuckState, textRows } from '../../support/duck-lake.ts';
import type { TrinoParser } from '../../support/trino-parser.ts';
import { loadTrinoParser } from '../../support/trino-parser.ts';

/** As in golden.test.ts: UPDATE_GOLDEN=1 writes the files anew. */
const UPDATE = process.env.UPDATE_GOLDEN === '1';

/** Every column type, and names that are reserved words. */
const SCHEMA = initialSchema([{ attribute: 'id', type: 'S' }], {
  user: { kind: 'string' },
  amount: { kind: 'decimal', precision: 38, scale: 9 },
  units: { kind: 'decimal', precision: 19, scale: 0 },
  table: { kind: 'long' },
  ratio: { kind: 'double' },
  paid: { kind: 'boolean' },
  receipt: { kind: 'binary' },
  items: { kind: 'json' },
  placedAt: { kind: 'timestamp' },
  due: { kind: 'date' },
});
const ALL_HELD = new Set(SCHEMA.columns.map((column) => column.name));
const ALL = { schema: SCHEMA, held: ALL_HELD, keyHashes: null };
const SOME = {
  schema: SCHEMA,
  held: new Set(['id', 'user']),
  keyHashes: [changeOf({ id: 'a', at: 1 }, SCHEMA).keyHash],
};
const WAREHOUSE = { mirror: 'shop', table: 'orders', viewSchema: 'public' };

const STATEMENTS = {
  athena: [
    athenaRowsQuery('shop', 'orders', ALL),
    athenaRowsQuery('shop', 'orders', SOME),
    athenaColumnsQuery('shop', 'orders'),
  ],
  redshift: [redshiftRowsQuery(WAREHOUSE, ALL), redshiftRowsQuery(WAREHOUSE, SOME)],
};

let duck: Duck;
let trino: TrinoParser;
beforeAll(async () => {
  await init();
  [duck, trino] = await Promise.all([openDuck(), loadTrinoParser()]);
});
afterAll(() => duck.close());

describe('the questions', () => {
  it.each(['athena', 'redshift'] as const)('have this text in %s', (dialect) => {
    const path = join(import.meta.dirname, 'golden', dialect, 'rows.sql');
    const text = STATEMENTS[dialect].map((statement) => `${statement};\n`).join('\n');
    if (UPDATE) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(text);
  });

  it("are taken by each engine's parser", () => {
    for (const statement of STATEMENTS.athena) expect(trino.faultsOf(`${statement};`)).toEqual([]);
    for (const statement of STATEMENTS.redshift) expect(Parser.parse(statement, 'redshift')).toHaveLength(1);
  });
});

const anyImage = fc.record(
  {
    user: anyText.map((S) => ({ S })),
    amount: anyNumber.map((N) => ({ N })),
    units: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }).map((n) => ({ N: String(n) })),
    table: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => ({ N: String(n) })),
    ratio: fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e120, max: 1e120 })
      .map((n) => (Math.abs(n) < 1e-120 ? 0 : n))
      .map((n) => ({ N: String(n) })),
    paid: fc.boolean().map((BOOL) => ({ BOOL })),
    receipt: fc.uint8Array({ maxLength: 9 }).map((bytes) => ({ B: Buffer.from(bytes).toString('base64') })),
    items: fc.array(anyText, { maxLength: 3 }).map((texts) => ({ L: texts.map((S) => ({ S })) })),
    placedAt: fc
      .integer({ min: 0, max: 2_000_000_000 })
      .map((s) => ({ S: new Date(s * 1000 + 7).toISOString().replace('007Z', '007001Z') })),
    due: fc.integer({ min: 0, max: 30_000 }).map((d) => ({ S: new Date(d * 86_400_000).toISOString().slice(0, 10) })),
    extra: anyText.map((S) => ({ S })),
  },
  { requiredKeys: [] },
);

describe('answers', () => {
  it('of the lake hold every value exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyImage, { minLength: 1, maxLength: 5 }), async (images) => {
        const changes = images.map((image, index) => changeOf({ id: `k${index}`, at: index, image }, SCHEMA));
        const rows = await withConnection(duck, async (connection) => {
          await createDuckState(connection, { database: 'shop', table: 'orders' }, changes, SCHEMA);
          return textRows(connection, athenaRowsQuery('shop', 'orders', ALL));
        });
        const answered = new Map(rows.map((row) => answeredRow(row, SCHEMA)).map((row) => [row.keyHash, row]));
        for (const change of changes) {
          const { version, keyHash } = change;
          const held = answered.get(keyHash);
          expect(held?.version).toBe(version);
          expect(held && textsOf(held)).toEqual(textsOf(decodeRow(change.row ?? '{}', SCHEMA)));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('have null for a column that the table does not have yet', async () => {
    const change = changeOf({ id: 'a', at: 1, image: { user: { S: 'u' }, amount: { N: '1' } } }, SCHEMA);
    const rows = await withConnection(duck, async (connection) => {
      await createDuckState(connection, { database: 'shop', table: 'orders' }, [change], SCHEMA);
      return textRows(connection, athenaRowsQuery('shop', 'orders', SOME));
    });
    expect(rows.map((row) => answeredRow(row, SCHEMA).cells.slice(0, 3))).toEqual([['a', 'u', null]]);
  });

  it("of Redshift are read as the Data API's texts", () => {
    const texts = [
      'h',
      'v',
      'null',
      'a',
      'u',
      '-0.500000000',
      '7',
      '-9223372036854775808',
      '0.1',
      'false',
      'AP8=',
      'null',
      '2026-11-22 19:50:03.123456',
      '2026-11-22',
    ];
    expect(answeredRow(texts, SCHEMA)).toEqual({
      keyHash: 'h',
      version: 'v',
      rescued: null,
      cells: [
        'a',
        'u',
        -500_000_000n,
        7n,
        -9223372036854775808n,
        0.1,
        false,
        Buffer.from([0, 255]),
        null,
        1_795_377_003_123_456n,
        20_779,
      ],
    });
  });
});

describe('asAskedOfRedshift', () => {
  const row = (change: Readonly<Record<string, unknown>>): TypedRow =>
    decodeRow(changeOf({ id: 'a', at: 1, image: change }, SCHEMA).row ?? '{}', SCHEMA);

  it('leaves what is short', () => {
    const short = row({ user: { S: 'u' }, items: { L: [{ S: 'x' }] }, receipt: { B: 'AP8=' }, extra: { S: 'e' } });
    expect(asAskedOfRedshift(short, SCHEMA)).toEqual(short);
  });

  it('has the hash of what is long, and only the size of what cannot be made a text', () => {
    const long = 'x'.repeat(20_000);
    const documents = { L: [{ S: long }, { S: long }, { S: long }, { S: long }] };
    const marked = asAskedOfRedshift(
      row({
        user: { S: long },
        receipt: { B: Buffer.alloc(20_000).toString('base64') },
        items: documents,
        extra: { S: long },
      }),
      SCHEMA,
    );
    const cell = (name: string) => marked.cells[SCHEMA.columns.findIndex((column) => column.name === name)];
    expect(cell('user')).toMatch(/^#sha256:[0-9a-f]{64}$/);
    expect(cell('receipt')).toMatch(/^#sha256:[0-9a-f]{64}$/);
    expect(cell('items')).toBe('"#bytes:80013"');
    expect(marked.rescued).toMatch(/^"#sha256:[0-9a-f]{64}"$/);
  });

  it('reads a hash of a binary as it stands', () => {
    const index = SCHEMA.columns.findIndex((column) => column.name === 'receipt');
    const texts = ['h', 'v', null, ...SCHEMA.columns.map((_, at) => (at === index ? '#sha256:00' : null))];
    expect(answeredRow(texts, SCHEMA).cells[index]).toBe('#sha256:00');
  });
});

/** As rows are compared: JSON in any engine's own order and spelling is the same. */
function textsOf({ cells, rescued }: TypedRow): (string | null)[] {
  const texts = SCHEMA.columns.map((column, index) => cellText(cells[index] ?? null, column.type));
  return [...texts, rescued === null ? null : canonicalJson(JSON.parse(rescued))];
}

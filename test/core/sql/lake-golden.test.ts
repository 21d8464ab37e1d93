import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChangelogFile, NewFiles } from '../../../core/iceberg/new-files.ts';
import type { TableSchema } from '../../../core/schema.ts';
import { initialSchema } from '../../../core/schema.ts';
import { utf8Bytes } from '../../../core/sql/dialect.ts';
import { athena } from '../../../core/sql/dialects/athena.ts';
import { duckdb } from '../../../core/sql/dialects/duckdb.ts';
import { athenaViewStatements, historyView, liveView } from '../../../core/sql/lake-views.ts';
import { MERGE_LIMITS, payloadBytes, planMerge } from '../../../core/sql/plans/merge.ts';
import type { TrinoParser } from '../../support/trino-parser.ts';
import { loadTrinoParser } from '../../support/trino-parser.ts';

/**
 * The exact SQL, in golden/<dialect>/<plan>.sql. To write them anew after a change, and then read the difference:
 *   UPDATE_GOLDEN=1 npx vitest run test/core/sql/lake-golden.test.ts
 */
const UPDATE = process.env.UPDATE_GOLDEN === '1';

const TABLE = { database: 'shop', table: 'orders' };
/** Every column type, and names that are reserved words. */
const SCHEMA = initialSchema(
  [
    { attribute: 'customerId', type: 'S' },
    { attribute: 'order', type: 'N' },
  ],
  {
    user: { kind: 'string' },
    amount: { kind: 'decimal', precision: 38, scale: 9 },
    table: { kind: 'long' },
    ratio: { kind: 'double' },
    paid: { kind: 'boolean' },
    receipt: { kind: 'binary' },
    items: { kind: 'json' },
    placedAt: { kind: 'timestamp' },
    due: { kind: 'date' },
  },
);

const COMMITTED = 1_790_000_000_123_456;
const CAPTURED = COMMITTED + 2_000_000;

function file(number: number, more: Partial<ChangelogFile> = {}): ChangelogFile {
  return {
    path: `s3://lake/tables/orders__changes/data/_captured_at_day=2026-09-21/_op=update/0000${number}-6a3c1f0e.parquet`,
    records: 10,
    sequence: number,
    operation: 'update',
    capturedAt: { from: CAPTURED + number, to: CAPTURED + number + 1_000_000 },
    committedAt: { from: COMMITTED + number, to: COMMITTED + number + 1_000_000 },
    ...more,
  };
}

function newFiles(files: readonly ChangelogFile[], more: Partial<NewFiles> = {}): NewFiles {
  const records = files.reduce((sum, one) => sum + one.records, 0);
  return { upTo: { sequence: 9, snapshotId: '7483920174839201748' }, whole: null, files, records, ...more };
}

const MERGES: Readonly<Record<string, NewFiles>> = {
  merge: newFiles([file(1), file(2, { operation: 'insert' }), file(3, { operation: 'delete' })]),
  'merge-deletes': newFiles([file(1, { operation: 'delete' })]),
  'merge-unknown-bounds': newFiles([file(1, { operation: null, capturedAt: null, committedAt: null })]),
  'merge-whole': newFiles([], { whole: 'expired' }),
};

let trino: TrinoParser;
beforeAll(async () => {
  trino = await loadTrinoParser();
});

function expectGolden(name: string, statements: readonly string[]): void {
  const path = join(import.meta.dirname, 'golden', `${name}.sql`);
  const text = `${statements.join(';\n\n')};\n`;
  if (UPDATE) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(existsSync(path), `${path} is missing`).toBe(true);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

it('the parser refuses what is no Trino, so that what it takes says something', () => {
  expect(trino.faultsOf('MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPSERT')).not.toEqual([]);
  expect(trino.faultsOf('SELECT * FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) = 1')).not.toEqual([]);
});

describe.each(Object.entries(MERGES))('%s', (name, files) => {
  it('is exactly this in Athena, and Trino’s grammar takes it', () => {
    const statements = planMerge(TABLE, SCHEMA, files, { dialect: athena });
    expectGolden(`athena/${name}`, statements);
    for (const statement of statements) expect(trino.faultsOf(statement)).toEqual([]);
  });

  it('is exactly this in DuckDB', () => {
    expectGolden(`duckdb/${name}`, planMerge(TABLE, SCHEMA, files, { dialect: duckdb }));
  });
});

describe('the views', () => {
  it('are exactly these in Athena, and Trino’s grammar takes them', () => {
    const statements = athenaViewStatements('orders', 'shop', SCHEMA);
    expectGolden('athena/views', statements);
    for (const statement of statements) expect(trino.faultsOf(statement)).toEqual([]);
  });

  it('are exactly these in DuckDB', () => {
    const sources = { state: '"orders"', changes: '"orders__changes"', unmerged: '"unmerged"' };
    expectGolden('duckdb/views', [liveView(SCHEMA, sources), historyView(SCHEMA, sources)]);
  });

  it('take names that hold quotes', () => {
    const odd = athenaViewStatements('or"ders', "o'hara", SCHEMA);
    const merges = planMerge(
      { database: "o'hara", table: 'or"ders' },
      SCHEMA,
      newFiles([file(1, { path: "s3://a'b/c" })]),
      {
        dialect: athena,
      },
    );
    for (const statement of [...odd, ...merges]) expect(trino.faultsOf(statement)).toEqual([]);
  });
});

describe('the limits of Athena', () => {
  /** As many columns as a table has by default, with names as long as they may be. */
  const wide = wideSchema(500);

  function wideSchema(columns: number): TableSchema {
    const declared = Array.from({ length: columns - 1 }, (_, index) => [
      `${'a'.repeat(58)}${1000 + index}`,
      { kind: 'json' },
    ]);
    return initialSchema(
      [{ attribute: 'id', type: 'S' }],
      Object.fromEntries(declared) as Record<string, { kind: 'json' }>,
    );
  }

  it('hold for the widest table', () => {
    const merges = planMerge(TABLE, wide, newFiles([file(1)]), { dialect: athena });
    for (const statement of [...merges, ...athenaViewStatements('orders', 'shop', wide)]) {
      expect(utf8Bytes(statement)).toBeLessThanOrEqual(262_144);
    }
  });

  it('split a merge of many files, each part with a look-back of its own', () => {
    const many = Array.from({ length: 900 }, (_, index) => file(index));
    const limits = { ...MERGE_LIMITS, filesPerStatement: 400 };
    const statements = planMerge(TABLE, SCHEMA, newFiles(many), { dialect: athena, limits });
    expect(statements.length).toBe(3);
    expect(payloadBytes(statements)).toBeLessThanOrEqual(limits.payloadBytes);
    for (const [index, statement] of statements.entries()) {
      const lookBack = /"_committed_at" >= TIMESTAMP '([^']+)'/.exec(statement)?.[1];
      const first = new Date((COMMITTED + index * 400 - 300_000_000) / 1000).toISOString();
      expect(lookBack?.slice(0, 23)).toBe(first.replace('T', ' ').slice(0, 23));
    }
    const paths = new Set(statements.flatMap((statement) => statement.match(/s3:[^']+/g) ?? []));
    expect(paths).toEqual(new Set(many.map((one) => one.path)));
  });

  it('split a merge of many records', () => {
    const statements = planMerge(TABLE, SCHEMA, newFiles([file(1, { records: 15e6 }), file(2, { records: 15e6 })]), {
      dialect: athena,
    });
    expect(statements.length).toBe(2);
  });

  it('read by days, not by files, where the files’ names would not fit into a state machine’s state', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => file(index));
    const statements = planMerge(TABLE, SCHEMA, newFiles(many), { dialect: athena });
    expect(statements.length).toBe(1);
    expect(statements[0]).not.toContain('s3://');
    expect(statements[0]).toContain(`"_captured_at" BETWEEN TIMESTAMP '`);
    expect(payloadBytes(statements)).toBeLessThanOrEqual(MERGE_LIMITS.payloadBytes);
  });

  it('refuse a table that no statement can name, and say what to do', () => {
    expect(() => planMerge(TABLE, wideSchema(2_000), newFiles([file(1)]), { dialect: athena })).toThrow(
      /Lower maxColumns/,
    );
  });
});

it('nothing is to be run where nothing is new', () => {
  expect(planMerge(TABLE, SCHEMA, newFiles([]), { dialect: athena })).toEqual([]);
  expect(planMerge(TABLE, SCHEMA, newFiles([], { upTo: null, whole: 'first' }), { dialect: athena })).toEqual([]);
});

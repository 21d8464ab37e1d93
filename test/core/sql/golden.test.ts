import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Parser, init } from '@guanmingchiu/sqlparser-ts';
import { loadModule, parseSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TableSchema } from '../../../core/schema.ts';
import { addColumns, initialSchema } from '../../../core/schema.ts';
import type { Dialect } from '../../../core/sql/dialect.ts';
import { postgres } from '../../../core/sql/dialects/postgres.ts';
import { redshift } from '../../../core/sql/dialects/redshift.ts';
import { planAddColumns } from '../../../core/sql/plans/add-columns.ts';
import { heldColumnsQuery, planCreate } from '../../../core/sql/plans/create-warehouse.ts';
import { planEnvelopeLoad, postgresEnvelopes, redshiftEnvelopes } from '../../../core/sql/plans/envelope-load.ts';
import { loadQuery, markQuery } from '../../../core/sql/plans/ledger.ts';
import { planTypedLoad } from '../../../core/sql/plans/load.ts';
import type { WarehouseTable } from '../../../core/sql/warehouse-table.ts';

/**
 * The exact SQL, in golden/<dialect>/<plan>.sql. To write them anew after a change, and then read the difference:
 *   UPDATE_GOLDEN=1 npx vitest run test/core/sql/golden.test.ts
 */
const UPDATE = process.env.UPDATE_GOLDEN === '1';

const TABLE: WarehouseTable = { mirror: 'shop', table: 'orders', viewSchema: 'public' };
const ODD: WarehouseTable = { mirror: 'The "Shop"', table: 'select', viewSchema: `o'hara` };

/** Every column type, and names that are reserved words. */
const SCHEMA = initialSchema(
  [
    { attribute: 'customerId', type: 'S' },
    { attribute: 'order', type: 'N' },
  ],
  {
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
  },
);
const WIDER = addColumns(SCHEMA, [{ attribute: 'group', type: { kind: 'json' } }], { maxColumns: 500 });
const STAGED = {
  manifestUrl: 's3://staging/shop/orders/000123.manifest',
  mark: { sequence: 42, snapshotId: 8_912_345_678 },
};
const ON_REDSHIFT = redshiftEnvelopes('arn:aws:iam::123456789012:role/load');
const ON_POSTGRES = postgresEnvelopes('"_staging"."lines"');

function envelopeLoad(table: WarehouseTable, schema: TableSchema): readonly string[] {
  return planEnvelopeLoad([{ table, schema, ...STAGED }], ON_REDSHIFT).statements;
}

function plansOf(dialect: Dialect, load: (table: WarehouseTable, schema: TableSchema) => readonly string[]) {
  const names = SCHEMA.columns.map((column) => column.name);
  const base = ['_key_hash', '_key', ...names, '_version', '_committed_at', '_rescued', '_deleted'];
  const view = [...names, '_version', '_committed_at', '_rescued'];
  return {
    create: planCreate(TABLE, SCHEMA, dialect),
    'add-columns': planAddColumns(TABLE, { base, view }, WIDER, dialect),
    load: load(TABLE, SCHEMA),
    'odd-names': [...planCreate(ODD, SCHEMA, dialect), ...load(ODD, SCHEMA)],
    questions: [
      markQuery(TABLE, dialect),
      loadQuery(TABLE.mirror, 42, dialect),
      heldColumnsQuery(TABLE, 'base', dialect),
      heldColumnsQuery(ODD, 'view', dialect),
    ],
  };
}

const PLANS = {
  postgres: {
    ...plansOf(postgres, (table, schema) => {
      const { tune, stage, copy, merge, record, trim } = planTypedLoad(table, schema);
      return [tune, stage, copy, merge, record, trim];
    }),
    'envelope-load': planEnvelopeLoad([{ table: TABLE, schema: SCHEMA, ...STAGED }], ON_POSTGRES).statements,
  },
  redshift: plansOf(redshift, envelopeLoad),
};

const CASES = (['postgres', 'redshift'] as const).flatMap((dialect) =>
  Object.entries(PLANS[dialect]).map(([plan, statements]) => ({ dialect, plan, statements })),
);

beforeAll(async () => {
  await init();
  await loadModule();
});

describe.each(CASES)('$dialect/$plan.sql', ({ dialect, plan, statements }) => {
  it('is exactly what the generator writes', () => {
    const file = join(import.meta.dirname, 'golden', dialect, `${plan}.sql`);
    const text = statements.map((statement) => `${statement};\n`).join('\n');
    if (UPDATE) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    expect(existsSync(file), `${file} is missing: run with UPDATE_GOLDEN=1`).toBe(true);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it(`is SQL that a parser of ${dialect} accepts, statement by statement`, () => {
    for (const statement of statements) {
      const count =
        dialect === 'postgres' ? parseSync(statement).stmts?.length : Parser.parse(statement, 'redshift').length;
      expect(count, statement).toBe(1);
    }
  });
});

describe('the plans', () => {
  it('never truncate, and Redshift never merges: it can neither guard nor delete with it', () => {
    for (const { statements } of CASES) expect(statements.join('\n')).not.toMatch(/\bTRUNCATE\b/i);
    for (const statements of Object.values(PLANS.redshift)) expect(statements.join('\n')).not.toMatch(/\bMERGE\b/i);
  });

  it('add nothing where everything is there', () => {
    const names = SCHEMA.columns.map((column) => column.name);
    const held = { base: ['_key_hash', ...names], view: [...names, '_version', '_committed_at', '_rescued'] };
    for (const dialect of [postgres, redshift]) expect(planAddColumns(TABLE, held, SCHEMA, dialect)).toEqual([]);
  });

  it('put the view back where it is missing', () => {
    const held = { base: ['_key_hash', ...SCHEMA.columns.map((column) => column.name)], view: [] };
    expect(planAddColumns(TABLE, held, SCHEMA, postgres)).toEqual([planCreate(TABLE, SCHEMA, postgres).at(-1)]);
  });

  it('that pass the limits of one Redshift batch are refused with a remedy', () => {
    const wanted = Array.from({ length: 1200 }, (_, index) => ({
      attribute: `a_rather_long_name_of_an_attribute_${index}`,
      type: { kind: 'timestamp' } as const,
    }));
    const wide = addColumns(SCHEMA, wanted, { maxColumns: 1600 });
    expect(() => envelopeLoad(TABLE, wide)).toThrow(/9 statements of \d{6} bytes.*40 of 100000.*maxColumns/);
  });

  it('take the default limit of 500 columns in one Redshift batch', () => {
    const wanted = Array.from({ length: 500 }, (_, index) => ({
      attribute: `attribute_number_${index}`,
      type: { kind: 'json' } as const,
    }));
    expect(envelopeLoad(TABLE, addColumns(SCHEMA, wanted, { maxColumns: 500 }))).toHaveLength(9);
  });

  it('refuse names that the engine would cut, and decimals that it cannot hold', () => {
    const long = { ...TABLE, table: 'é'.repeat(40) };
    expect(() => planCreate(long, SCHEMA, postgres)).toThrow(/80 bytes.*takes 63/);
    expect(planCreate(long, SCHEMA, redshift)).toHaveLength(5);
    const deep = initialSchema([{ attribute: 'id', type: 'S' }], { x: { kind: 'decimal', precision: 38, scale: 38 } });
    expect(() => planCreate(TABLE, deep, redshift)).toThrow(/decimal\(38,38\)/);
    expect(planCreate(TABLE, deep, postgres).join()).toContain('numeric(38,38)');
  });
});

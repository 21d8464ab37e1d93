import { describe, expect, it } from 'vitest';
import { defineMirror, type MirrorConfig, validateMirror } from '../../core/config.ts';
import { GlasshouseError } from '../../core/errors.ts';

const SMALLEST = { name: 'shop', tables: { orders: {} }, targets: { lakehouse: true } };

/** What a deployment is like where the configuration says nothing of it. */
const AWS_DEFAULTS = {
  account: null,
  region: null,
  onDestroy: 'retain',
  alarmEmail: null,
  logRetentionDays: 30,
  capture: { parallelization: 1, batchSize: 10_000, windowSeconds: 1, memoryMb: 1769 },
  lakehouse: {
    database: 'shop',
    mergeEveryMinutes: 1,
    bufferSeconds: 15,
    queryLimitGb: 100,
    lakeFormation: false,
    snapshotDays: 5,
  },
  redshift: {
    where: { kind: 'new-serverless', baseCapacity: 8 },
    database: 'glasshouse',
    subnetIds: [],
    securityGroupIds: [],
    dailyBudgetUsd: 10,
    bufferSeconds: 60,
  },
};

/** The lines of the error that a configuration makes, its title left out. */
function mistakesIn(raw: unknown): string[] {
  try {
    validateMirror(raw);
  } catch (thrown) {
    if (!(thrown instanceof GlasshouseError)) throw thrown;
    expect(thrown.code).toBe('config');
    return thrown.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

const withTable = (table: unknown) => ({ ...SMALLEST, tables: { orders: table } });

describe('validateMirror', () => {
  it('fills in every default', () => {
    expect(validateMirror(SMALLEST)).toEqual({
      name: 'shop',
      source: { kind: 'aws', region: null },
      tables: [{ name: 'orders', from: 'orders', key: null, ttl: null, columns: {}, maxColumns: 500, aws: null }],
      targets: { lakehouse: true, warehouse: null },
      freshness: { objectiveSeconds: 60 },
      aws: AWS_DEFAULTS,
    });
  });

  it('keeps what is written, key order included', () => {
    const config: MirrorConfig = defineMirror({
      name: 'shop',
      source: { endpoint: 'embedded', port: 9000, region: 'eu-west-1' },
      tables: {
        orders: {
          from: 'prod.Orders-v2',
          key: { customer_id: 'S', at: 'N' },
          ttl: 'expires_at',
          columns: { total: 'decimal(38,2)', at: 'timestamp' },
          maxColumns: 20,
        },
      },
      targets: { warehouse: { url: 'postgres://me:secret@db:5432/shop', schema: 'views' } },
      freshness: { objectiveSeconds: 5 },
    });
    expect(validateMirror(config)).toEqual({
      name: 'shop',
      source: { kind: 'embedded', port: 9000, region: 'eu-west-1' },
      tables: [
        {
          name: 'orders',
          from: 'prod.Orders-v2',
          key: [
            { attribute: 'customer_id', type: 'S' },
            { attribute: 'at', type: 'N' },
          ],
          ttl: 'expires_at',
          columns: { total: { kind: 'decimal', precision: 38, scale: 2 }, at: { kind: 'timestamp' } },
          maxColumns: 20,
          aws: null,
        },
      ],
      targets: { lakehouse: false, warehouse: { url: 'postgres://me:secret@db:5432/shop', schema: 'views' } },
      freshness: { objectiveSeconds: 5 },
      aws: { ...AWS_DEFAULTS, region: 'eu-west-1' },
    });
  });

  it.each([
    ['the embedded DynamoDB', { endpoint: 'embedded' }, { kind: 'embedded', port: 8000, region: 'us-east-1' }],
    ['a URL', { endpoint: 'http://localhost:4566' }, { kind: 'endpoint', url: 'http://localhost:4566', region: null }],
    ['AWS', { region: 'eu-central-1' }, { kind: 'aws', region: 'eu-central-1' }],
  ])('knows %s as a source', (_name, source, expected) => {
    expect(validateMirror({ ...SMALLEST, source }).source).toEqual(expected);
  });

  it('takes true and false for the warehouse', () => {
    const targets = (warehouse: boolean) =>
      validateMirror({ ...SMALLEST, targets: { lakehouse: true, warehouse } }).targets;
    expect(targets(true).warehouse).toEqual({ url: null, schema: 'public' });
    expect(targets(false).warehouse).toBeNull();
  });

  it.each([
    [null, "the configuration: null is no object; write defineMirror({ name: 'shop', tables: { … }, targets: { … } })"],
    [
      withTable(7),
      'tables.orders: 7 is no object; write {} or an object with any of from, key, ttl, columns, maxColumns, aws',
    ],
    [
      withTable({ from: 'a b' }),
      'tables.orders.from: "a b" is no name of a DynamoDB table: 3 to 255 letters, digits, "_", "-" and "."',
    ],
    [withTable({ key: { id: 'X' } }), 'tables.orders.key.id: "X" is no key type; use one of "S", "N", "B"'],
    [withTable({ key: {} }), 'tables.orders.key: {} must name one attribute (hash) or two (hash, then range)'],
    [withTable({ maxColumns: 0 }), 'tables.orders.maxColumns: 0 must be a whole number from 1 to 1500'],
    [
      withTable({ columns: { 'line items': 'number' } }),
      'tables.orders.columns["line items"]: "number" is no column type; did you mean "decimal(38,9)"? Otherwise use one of string, boolean, binary, json, long, double, timestamp, date, decimal(precision,scale) with a precision of at most 38',
    ],
    [
      withTable({ colums: {} }),
      'tables.orders.colums: {} is not a property that exists here; did you mean "columns"? The properties are from, key, ttl, columns, maxColumns, aws',
    ],
    [
      { ...SMALLEST, tables: { Orders: {} } },
      'tables.Orders: the name must be lower_snake: letters a to z, digits and single underscores, beginning with a letter, at most 40 long; put the DynamoDB name into its `from`',
    ],
    [{ ...SMALLEST, tables: { o: {} } }, 'tables.o: {} is too short for a DynamoDB table; say which one with `from`'],
    [{ ...SMALLEST, tables: {} }, "tables: {} names no table; write at least one, as { orders: { from: 'Orders' } }"],
    [{ ...SMALLEST, targets: {} }, 'targets: {} has no target; set lakehouse, warehouse, or both to true'],
    [
      { ...SMALLEST, source: { endpoint: 'http://x', port: 1 } },
      'source.port: 1 is only for the embedded DynamoDB; write the port into the URL of `endpoint`, or leave it out',
    ],
    [
      { ...SMALLEST, name: 'pg_shop' },
      'name: "pg_shop" must be lower_snake: letters a to z, digits and single underscores, beginning with a letter, at most 40 long, and not begin with pg_ (PostgreSQL keeps those names)',
    ],
    [
      { ...SMALLEST, freshness: { objectiveSeconds: 0 } },
      'freshness.objectiveSeconds: 0 must be a number of seconds from 1 to 86400',
    ],
  ])('names the path, the value and the remedy of %j', (raw, message) => {
    expect(mistakesIn(raw)).toEqual([message]);
  });

  it('says what is missing', () => {
    expect(mistakesIn({ name: 'shop' })).toEqual([
      "tables: is missing; write { orders: { from: 'Orders' } }",
      'targets: is missing; write { lakehouse: true, warehouse: true }',
    ]);
  });

  it('names every mistake at once', () => {
    const mistakes = mistakesIn({
      name: 'Shop',
      sorce: {},
      source: { endpoint: 'ftp://x', port: 99_999 },
      tables: { orders: { columns: { total: 'decimal(50,2)' } }, Items: {} },
      targets: {},
    });
    expect(mistakes.map((mistake) => mistake.split(':')[0]).sort()).toEqual([
      'name',
      'sorce',
      'source.endpoint',
      'source.port',
      'source.port',
      'tables.Items',
      'tables.orders.columns.total',
      'targets',
    ]);
  });

  it('never repeats the password of a URL', () => {
    const [mistake] = mistakesIn({ ...SMALLEST, targets: { warehouse: { url: 'mysql://me:hunter2@db/shop' } } });
    expect(mistake).toContain('"mysql://me:***@db/shop" is no PostgreSQL URL');
  });

  it('refuses parts that are right each for itself but not together', () => {
    const clash = {
      name: 'shop',
      tables: {
        orders: { from: 'Orders', maxColumns: 1, columns: { a: 'long', b: 'long' } },
        orders_live: { from: 'Orders' },
      },
      targets: { warehouse: { schema: 'shop_base' } },
    };
    expect(mistakesIn(clash)).toEqual([
      'tables.orders_live.from: "Orders" is mirrored by tables.orders already; remove one of the two',
      'tables.orders_live: the name "orders_live" also comes from tables.orders (Glasshouse adds __changes, _live, _history); rename one of the two',
      'targets.warehouse.schema: "shop_base" is where the mirror shop keeps its base tables; choose another schema for the views',
      'tables.orders.maxColumns: 1 is less than the 2 columns of the key and the declaration; raise it or declare fewer',
    ]);
  });
});

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Warehouse } from '../../../adapters/postgres/warehouse.ts';
import { openWarehouse } from '../../../adapters/postgres/warehouse.ts';
import { decodeRow } from '../../../core/decode-row.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { materialize } from '../../../core/merge.ts';
import { planCreate } from '../../../core/sql/plans/create-warehouse.ts';
import { planEnvelopeLoad } from '../../../core/sql/plans/envelope-load.ts';
import { loadQuery } from '../../../core/sql/plans/ledger.ts';
import { stagedLine } from '../../../core/sql/staged-line.ts';
import type { WarehouseTable } from '../../../core/sql/warehouse-table.ts';
import type { TargetRow } from '../../../flows/ports.ts';
import { temporaryServer } from '../../adapters/postgres/embedded-warehouse.ts';
import { changeOf, rowsOf } from '../../support/changes.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { ON_POSTGRES, PostgresStatements } from '../../support/postgres-statements.ts';

/** Every type that a column can have. */
const SCHEMA = schemaOf({
  note: { kind: 'string' },
  amount: { kind: 'decimal', precision: 38, scale: 9 },
  units: { kind: 'long' },
  ratio: { kind: 'double' },
  paid: { kind: 'boolean' },
  receipt: { kind: 'binary' },
  items: { kind: 'json' },
  placedAt: { kind: 'timestamp' },
  due: { kind: 'date' },
});

let server: Awaited<ReturnType<typeof temporaryServer>>;
let warehouse: Warehouse;
let statements: PostgresStatements;
let tables = 0;
let manifests = 0;

beforeAll(async () => {
  server = await temporaryServer();
  warehouse = await openWarehouse({ url: server.server.url, mirror: 'shop' });
  statements = await PostgresStatements.open(server.server.url);
});

afterAll(async () => {
  await statements.close();
  await warehouse.close();
  await server.end();
});

async function newTable(): Promise<WarehouseTable> {
  const table = { mirror: 'shop', table: `orders_${++tables}`, viewSchema: 'public' };
  expect(await statements.execute(planCreate(table, SCHEMA, ON_POSTGRES.dialect))).toMatchObject({ state: 'finished' });
  return table;
}

/** The statements of a load of these changes, staged. */
async function stage(
  parts: readonly { table: WarehouseTable; changes: readonly Envelope[] }[],
): Promise<readonly string[]> {
  const loads = [];
  for (const { table, changes } of parts) {
    const manifestUrl = `s3://staging/${++manifests}`;
    await statements.putLines(
      manifestUrl,
      changes.map((change) => stagedLine(change, SCHEMA)),
    );
    loads.push({ table, schema: SCHEMA, manifestUrl, mark: { sequence: manifests, snapshotId: manifests } });
  }
  return planEnvelopeLoad(loads, ON_POSTGRES).statements;
}

async function expectEqual(table: WarehouseTable, changes: readonly Envelope[]): Promise<void> {
  const held = await rowsOf(warehouse.target(table.table), SCHEMA);
  const expected = [...materialize(changes).values()]
    .sort((a, b) => (a.keyHash < b.keyHash ? -1 : 1))
    .map(({ keyHash, version, row }) => ({ keyHash, version, ...decodeRow(row ?? '{}', SCHEMA) }));
  expect(held.map(parsed)).toEqual(expected.map(parsed));
}

/** A row whose JSON is compared by what it says: a database writes it in its own way. */
function parsed(row: TargetRow): unknown {
  const isJson = SCHEMA.columns.map(({ type }) => type.kind === 'json');
  const cells = row.cells.map((cell, index) =>
    isJson[index] && typeof cell === 'string' ? (JSON.parse(cell) as unknown) : cell,
  );
  return { ...row, cells, rescued: JSON.parse(row.rescued ?? 'null') as unknown };
}

const image = fc.record(
  {
    note: fc.string({ maxLength: 8 }).map((text) => ({ S: text.replaceAll('\0', '') })),
    amount: fc.constantFrom('0', '1.5', '-12345678901234567890123456789.123456789', '0.000000001').map((N) => ({ N })),
    units: fc.constantFrom('0', '-9223372036854775808', '9007199254740993', '1.5').map((N) => ({ N })),
    ratio: fc.constantFrom('0.1', '1e100', '-2.5').map((N) => ({ N })),
    paid: fc.boolean().map((BOOL) => ({ BOOL })),
    receipt: fc.constantFrom('', 'AAECAw==', '/w==').map((B) => ({ B })),
    items: fc.constantFrom(
      { L: [] },
      { M: { a: { N: '1.50' }, b: { NULL: true } } },
      { SS: ['x', 'y'] },
      { S: 'plain' },
    ),
    placedAt: fc.constantFrom('2026-11-22T10:11:12.123456Z', '1969-12-31T23:59:59.999999Z').map((S) => ({ S })),
    due: fc.constantFrom('2026-11-22', '0001-01-01').map((S) => ({ S })),
    unheard: fc.constantFrom({ NULL: true }, { S: 'of' }),
  },
  { requiredKeys: [] },
);

/** One history of each of some keys: what happened, in the order of the stream. */
const histories = fc
  .array(fc.array(fc.option(image, { freq: 3 }), { minLength: 1, maxLength: 6 }), { minLength: 20, maxLength: 45 })
  .map((keys) =>
    keys.flatMap((steps, key) =>
      steps.map((step, index) =>
        changeOf({ id: `k${key}`, at: index * 100 + key + 1, ...(step === null ? {} : { image: step }) }, SCHEMA),
      ),
    ),
  );

const chances = fc.infiniteStream(fc.nat({ max: 999 }));

describe('the load of envelopes', () => {
  // Each run has 20 to 45 keys, whose histories know nothing of each other: thousands of histories in all.
  it('ends equal to the model, however the changes are shuffled, repeated, split, and the loads repeated or killed', async () => {
    let keys = 0;
    await fc.assert(
      fc.asyncProperty(histories, chances, fc.integer({ min: 1, max: 4 }), async (changes, chance, loadCount) => {
        const draw = (): number => Number(chance.next().value);
        keys += new Set(changes.map((change) => change.key)).size;
        const table = await newTable();
        const parts: Envelope[][] = Array.from({ length: loadCount }, () => []);
        const delivered = [...changes, ...changes.filter(() => draw() % 4 === 0)]
          .map((change) => ({ change, order: draw() }))
          .sort((a, b) => a.order - b.order);
        for (const { change } of delivered) parts[draw() % loadCount]?.push(change);
        for (const part of parts) {
          const plan = await stage([{ table, changes: part }]);
          // Dies between two statements, is done, and may be done again.
          await statements.execute(plan, draw() % plan.length);
          expect(await statements.execute(plan)).toMatchObject({ state: 'finished' });
          if (draw() % 3 === 0) await statements.execute(plan);
        }
        await expectEqual(table, changes);
      }),
      { numRuns: 70 },
    );
    expect(keys).toBeGreaterThan(2000);
  });

  it('of several tables is one transaction: all of them, or none', async () => {
    const changes = [changeOf({ id: 'a', at: 1, image: { note: { S: 'x' } } }, SCHEMA)];
    const [one, two] = [await newTable(), await newTable()];
    const plan = await stage([
      { table: one, changes },
      { table: two, changes },
    ]);
    for (let upTo = 0; upTo < plan.length; upTo++) await statements.execute(plan, upTo);
    await expectEqual(one, []);
    await statements.execute(plan);
    await expectEqual(one, changes);
    await expectEqual(two, changes);
  });

  it('goes one after the other where two are submitted side by side', async () => {
    for (let round = 0; round < 10; round++) {
      const table = await newTable();
      const older = Array.from({ length: 200 }, (_, key) => changeOf({ id: `k${key}`, at: 1, image: {} }, SCHEMA));
      const newer = older.map((_, key) => changeOf({ id: `k${key}`, at: 2 + (key % 3) }, SCHEMA));
      const plans = [await stage([{ table, changes: older }]), await stage([{ table, changes: newer }])];
      const ends = await Promise.all(plans.map((plan) => statements.execute(plan)));
      expect(ends.map(({ state }) => state)).toEqual(['finished', 'finished']);
      await expectEqual(table, [...older, ...newer]);
    }
  });

  it('says in the ledger what it did', async () => {
    const table = await newTable();
    const first = changeOf({ id: 'a', at: 5, image: {} }, SCHEMA);
    await statements.execute(await stage([{ table, changes: [first] }]));
    const older = changeOf({ id: 'a', at: 4 }, SCHEMA);
    const other = { ...changeOf({ id: 'b', at: 1, image: {} }, SCHEMA), committedAtMicros: 1_790_000_000_000_001 };
    await statements.execute(await stage([{ table, changes: [older, other, other] }]));
    expect(await statements.query(loadQuery('shop', manifests, ON_POSTGRES.dialect))).toEqual([
      [table.table, String(manifests), '3', '1', '1790000000000001'],
    ]);
  });

  it('of a line that cannot be read changes nothing', async () => {
    const table = await newTable();
    const plan = await stage([{ table, changes: [changeOf({ id: 'a', at: 1, image: {} }, SCHEMA)] }]);
    await statements.putLines(`s3://staging/${manifests}`, ['{"_key":']);
    expect(await statements.execute(plan)).toMatchObject({ state: 'failed', statement: 2 });
    await expectEqual(table, []);
  });
});

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Warehouse } from '../../../adapters/postgres/warehouse.ts';
import { openWarehouse } from '../../../adapters/postgres/warehouse.ts';
import type { Cell, ColumnType } from '../../../core/column.ts';
import { materialize } from '../../../core/merge.ts';
import { addColumns } from '../../../core/schema.ts';
import type { Target, TypedChange } from '../../../flows/ports.ts';
import { ask, temporaryServer } from './embedded-warehouse.ts';
import { COMMITTED_AT_MICROS, changeOf, rowsOf, schemaOf } from './typed-changes.ts';

const TEXT: ColumnType = { kind: 'string' };
const WORDS = schemaOf({ word: TEXT });
const mark = (sequence: number) => ({ sequence, snapshotId: 9_007_199_254_740_991 - sequence });

let postgres: Awaited<ReturnType<typeof temporaryServer>>;
let warehouse: Warehouse;
let tables = 0;

beforeAll(async () => {
  postgres = await temporaryServer();
  warehouse = await openWarehouse({ url: postgres.server.url, mirror: 'shop' });
});

afterAll(async () => {
  await warehouse.close();
  await postgres.end();
});

function freshTable(): { readonly name: string; readonly target: Target } {
  const name = `table_${++tables}`;
  return { name, target: warehouse.target(name) };
}

describe('the guarded merge', () => {
  it('depends on the set of changes, never on their order, repetition or batches', async () => {
    const history = fc.array(
      fc.record({ key: fc.integer({ min: 0, max: 5 }), isDelete: fc.boolean(), word: fc.string() }),
      { minLength: 1, maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 8 }),
        async (steps, chance, size) => {
          const changes = steps.map((step, index) =>
            changeOf(`k${step.key}`, index + 1, step.isDelete ? null : [step.word.replaceAll('\0', '')]),
          );
          const delivered = [...changes, ...changes.filter((_, index) => index % 3 === 0)]
            .map((change) => ({ change, order: Number(chance.next().value) }))
            .sort((a, b) => a.order - b.order)
            .map(({ change }) => change);
          const { target } = freshTable();
          for (let start = 0, sequence = 1; start < delivered.length; start += size, sequence++) {
            await target.apply(delivered.slice(start, start + size), WORDS, mark(sequence));
          }
          const expected = materialize(changes.map((one) => one.change));
          const held = await rowsOf(target, WORDS);
          expect(held.map((row) => [row.keyHash, row.version])).toEqual(
            [...expected.values()]
              .map((change) => [change.keyHash, change.version])
              .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
          );
          const cells = new Map(changes.map((one) => [one.change.version, one.row?.cells]));
          for (const row of held) expect(row.cells).toEqual(cells.get(row.version));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('remembers a delete, so that a late update does not bring the row back', async () => {
    const { name, target } = freshTable();
    await target.apply([changeOf('a', 5, null)], WORDS, mark(1));
    expect(await target.apply([changeOf('a', 4, ['late'])], WORDS, mark(2))).toEqual({ applied: 0, stale: 1 });
    expect(await rowsOf(target, WORDS)).toEqual([]);
    expect(await ask(postgres.server.url, `SELECT _deleted, word FROM shop_base.${name}`)).toEqual([['t', null]]);
  });

  it('a load that is repeated changes nothing', async () => {
    const { name, target } = freshTable();
    const batch = [changeOf('a', 1, ['x']), changeOf('b', 2, null), changeOf('c', 3, ['z'])];
    expect(await target.apply(batch, WORDS, mark(1))).toEqual({ applied: 3, stale: 0 });
    const before = await ask(postgres.server.url, `SELECT *, xmin FROM shop_base.${name} ORDER BY 1`);
    expect(await target.apply(batch, WORDS, mark(1))).toEqual({ applied: 0, stale: 3 });
    expect(await ask(postgres.server.url, `SELECT *, xmin FROM shop_base.${name} ORDER BY 1`)).toEqual(before);
  });

  it('takes the newest of each key even where a batch has several', async () => {
    const { target } = freshTable();
    const batch = [changeOf('a', 1, ['old']), changeOf('a', 3, ['new']), changeOf('a', 2, null)];
    expect(await target.apply(batch, WORDS, mark(1))).toEqual({ applied: 1, stale: 2 });
    expect((await rowsOf(target, WORDS)).map((row) => row.cells)).toEqual([['a', 'new']]);
  });
});

describe('the ledger', () => {
  it('has no mark before the first load, then that of the last, empty loads included', async () => {
    const { target } = freshTable();
    expect(await target.mark()).toBeNull();
    await target.apply([changeOf('a', 1, ['x'])], WORDS, mark(7));
    expect(await target.mark()).toEqual(mark(7));
    expect(await target.apply([], WORDS, mark(8))).toEqual({ applied: 0, stale: 0 });
    expect(await target.mark()).toEqual(mark(8));
  });

  it('keeps the newest thousand loads of a table', async () => {
    const { name, target } = freshTable();
    await target.apply([], WORDS, mark(1));
    await ask(
      postgres.server.url,
      `INSERT INTO shop_base._ledger SELECT '${name}', n, n, n, 0, 0, 0, now() FROM generate_series(2, 1500) n`,
    );
    await target.apply([], WORDS, mark(1501));
    expect(
      await ask(
        postgres.server.url,
        `SELECT count(*), min(load), max(sequence) FROM shop_base._ledger WHERE table_name = '${name}'`,
      ),
    ).toEqual([['1000', '502', '1501']]);
  });
});

describe('values', () => {
  const schema = schemaOf({
    text: TEXT,
    amount: { kind: 'decimal', precision: 38, scale: 9 },
    whole: { kind: 'decimal', precision: 38, scale: 0 },
    count: { kind: 'long' },
    ratio: { kind: 'double' },
    paid: { kind: 'boolean' },
    blob: { kind: 'binary' },
    doc: { kind: 'json' },
    at: { kind: 'timestamp' },
    day: { kind: 'date' },
    order: TEXT,
    select: { kind: 'json' },
  });

  it.each<readonly [string, readonly Cell[]]>([
    ['nothing', Array<Cell>(12).fill(null)],
    [
      'the greatest',
      [
        '\t\n\r\\N \\. "\u{1f600}\b\f\v',
        10n ** 38n - 1n,
        10n ** 38n - 1n,
        2n ** 63n - 1n,
        1.7976931348623157e308,
        true,
        Uint8Array.from({ length: 256 }, (_, byte) => byte),
        '{"a": [1, {"b": "\\\\ \\n \u00e9"}]}',
        253402300799999999n,
        2932896,
        'x',
        '[]',
      ],
    ],
    [
      'the least',
      [
        '',
        1n - 10n ** 38n,
        0n,
        -(2n ** 63n),
        -0,
        false,
        new Uint8Array(0),
        'null',
        -62135596800000000n,
        -719162,
        '\\',
        '"x"',
      ],
    ],
    ['small', ['a', 1n, -1n, 0n, 5e-324, true, Uint8Array.of(0), '0.1', -1n, -1, 'b', '-1']],
  ])('come back exactly: %s', async (_, cells) => {
    const { target } = freshTable();
    await target.apply([changeOf('k', 1, cells)], schema, mark(1));
    const [row] = await rowsOf(target, schema);
    expect(row?.cells.map((cell) => (cell instanceof Uint8Array ? [...cell] : cell))).toEqual(
      ['k', ...cells].map((cell) => (cell instanceof Uint8Array ? [...cell] : cell)),
    );
  });

  it('with a NUL are null and escaped in _rescued', async () => {
    const { target } = freshTable();
    const pair = schemaOf({ Note: TEXT, Doc: { kind: 'json' } });
    const rescued = '{"Odd":{"S":"x\\u0000"},"Fine":{"N":"1"}}';
    await target.apply([changeOf('k', 1, ['a\0b', '{"n":"\\u0000"}'], rescued)], pair, mark(1));
    const [row] = await rowsOf(target, pair);
    expect(row?.cells).toEqual(['k', null, null]);
    expect(JSON.parse(row?.rescued ?? 'null')).toEqual({
      Note: { escaped: '"a\\u0000b"' },
      Doc: { escaped: '{"n":"\\u0000"}' },
      Odd: { escaped: '{"S":"x\\u0000"}' },
      Fine: { N: '1' },
    });
  });

  it('are seen through the view, with the commit time to the microsecond and without tombstones', async () => {
    const { name, target } = freshTable();
    await target.apply([changeOf('a', 1, ['x']), changeOf('b', 2, null)], WORDS, mark(1));
    const result = await warehouse.query(`SELECT id, word, _committed_at, _rescued FROM ${name}`);
    expect(result).toEqual({
      columns: ['id', 'word', '_committed_at', '_rescued'],
      rows: [
        ['a', 'x', new Date(COMMITTED_AT_MICROS / 1000).toISOString().slice(0, 23).replace('T', ' ') + '456', null],
      ],
    });
  });
});

describe('a schema that grows', () => {
  it('adds columns before the load, and keeps views that users built on ours', async () => {
    const { name, target } = freshTable();
    await target.apply([changeOf('a', 1, ['x'])], WORDS, mark(1));
    await ask(postgres.server.url, `CREATE VIEW mine_${name} AS SELECT word FROM ${name}`);
    const wider = addColumns(WORDS, [{ attribute: 'total', type: { kind: 'decimal', precision: 38, scale: 9 } }], {
      maxColumns: 9,
    });
    expect((await rowsOf(target, wider)).map((row) => row.cells)).toEqual([['a', 'x', null]]);
    await target.apply([changeOf('b', 2, ['y', 1_500_000_000n])], wider, mark(2));
    const rows = await warehouse.query(`SELECT id, total FROM ${name} ORDER BY id`);
    expect(rows.rows).toEqual([
      ['a', null],
      ['b', '1.500000000'],
    ]);
    expect((await warehouse.query(`SELECT * FROM mine_${name} ORDER BY 1`)).rows).toEqual([['x'], ['y']]);
    // A loader that has not heard of the new column yet still loads.
    await warehouse.target(name).apply([changeOf('c', 3, ['z'])], WORDS, mark(3));
    expect(await rowsOf(target, wider)).toHaveLength(3);
  });

  it('is looked at again after somebody dropped the table', async () => {
    const { name, target } = freshTable();
    await target.apply([changeOf('a', 1, ['x'])], WORDS, mark(1));
    await ask(postgres.server.url, `DROP TABLE shop_base.${name} CASCADE`);
    await expect(target.apply([changeOf('b', 2, ['y'])], WORDS, mark(2))).rejects.toMatchObject({
      code: 'unavailable',
    });
    await target.apply([changeOf('b', 2, ['y'])], WORDS, mark(2));
    expect(await rowsOf(target, WORDS)).toHaveLength(1);
  });

  it('does not replace a table or view that is not ours', async () => {
    const { name, target } = freshTable();
    await ask(postgres.server.url, `CREATE VIEW public.${name} AS SELECT 1 AS mine`);
    await expect(target.apply([changeOf('a', 1, ['x'])], WORDS, mark(1))).rejects.toMatchObject({ code: 'config' });
    expect((await warehouse.query(`SELECT mine FROM ${name}`)).rows).toEqual([['1']]);
  });
});

describe('several at once', () => {
  it('two loaders of one table go one after the other', async () => {
    const { name, target } = freshTable();
    const other = await openWarehouse({ url: postgres.server.url, mirror: 'shop' });
    const batch = (from: number): TypedChange[] =>
      Array.from({ length: 200 }, (_, index) => changeOf(`k${index}`, from + index * 2, [`from ${from}`]));
    const results = await Promise.all([
      target.apply(batch(1), WORDS, mark(1)),
      other.target(name).apply(batch(2), WORDS, mark(2)),
    ]);
    await other.close();
    const rows = await rowsOf(target, WORDS);
    expect(rows).toHaveLength(200);
    expect(new Set(rows.map((row) => row.cells[1]))).toEqual(new Set(['from 2']));
    expect(results.map((result) => result.applied + result.stale)).toEqual([200, 200]);
    expect(
      await ask(postgres.server.url, `SELECT load FROM shop_base._ledger WHERE table_name = '${name}' ORDER BY 1`),
    ).toEqual([['1'], ['2']]);
  });

  it('a reader that stops early gives its connection back, and reads as of one moment', async () => {
    const { target } = freshTable();
    await target.apply(
      Array.from({ length: 12_000 }, (_, index) => changeOf(`k${index}`, index + 1, ['x'])),
      WORDS,
      mark(1),
    );
    for (let reader = 0; reader < 12; reader++)
      for await (const piece of target.rows(WORDS)) if (piece.length > 0) break;
    let seen = 0;
    for await (const piece of target.rows(WORDS)) {
      if (seen === 0) await target.apply([changeOf('late', 99_999, ['y'])], WORDS, mark(2));
      seen += piece.length;
    }
    expect(seen).toBe(12_000);
  });
});

describe('queries and sizes', () => {
  it('only read, one statement at a time', async () => {
    await expect(warehouse.query('CREATE TABLE x (a int)')).rejects.toMatchObject({ code: 'usage' });
    await expect(warehouse.query('COMMIT; CREATE TABLE x (a int)')).rejects.toMatchObject({ code: 'usage' });
    await expect(warehouse.query('SELECT * FROM orders__changes')).rejects.toThrow(/orders__changes.*lakehouse/);
  });

  it('a table that is not there has no size', async () => {
    expect(await warehouse.tableSize('nothing')).toBeNull();
    const { name, target } = freshTable();
    await target.apply([changeOf('a', 1, ['x']), changeOf('b', 2, null)], WORDS, mark(1));
    const size = await warehouse.tableSize(name);
    expect(size?.rows).toBe(1);
    expect(size?.bytes).toBeGreaterThan(8000);
  });
});

describe('a warehouse that cannot be opened', () => {
  it('says where, and never the password', async () => {
    const { port } = postgres.server;
    const wrong = `postgresql://glasshouse:se%40cret@127.0.0.1:${port}/glasshouse`;
    const refused = await openWarehouse({ url: wrong, mirror: 'shop' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'config' });
    expect(String(refused)).toContain(`127.0.0.1:${port}`);
    expect(String(refused)).not.toMatch(/se(@|%40)cret/);
    const nobodyThere = 'postgresql://u:secret@127.0.0.1:1/d';
    await expect(openWarehouse({ url: nobodyThere, mirror: 'shop' })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/127\.0\.0\.1:1/) as unknown,
    });
  });
});

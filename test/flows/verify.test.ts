import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryTarget } from '../../adapters/memory/target.ts';
import type { TypedRow } from '../../core/change.ts';
import type { Cell } from '../../core/column.ts';
import { keyHashOf } from '../../core/key.ts';
import type { Target, TargetRow } from '../../flows/ports.ts';
import type { Comparison, ReadSource, SourceRow } from '../../flows/verify.ts';
import { MOST_SHOWN, compareTarget, digestSource, unshaped } from '../../flows/verify.ts';
import type { Happening } from '../support/changes.ts';
import { changeOf, rowsOf, typedChange } from '../support/changes.ts';
import { schemaOf } from '../support/dynamodb.ts';

const SCHEMA = schemaOf({
  word: { kind: 'string' },
  total: { kind: 'decimal', precision: 38, scale: 9 },
  tree: { kind: 'json' },
  raw: { kind: 'binary' },
  when: { kind: 'timestamp' },
});

function order(n: number, change: Readonly<Record<string, unknown>> = {}): Happening {
  return {
    id: `k${n}`,
    at: n,
    image: {
      word: { S: `word ${n}` },
      total: { N: `${n}.000000001` },
      tree: { M: { b: { N: '1' }, a: { S: `${n}` } } },
      raw: { B: 'AP8=' },
      when: { S: '2026-11-22T19:50:03.123456Z' },
      extra: { S: `rescued ${n}` },
      ...change,
    },
  };
}

const ORDERS = [1, 2, 3, 4, 5].map((n) => order(n));

/** The source's rows, in pages of two. */
function sourceOf(happenings: readonly Happening[]): ReadSource {
  const rows = happenings.map((happening): SourceRow => {
    const { change, row } = typedChange(changeOf(happening, SCHEMA), SCHEMA);
    if (row === null) throw new Error('A source has no deletes.');
    return { keyHash: change.keyHash, key: change.key, row };
  });
  return async function* () {
    await Promise.resolve();
    for (let from = 0; from < rows.length; from += 2) yield rows.slice(from, from + 2);
  };
}

async function targetOf(happenings: readonly Happening[]): Promise<Target> {
  const target = createMemoryTarget();
  const changes = happenings.map((happening) => typedChange(changeOf(happening, SCHEMA), SCHEMA));
  await target.apply(changes, SCHEMA, { sequence: 1, snapshotId: 1 });
  return target;
}

/** The target with its rows as a function makes them. */
function withRows(target: Target, change: (rows: readonly TargetRow[]) => readonly TargetRow[]): Target {
  return {
    ...target,
    rows: async function* (schema) {
      yield change(await rowsOf(target, schema));
    },
  };
}

async function compare(source: ReadSource, target: Target, shape = unshaped): Promise<Comparison> {
  return compareTarget(target, { digest: await digestSource(source, SCHEMA), read: source }, SCHEMA, shape);
}

function hashOf(n: number): string {
  return keyHashOf(`["k${n}"]`);
}

it('a target that has the source’s rows is equal to it, in any order', async () => {
  const target = await targetOf([...ORDERS].reverse());
  expect(await compare(sourceOf(ORDERS), target)).toEqual({ sourceRows: 5, targetRows: 5, differences: 0, shown: [] });
  expect(await compare(sourceOf([]), createMemoryTarget())).toEqual({
    sourceRows: 0,
    targetRows: 0,
    differences: 0,
    shown: [],
  });
});

it('a version is no difference, and JSON in another order is none', async () => {
  const target = withRows(await targetOf(ORDERS), (rows) =>
    rows.map((row) => ({
      ...row,
      version: row.version,
      cells: row.cells.map((cell, index) => (index === 3 ? reordered(cell) : cell)),
    })),
  );
  expect((await compare(sourceOf(ORDERS), target)).differences).toBe(0);
});

function reordered(cell: Cell): Cell {
  const parsed = JSON.parse(String(cell)) as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(Object.entries(parsed).reverse()), null, 2);
}

describe('what differs is found and named', () => {
  it.each([
    ['a text', { word: { S: 'word 3 ' } }, 'word', 'word 3', 'word 3 '],
    ['a text that is empty rather than absent', { word: { S: '' } }, 'word', 'word 3', ''],
    ['a null', { word: { NULL: true } }, 'word', 'word 3', 'null'],
    ['the last digit of a number', { total: { N: '3.000000002' } }, 'total', '3.000000001', '3.000000002'],
    [
      'a number within JSON',
      { tree: { M: { b: { N: '2' }, a: { S: '3' } } } },
      'tree',
      '{"a":"3","b":1}',
      '{"a":"3","b":2}',
    ],
    ['a byte', { raw: { B: 'AP4=' } }, 'raw', 'AP8=', 'AP4='],
    [
      'a microsecond',
      { when: { S: '2026-11-22T19:50:03.123457Z' } },
      'when',
      '2026-11-22 19:50:03.123456',
      '2026-11-22 19:50:03.123457',
    ],
    [
      'what was rescued',
      { extra: { S: 'other' } },
      '_rescued',
      '{"extra":{"S":"rescued 3"}}',
      '{"extra":{"S":"other"}}',
    ],
  ])('%s', async (_, change, column, source, target) => {
    const held = await targetOf(ORDERS.map((one) => (one.at === 3 ? order(3, change) : one)));
    const { differences, shown } = await compare(sourceOf(ORDERS), held);
    expect(differences).toBe(1);
    expect(shown).toEqual([
      { kind: 'different', keyHash: hashOf(3), key: '["k3"]', columns: [{ column, source, target }] },
    ]);
  });

  it('a row that is missing', async () => {
    const { targetRows, differences, shown } = await compare(sourceOf(ORDERS), await targetOf(ORDERS.slice(1)));
    expect([targetRows, differences]).toEqual([4, 1]);
    expect(shown).toEqual([{ kind: 'missing', keyHash: hashOf(1), key: '["k1"]', columns: [] }]);
  });

  it('a row too many, such as one that a late update has brought back', async () => {
    const { targetRows, differences, shown } = await compare(sourceOf(ORDERS.slice(1)), await targetOf(ORDERS));
    expect([targetRows, differences]).toEqual([5, 1]);
    expect(shown).toEqual([{ kind: 'extra', keyHash: hashOf(1), key: '["k1"]', columns: [] }]);
  });

  it('a stale row, with every column that has changed since', async () => {
    const newer = order(3, { word: { S: 'newer' }, total: { N: '4' } });
    const { shown } = await compare(
      sourceOf(ORDERS.map((one) => (one.at === 3 ? newer : one))),
      await targetOf(ORDERS),
    );
    expect(shown[0]?.columns.map(({ column }) => column)).toEqual(['word', 'total']);
  });

  it.each([
    ['beside it', (rows: readonly TargetRow[]) => rows.flatMap((row) => [row, row])],
    ['at the end', (rows: readonly TargetRow[]) => [...rows, ...rows]],
  ])('a row that is there twice, %s', async (_, change) => {
    const target = withRows(await targetOf(ORDERS.slice(0, 1)), change);
    const { targetRows, differences, shown } = await compare(sourceOf(ORDERS.slice(0, 1)), target);
    expect([targetRows, differences]).toEqual([2, 1]);
    expect(shown).toEqual([{ kind: 'repeated', keyHash: hashOf(1), key: '["k1"]', columns: [] }]);
  });

  it('a row that is there twice and wrong the second time', async () => {
    const target = withRows(await targetOf(ORDERS), (rows) => [
      ...rows,
      ...rows.slice(0, 1).map((row) => ({ ...row, cells: row.cells.map(() => null) })),
    ]);
    const { differences, shown } = await compare(sourceOf(ORDERS), target);
    expect(differences).toBe(1);
    expect(shown[0]?.kind).toBe('repeated');
  });

  it('all at once, each once', async () => {
    const source = sourceOf([1, 2, 3, 4, 5, 6].map((n) => order(n)));
    const held = await targetOf([order(2), order(3, { word: { S: 'x' } }), order(4), order(5), order(7)]);
    const { differences, shown } = await compare(source, held);
    expect(differences).toBe(4);
    expect(shown.map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual([
      'different ["k3"]',
      'extra ["k7"]',
      'missing ["k1"]',
      'missing ["k6"]',
    ]);
  });
});

it('of very many differences all are counted, and the first are shown', async () => {
  const many = Array.from({ length: MOST_SHOWN * 2 }, (_, n) => order(n + 1));
  const { differences, shown } = await compare(sourceOf(many), await targetOf(many.map(({ at }) => order(at + 1000))));
  expect(differences).toBe(many.length * 2);
  expect(shown).toHaveLength(MOST_SHOWN);
});

it('a target whose engine cannot hold a value is compared with what it makes of it', async () => {
  const source = sourceOf([order(1, { word: { S: 'a\0b' } })]);
  const held = await targetOf([order(1, { word: { NULL: true } })]);
  const shape = (row: TypedRow): TypedRow => ({
    ...row,
    cells: row.cells.map((cell) => (typeof cell === 'string' && cell.includes('\0') ? null : cell)),
  });
  expect((await compare(source, held)).differences).toBe(1);
  expect((await compare(source, held, shape)).differences).toBe(0);
});

describe('the digest of a source', () => {
  it('depends on its rows, not on their order or pages', async () => {
    const one = await digestSource(sourceOf(ORDERS), SCHEMA);
    const other = await digestSource(sourceOf([...ORDERS].reverse()), SCHEMA);
    expect(other.checksum).toBe(one.checksum);
    expect(one.checksum).toMatch(/^[0-9a-f]{32}$/);
    expect(new Map([...other.rows].sort())).toEqual(new Map([...one.rows].sort()));
  });

  it('differs where a value does', async () => {
    const anyWords = fc.tuple(fc.string(), fc.string());
    await fc.assert(
      fc.asyncProperty(anyWords, async ([a, b]) => {
        const digests = await Promise.all(
          [a, b].map((S) => digestSource(sourceOf([order(1, { word: { S } })]), SCHEMA)),
        );
        expect(digests[0]?.checksum === digests[1]?.checksum).toBe(a === b);
      }),
      { numRuns: 50 },
    );
  });
});

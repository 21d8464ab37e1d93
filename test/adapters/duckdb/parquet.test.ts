import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cell } from '../../../adapters/duckdb/column-vectors.ts';
import { type Duck, openDuck } from '../../../adapters/duckdb/connection.ts';
import { boundValue } from '../../../adapters/duckdb/parquet-statistics.ts';
import { stageRows, writeParquet } from '../../../adapters/duckdb/parquet.ts';
import { FILE_COLUMN, POSITION_COLUMN, scanRows } from '../../../adapters/duckdb/read.ts';
import { serializeValue } from '../../../core/iceberg/bounds.ts';
import type { DataFile } from '../../../core/iceberg/data-file.ts';
import type { IcebergField, IcebergType } from '../../../core/iceberg/fields.ts';
import { temporaryFolder } from '../iceberg/temporary-folder.ts';

const folder = temporaryFolder();
let duck: Duck;
let files = 0;
const newPath = () => join(folder, `${files++}.parquet`);

beforeAll(async () => {
  duck = await openDuck({ threads: 2 });
});
afterAll(() => duck.close());

const TYPES: readonly IcebergType[] = [
  'string',
  'long',
  'int',
  'double',
  'boolean',
  'binary',
  'timestamp',
  'date',
  'decimal(4,2)',
  'decimal(9,3)',
  'decimal(18,4)',
  'decimal(38,9)',
];
const FIELDS: readonly IcebergField[] = TYPES.map((type, index) => ({
  id: index + 1,
  name: `c "${type}"`,
  type,
  required: false,
}));

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const decimal = (precision: number) =>
  fc.bigInt({ min: -(10n ** BigInt(precision)) + 1n, max: 10n ** BigInt(precision) - 1n });
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ maxLength: 13 }),
  fc.constantFrom(
    '',
    '\0',
    'a\0b',
    'x'.repeat(12),
    'x'.repeat(13),
    '\u{1f600}',
    'é'.repeat(6),
    'é'.repeat(7),
    'y'.repeat(5000),
  ),
);
const CELLS: readonly fc.Arbitrary<Cell>[] = [
  text,
  int64,
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 20 }),
  // From the year 1 to 9999: what every reader of timestamps takes.
  fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
  fc.integer({ min: -719_162, max: 2_932_896 }),
  decimal(4),
  decimal(9),
  decimal(18),
  decimal(38),
];

function columnsOf(rows: readonly (readonly Cell[])[]): Cell[][] {
  return FIELDS.map((_, column) => rows.map((row) => row[column] ?? null));
}

async function readBack(file: DataFile, fields = FIELDS): Promise<Cell[][]> {
  const columns: Cell[][] = fields.map(() => []);
  const data = [{ ...file, dataSequenceNumber: 1, fileSequenceNumber: 1, snapshotId: 1 }];
  const select = fields.map((field) => `"${field.name.replaceAll('"', '""')}"`);
  for await (const chunk of scanRows(duck, { fields, files: { data, deletes: [] }, select })) {
    for (const [index, values] of chunk.columns.entries()) columns[index]?.push(...values);
  }
  return columns;
}

describe('a Parquet file', () => {
  it('gives back every value of every type exactly, nulls among them', async () => {
    const row = fc.tuple(...CELLS.map((cell) => fc.option(cell, { freq: 4 })));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (rows) => {
        const columns = columnsOf(rows);
        const file = await writeParquet(duck, FIELDS, [columns], newPath());
        expect(file.recordCount).toBe(rows.length);
        expect(await readBack(file)).toEqual(columns);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps text apart that would join into another character, and replaces a lone surrogate', async () => {
    const field = [{ id: 1, name: 's', type: 'string', required: true }] as const;
    const file = await writeParquet(duck, field, [[['a\ud83d', '\ude00b', 'plain and longer than twelve']]], newPath());
    expect(await readBack(file, [...field])).toEqual([['a\ufffd', '\ufffdb', 'plain and longer than twelve']]);
  });

  it('keeps text that is too long to be joined', async () => {
    const field = [{ id: 1, name: 's', type: 'string', required: true }] as const;
    const long = ['ab'.repeat(1_200_000), 'ü'.repeat(1_200_000), 'c'.repeat(1_200_000)];
    const file = await writeParquet(duck, field, [[long]], newPath());
    expect(await readBack(file, [...field])).toEqual([long]);
  });

  it('takes numbers for integers, decimals and timestamps, and typed arrays', async () => {
    const fields: IcebergField[] = (['long', 'timestamp', 'decimal(20,2)', 'double', 'int'] as const).map(
      (type, index) => ({
        id: index + 1,
        name: `n${index}`,
        type,
        required: true,
      }),
    );
    const safe = [-Number.MAX_SAFE_INTEGER, -1, 0, 1, Number.MAX_SAFE_INTEGER];
    const columns = [safe, safe, safe, Float64Array.of(1.5, -0.5, 0, 1e300, 2), Int32Array.of(1, -2, 3, -4, 5)];
    const file = await writeParquet(duck, fields, [columns], newPath());
    const big = safe.map(BigInt);
    expect(await readBack(file, fields)).toEqual([big, big, big, [1.5, -0.5, 0, 1e300, 2], [1, -2, 3, -4, 5]]);
  });

  it('has its rows in the order given, over many row groups and two threads', async () => {
    const fields: IcebergField[] = [
      { id: 1, name: 'n', type: 'long', required: true },
      { id: 2, name: 's', type: 'string', required: true },
    ];
    const rows = 320_000;
    function* chunks() {
      for (let from = 0; from < rows; from += 5000) {
        const numbers = Array.from({ length: 5000 }, (_, index) => from + index);
        yield [numbers, numbers.map((number) => `row number ${number}`)];
      }
    }
    const file = await writeParquet(duck, fields, chunks(), newPath());
    expect(file.recordCount).toBe(rows);
    const data = [{ ...file, dataSequenceNumber: 1, fileSequenceNumber: 1, snapshotId: 1 }];
    let seen = 0;
    let astray = 0;
    const select = ['n', 's', `${POSITION_COLUMN}::DOUBLE`];
    for await (const { columns } of scanRows(duck, { fields, files: { data, deletes: [] }, select })) {
      for (const [index, position] of columns[2]?.entries() ?? []) {
        seen++;
        if (
          columns[0]?.[index] !== BigInt(Number(position)) ||
          columns[1]?.[index] !== `row number ${Number(position)}`
        )
          astray++;
      }
    }
    expect({ seen, astray }).toEqual({ seen: rows, astray: 0 });
  });

  it('knows its counts, nulls and bounds', async () => {
    const fields: IcebergField[] = [
      { id: 7, name: 's', type: 'string', required: true },
      { id: 8, name: 'd', type: 'decimal(38,9)', required: false },
      { id: 9, name: 't', type: 'timestamp', required: false },
      { id: 10, name: 'b', type: 'binary', required: false },
      { id: 11, name: 'none', type: 'long', required: false },
      { id: 12, name: 'r', type: 'double', required: false },
      { id: 13, name: 'day', type: 'date', required: false },
    ];
    const rows = [
      [`b, {"a": 'x=y'}`, 'a'.repeat(20), 'z'.repeat(20)],
      [-1_500_000_000n, null, 10n ** 37n],
      [1_700_000_000_123_456n, -1n, null],
      [Uint8Array.of(0xff, 0x00), Uint8Array.of(0x5c, 0x78), Uint8Array.of()],
      [null, null, null],
      [-1.5, Number.NaN, 2],
      [-1, 20_000, null],
    ];
    const file = await writeParquet(duck, fields, [rows], newPath());
    expect(Object.fromEntries(file.nullCounts)).toEqual({ 7: 0, 8: 1, 9: 1, 10: 0, 11: 3, 12: 0, 13: 1 });
    expect([...file.valueCounts.values()]).toEqual(fields.map(() => 3));
    const low = (id: number) => file.lowerBounds.get(id);
    const high = (id: number) => file.upperBounds.get(id);
    expect([low(7), high(7)]).toEqual(
      [Buffer.from('a'.repeat(16)), Buffer.from(`${'z'.repeat(15)}{`)].map((b) => new Uint8Array(b)),
    );
    expect([low(8), high(8)]).toEqual([
      serializeValue('decimal(38,9)', -1_500_000_000n),
      serializeValue('decimal(38,9)', 10n ** 37n),
    ]);
    expect([low(9), high(9)]).toEqual([
      serializeValue('timestamp', -1n),
      serializeValue('timestamp', 1_700_000_000_123_456n),
    ]);
    expect([low(10), high(10)]).toEqual([Uint8Array.of(), Uint8Array.of(0xff, 0x00)]);
    expect([low(11), high(11)]).toEqual([undefined, undefined]);
    expect([low(12), high(12)]).toEqual([undefined, undefined]);
    expect([low(13), high(13)]).toEqual([serializeValue('date', -1), serializeValue('date', 20_000)]);
  });

  it('has bounds around every one of its values', async () => {
    const row = fc.tuple(...CELLS.map((cell) => fc.option(cell, { freq: 4 })));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 10 }), async (rows) => {
        const file = await writeParquet(duck, FIELDS, [columnsOf(rows)], newPath());
        for (const [index, type] of TYPES.entries()) {
          if (type !== 'string' && type !== 'binary') continue;
          for (const value of rows.map((one) => one[index] ?? null)) {
            if (typeof value !== 'string' && !(value instanceof Uint8Array)) continue;
            const low = file.lowerBounds.get(index + 1);
            const high = file.upperBounds.get(index + 1);
            if (low !== undefined) expect(Buffer.compare(low, Buffer.from(value))).toBeLessThanOrEqual(0);
            if (high !== undefined) expect(Buffer.compare(Buffer.from(value), high)).toBeLessThanOrEqual(0);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('refuses a value that its column cannot hold', async () => {
    const write = (type: IcebergType, value: Cell, required = false) =>
      writeParquet(duck, [{ id: 1, name: 'x', type, required }], [[[value]]], newPath());
    await expect(write('long', 2n ** 63n)).rejects.toThrow(/"x" \(long\)/);
    await expect(write('int', 2 ** 31)).rejects.toThrow(/"x" \(int\)/);
    await expect(write('long', 1.5)).rejects.toThrow(/"x"/);
    await expect(write('decimal(4,2)', 10_000n)).rejects.toThrow(/"x"/);
    await expect(write('string', 1)).rejects.toThrow(/"x"/);
    await expect(write('boolean', 1)).rejects.toThrow(/"x"/);
    await expect(write('binary', 'text')).rejects.toThrow(/"x"/);
    await expect(write('double', '1')).rejects.toThrow(/"x"/);
    await expect(write('string', null, true)).rejects.toThrow(/no value/);
  });

  it('that cannot be written is an error that names it, and leaves nothing behind', async () => {
    const field: IcebergField[] = [{ id: 1, name: 'x', type: 'long', required: false }];
    const path = join(folder, 'no-such-folder', 'x.parquet');
    await expect(writeParquet(duck, field, [[[1]]], path)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(writeParquet(duck, field, [[[1]]], path)).rejects.toThrow(path);
    expect(existsSync(path)).toBe(false);
  });
});

describe('staged rows', () => {
  it('go to a file for each partition, in their order, copied once', async () => {
    const fields: IcebergField[] = [
      { id: 1, name: '_op', type: 'string', required: false },
      { id: 2, name: '_captured_at', type: 'timestamp', required: true },
      { id: 3, name: 'n', type: 'int', required: true },
    ];
    const parts = [
      { sourceId: 1, transform: 'identity', name: '_op' },
      { sourceId: 2, transform: 'day', name: '_captured_at_day' },
    ] as const;
    const stage = await stageRows(duck, fields);
    const day = 86_400_000_000;
    stage.append([
      ['insert', 'delete', "it's", null, 'insert', 'insert'],
      [0, 0, -1, day, day, day - 1],
      [1, 2, 3, 4, 5, 6],
    ]);
    expect(stage.rowCount).toBe(6);
    const before = readdirSync(folder).length;
    const written = await stage.writePartitions(parts, newPath);
    stage.drop();
    expect(readdirSync(folder).length - before).toBe(5);
    const rows = await Promise.all(
      written.map(async (file) => [
        file.partition._op,
        file.partition._captured_at_day,
        (await readBack(file, fields))[2],
      ]),
    );
    expect(rows).toEqual(
      expect.arrayContaining([
        ['insert', 0, [1, 6]],
        ['insert', 1, [5]],
        ['delete', 0, [2]],
        ["it's", -1, [3]],
        [null, 1, [4]],
      ]),
    );
  });
});

describe('statistics as text', () => {
  it('that cannot be read for certain give no bound', () => {
    expect(boundValue('timestamp', '290309-12-22 (BC) 00:00:00')).toBeUndefined();
    expect(boundValue('timestamp', 'infinity')).toBeUndefined();
    expect(boundValue('double', 'inf')).toBeUndefined();
    expect(boundValue('long', '1e5')).toBeUndefined();
    expect(boundValue('timestamp', '0001-01-01 00:00:00')).toBe(-62_135_596_800_000_000n);
    expect(boundValue('decimal(9,3)', '-0.001')).toBe(-1n);
  });
});

describe('a scan', () => {
  it('has the file and the position of each row', async () => {
    const fields: IcebergField[] = [{ id: 1, name: 'filename', type: 'int', required: true }];
    const one = await writeParquet(duck, fields, [[[10, 11]]], newPath());
    const two = await writeParquet(duck, fields, [[[20, 21]]], newPath());
    const data = [one, two].map((file) => ({ ...file, dataSequenceNumber: 1, fileSequenceNumber: 1, snapshotId: 1 }));
    const select = ['filename', `${FILE_COLUMN}::INTEGER`, `${POSITION_COLUMN}::INTEGER`];
    const seen: Cell[][] = [];
    const scan = scanRows(duck, { fields, files: { data, deletes: [] }, select, clauses: 'ORDER BY 1 DESC' });
    for await (const { columns, rowCount } of scan) {
      for (let row = 0; row < rowCount; row++) seen.push(columns.map((column) => column[row] ?? null));
    }
    expect(seen).toEqual([
      [21, 1, 1],
      [20, 1, 0],
      [11, 0, 1],
      [10, 0, 0],
    ]);
  });
});

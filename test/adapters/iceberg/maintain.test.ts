import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Duck, openDuck } from '../../../adapters/duckdb/connection.ts';
import { writeParquet } from '../../../adapters/duckdb/parquet.ts';
import { writePositionDeletes } from '../../../adapters/duckdb/position-deletes.ts';
import { scanRows } from '../../../adapters/duckdb/read.ts';
import { fileRewriter } from '../../../adapters/duckdb/rewrite.ts';
import { type FileRewriter, compactTable } from '../../../adapters/iceberg/compact.ts';
import { expireSnapshots } from '../../../adapters/iceberg/expire.ts';
import { removeOrphans } from '../../../adapters/iceberg/remove-orphans.ts';
import { type IcebergTable, newDataPath, openOrCreateTable, openTable } from '../../../adapters/iceberg/table.ts';
import type { IcebergField } from '../../../core/iceberg/fields.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const FIELDS: readonly IcebergField[] = [{ id: 1, name: 'n', type: 'long', required: true }];
let duck: Duck;
let rewriter: FileRewriter;
let tables = 0;

beforeAll(async () => {
  duck = await openDuck();
  rewriter = fileRewriter(duck);
});
afterAll(() => duck.close());

async function append(table: IcebergTable, ...numbers: number[]): Promise<string> {
  const path = newDataPath(table.location);
  const file = await writeParquet(duck, FIELDS, [[numbers]], path);
  const summary = { 'glasshouse.watermark': String(numbers[0]) };
  await table.commit({ operation: 'append', dataFiles: [file], deleteFiles: [], summary });
  return path;
}

async function erase(table: IcebergTable, path: string, ...positions: number[]): Promise<void> {
  const file = await writePositionDeletes(duck, new Map([[path, positions]]), newDataPath(table.location, 'deletes'));
  await table.commit({ operation: 'delete', dataFiles: [], deleteFiles: [file], summary: {} });
}

/** A table of the numbers 0 to 17 in six files, less 1, 4 and 17. */
async function newTable(): Promise<{ table: IcebergTable; paths: string[] }> {
  const table = await openOrCreateTable(join(folder, `t${tables++}`), { fields: FIELDS });
  const paths: string[] = [];
  for (let from = 0; from < 18; from += 3) paths.push(await append(table, from, from + 1, from + 2));
  await erase(table, paths[0] ?? '', 1);
  await erase(table, paths[1] ?? '', 1);
  await erase(table, paths[5] ?? '', 2);
  return { table, paths };
}
const LEFT = [0, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

async function numbersIn(table: IcebergTable): Promise<number[]> {
  const view = await table.load();
  const numbers: number[] = [];
  for await (const { columns } of scanRows(duck, { fields: view.fields, files: await view.files(), select: ['n'] })) {
    numbers.push(...(columns[0] ?? []).map(Number));
  }
  return numbers.sort((a, b) => a - b);
}

/** A rewriter that lets `meanwhile` happen before its first file, as another writer would. */
function rewriterWith(meanwhile: () => Promise<void>): FileRewriter {
  let due = true;
  return {
    ...rewriter,
    async rewriteData(rows, target) {
      if (due) await meanwhile();
      due = false;
      return rewriter.rewriteData(rows, target);
    },
  };
}

const dataFilesOf = async (table: IcebergTable) => (await (await table.load()).files()).data.length;
const onDisk = (table: IcebergTable) => readdir(join(table.location, 'data'));

describe('compaction', () => {
  it('leaves the rows as they are, in one file without deletes, and keeps our own properties', async () => {
    const { table } = await newTable();
    await append(table, 18);
    expect(await compactTable(table, rewriter)).toEqual({
      outcome: 'compacted',
      rewrittenFiles: 7,
      writtenFiles: 1,
      removedDeleteFiles: 3,
    });
    expect(await numbersIn(table)).toEqual([...LEFT, 18]);
    const { snapshot } = await table.load();
    expect(snapshot?.summary).toMatchObject({
      operation: 'replace',
      'glasshouse.watermark': '18',
      'total-records': '16',
      'total-data-files': '1',
      'total-delete-files': '0',
      'total-position-deletes': '0',
    });
    expect((await compactTable(table, rewriter)).outcome).toBe('nothing');
  });

  it('rewrites worn files only, and keeps the deletes of the others', async () => {
    const { table, paths } = await newTable();
    await erase(table, paths[0] ?? '', 0, 2);
    const limits = { minSmallFiles: 100, maxDeletedShare: 0.5 };
    const report = await compactTable(table, rewriter, limits);
    // The worn file has no row left, so no data file is written for it.
    expect(report).toMatchObject({ rewrittenFiles: 1, writtenFiles: 1, removedDeleteFiles: 4 });
    expect(await numbersIn(table)).toEqual(LEFT.slice(2));
    expect((await (await table.load()).files()).deletes).toHaveLength(1);
  });

  it('stands beside commits that leave its files alone', async () => {
    const { table, paths } = await newTable();
    const other = await openTable(table.location);
    const last = await append(table, 100, 101);
    const limits = { upToSequence: 6 };
    const meanwhile = async () => {
      await append(other, 200);
      await erase(other, last, 0);
    };
    expect((await compactTable(table, rewriterWith(meanwhile), limits)).outcome).toBe('compacted');
    expect(await numbersIn(other)).toEqual([...LEFT, 101, 200]);
    expect(paths).toHaveLength(6);
  });

  it('is planned anew when a row of its files is deleted meanwhile', async () => {
    const { table, paths } = await newTable();
    const other = await openTable(table.location);
    const report = await compactTable(
      table,
      rewriterWith(() => erase(other, paths[2] ?? '', 0)),
    );
    expect(report.outcome).toBe('compacted');
    expect(await numbersIn(other)).toEqual(LEFT.filter((number) => number !== 6));
    expect(await dataFilesOf(other)).toBe(1);
  });

  it('gives up, changes nothing and leaves nothing behind when it is never let through', async () => {
    const { table, paths } = await newTable();
    const other = await openTable(table.location);
    let position = 0;
    const busy: FileRewriter = {
      ...rewriter,
      async rewriteData(rows, target) {
        await erase(other, paths[2] ?? '', position++);
        return rewriter.rewriteData(rows, target);
      },
    };
    const before = await onDisk(table);
    expect((await compactTable(table, busy)).outcome).toBe('conflict');
    expect(await numbersIn(table)).toEqual(LEFT.filter((number) => number < 6 || number > 8));
    expect((await onDisk(table)).length).toBe(before.length + 3);
  });

  it('that cannot write fails, and the table is as it was', async () => {
    const { table } = await newTable();
    const { version } = await table.load();
    const failing: FileRewriter = { ...rewriter, mergeDeletes: () => Promise.reject(new Error('no space')) };
    const before = await onDisk(table);
    await expect(compactTable(table, failing)).rejects.toThrow('no space');
    expect((await table.load()).version).toBe(version);
    expect(await onDisk(table)).toEqual(before);
  });
});

describe('expiry', () => {
  it('removes the files that only expired snapshots named, and no other', async () => {
    const { table } = await newTable();
    const other = await openTable(table.location);
    await compactTable(table, rewriter);
    await append(other, 50);
    const report = await expireSnapshots(table, { keep: 2 });
    expect(report.expiredSnapshots).toBe(9);
    expect(await onDisk(table)).toHaveLength(2);
    expect(await numbersIn(other)).toEqual([...LEFT, 50]);
    expect((await table.load()).metadata.snapshots).toHaveLength(2);
    await append(other, 51);
    expect(await numbersIn(table)).toEqual([...LEFT, 50, 51]);
  });

  it('keeps what is still to be read, though it was compacted', async () => {
    const { table } = await newTable();
    const since = (await table.load()).snapshot?.['snapshot-id'] ?? 0;
    for (const number of [60, 61, 62]) await append(table, number);
    await compactTable(table, rewriter);
    await expireSnapshots(table, { keep: 1, from: since });
    const view = await table.load();
    const data = [...(await view.addedSince(since))];
    const found: number[] = [];
    for await (const { columns } of scanRows(duck, {
      fields: view.fields,
      files: { data, deletes: [] },
      select: ['n'],
    })) {
      found.push(...(columns[0] ?? []).map(Number));
    }
    expect(found.sort()).toEqual([60, 61, 62]);
  });

  it('goes on beside commits, and none is lost', async () => {
    const { table } = await newTable();
    const other = await openTable(table.location);
    const work = async (act: (round: number) => Promise<unknown>) => {
      for (let round = 0; round < 12; round++) await act(round);
    };
    await Promise.all([
      work((round) => append(other, 100 + round)),
      work(() => expireSnapshots(table, { keep: 2 })),
      work(async () => removeOrphans(await openTable(table.location), { nowMs: Date.now() })),
    ]);
    expect(await numbersIn(await openTable(table.location))).toEqual([
      ...LEFT,
      ...Array.from({ length: 12 }, (_, i) => 100 + i),
    ]);
  });
});

describe('orphan removal', () => {
  it('removes what no snapshot names once it is old, and leaves the young for their commit', async () => {
    const { table } = await newTable();
    const orphans = [
      join(table.location, 'data', 'dead.parquet'),
      join(table.location, 'metadata', 'snap-1-dead.avro'),
      join(table.location, 'metadata', '.dead.metadata.json.tmp'),
    ];
    for (const path of orphans) {
      await writeFile(path, 'dead');
      await utimes(path, 1000, 1000);
    }
    const uncommitted = newDataPath(table.location);
    const file = await writeParquet(duck, FIELDS, [[[70]]], uncommitted);
    expect(await removeOrphans(table, { nowMs: Date.now() })).toEqual({ removedFiles: 3, removedBytes: 12 });
    await table.commit({ operation: 'append', dataFiles: [file], deleteFiles: [], summary: {} });
    expect(await removeOrphans(table, { nowMs: Date.now() + 10_000, minAgeMs: 0 })).toEqual({
      removedFiles: 0,
      removedBytes: 0,
    });
    expect(await numbersIn(await openTable(table.location))).toEqual([...LEFT, 70]);
  });
});

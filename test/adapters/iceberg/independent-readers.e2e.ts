import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Duck, openDuck } from '../../../adapters/duckdb/connection.ts';
import { snapshotSelect } from '../../../adapters/duckdb/read.ts';
import { fileRewriter } from '../../../adapters/duckdb/rewrite.ts';
import { compactTable } from '../../../adapters/iceberg/compact.ts';
import { expireSnapshots } from '../../../adapters/iceberg/expire.ts';
import { openTable } from '../../../adapters/iceberg/table.ts';
import { type Truth, makeChangelog, makeState, tableIn } from './sample-tables.ts';
import { temporaryFolder } from './temporary-folder.ts';

const run = promisify(execFile);
const folder = temporaryFolder();
const truths: Truth[] = [];
let duck: Duck;

beforeAll(async () => {
  duck = await openDuck();
  for (const compacted of [false, true]) {
    for (const [name, make] of [
      ['orders', makeState],
      ['orders__changes', makeChangelog],
    ] as const) {
      const { table, truth } = await make(duck, tableIn(folder, compacted ? `${name}_compacted` : name));
      truths.push(truth);
      if (!compacted) continue;
      expect((await compactTable(table, fileRewriter(duck), { minSmallFiles: 2 })).outcome).toBe('compacted');
      expect((await expireSnapshots(table, { keep: 1 })).expiredSnapshots).toBeGreaterThan(3);
    }
  }
});
afterAll(() => duck.close());

/** Our own way of reading: the snapshot's files less its deletes, by DuckDB. */
async function readWithSnapshotSelect(truth: Truth): Promise<Truth> {
  const view = await (await openTable(truth.path)).load();
  const source = `(${snapshotSelect({ fields: view.fields, files: await view.files() })})`;
  const connection = await duck.connect();
  const ask = async (expression: string) =>
    String((await connection.runAndReadAll(`SELECT ${expression} FROM ${source}`)).getRows()[0]?.[0]);
  const sums: Record<string, string> = {};
  for (const name of Object.keys(truth.sums)) {
    const text = await ask(`CAST(sum("${name}") AS VARCHAR)`);
    sums[name] = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  }
  const nulls: Record<string, number> = {};
  for (const name of Object.keys(truth.nulls)) nulls[name] = Number(await ask(`count(*) FILTER ("${name}" IS NULL)`));
  const count = Number(await ask('count(*)'));
  const keys = Number(await ask(`count(DISTINCT "${truth.key}")`));
  connection.closeSync();
  return { ...truth, count, keys, sums, nulls, columns: view.fields.map((field) => field.name) };
}

describe('tables read back', () => {
  it('by our own reader are what was written', async () => {
    for (const truth of truths) expect(await readWithSnapshotSelect(truth)).toEqual(truth);
  });

  it("by chdb's icebergLocal are what was written: counts, keys, exact sums, nulls, columns", async () => {
    const relative = truths.map((truth) => ({ ...truth, path: basename(truth.path) }));
    const file = join(folder, 'chdb-truth.json');
    await writeFile(file, JSON.stringify(relative));
    const script = join(import.meta.dirname, 'chdb-reader.mjs');
    const { stdout } = await run(process.execPath, [script, file], { cwd: folder, maxBuffer: 1 << 24 });
    expect(JSON.parse(stdout)).toEqual(relative);
  });

  // Python is not needed for anything else here, so these readers are asked only where a Python that has them is named.
  const python = process.env.GLASSHOUSE_PYTHON;
  if (python !== undefined) {
    it("by pyiceberg and by DuckDB's iceberg extension are what was written", async () => {
      const file = join(folder, 'python-truth.json');
      await writeFile(file, JSON.stringify(truths));
      const script = join(import.meta.dirname, '../../python/read_tables.py');
      const { stdout } = await run(python, [script, file], { maxBuffer: 1 << 24 });
      const read = (reader: string) => truths.map((truth) => `${reader}: ${truth.path}: ${truth.count} rows read`);
      expect(stdout.trim().split('\n').sort()).toEqual([...read('duckdb'), ...read('pyiceberg')].sort());
    });
  }
});

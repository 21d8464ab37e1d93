import { mkdir, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNewest, swapMetadata } from '../../../adapters/iceberg/metadata-files.ts';
import { type IcebergTable, openOrCreateTable, openTable, tableExists } from '../../../adapters/iceberg/table.ts';
import type { TableCommit } from '../../../core/iceberg/commit.ts';
import type { DataFile } from '../../../core/iceberg/data-file.ts';
import { ORDERS, dataFile } from '../../core/iceberg/sample-files.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
let tables = 0;
const newLocation = () => join(folder, `t${tables++}`);

function append(...dataFiles: DataFile[]): TableCommit {
  return { operation: 'append', dataFiles, deleteFiles: [], summary: {} };
}

async function livePaths(table: IcebergTable): Promise<string[]> {
  const files = await (await table.load()).files();
  return [...files.data, ...files.deletes].map((file) => file.path);
}

const currentId = async (table: IcebergTable) => (await table.load()).snapshot?.['snapshot-id'] ?? null;

describe('a table', () => {
  it('is created once, also by two at once, and reopened as it was', async () => {
    const location = newLocation();
    expect(await tableExists(location)).toBe(false);
    const [one, two] = await Promise.all([openOrCreateTable(location, ORDERS), openOrCreateTable(location, ORDERS)]);
    const uuid = (await one.load()).metadata['table-uuid'];
    expect((await two.load()).metadata['table-uuid']).toBe(uuid);
    await one.commit(append(dataFile('a')));
    expect((await (await openOrCreateTable(location, ORDERS)).load()).version).toBe(2);
    expect(await tableExists(location)).toBe(true);
    expect((await openTable(location)).location).toBe(location);
  });

  it('that is not there is an error that names the folder', async () => {
    const location = newLocation();
    await expect(openTable(location)).rejects.toMatchObject({ code: 'input' });
    await expect(openTable(location)).rejects.toThrow(location);
  });

  it('that was moved is refused, and one that is reached by another name is not', async () => {
    const location = newLocation();
    await openOrCreateTable(location, ORDERS);
    const other = newLocation();
    await symlink(location, other);
    expect((await openTable(other)).location).toBe(location);
    await rm(other);
    await rename(location, other);
    await expect(openTable(other)).rejects.toMatchObject({ code: 'config' });
  });

  it('shows each commit to every handle at once, and the same view while nothing changes', async () => {
    const location = newLocation();
    const one = await openOrCreateTable(location, ORDERS);
    const two = await openTable(location);
    const before = await two.load();
    expect(await two.load()).toBe(before);
    await one.commit(append(dataFile('a')));
    expect(before.snapshot).toBeNull();
    expect(await before.files()).toEqual({ data: [], deletes: [] });
    expect(await livePaths(two)).toEqual(['a']);
    expect((await two.load()).snapshot?.summary['total-records']).toBe('10');
  });

  it('adds columns in the commit that brings their rows', async () => {
    const table = await openOrCreateTable(newLocation(), ORDERS);
    await table.commit(append(dataFile('a')));
    const note = { id: 3, name: 'note', type: 'string', required: false } as const;
    await table.commit({ ...append(dataFile('b')), addFields: [note] });
    await table.commit({ ...append(dataFile('c')), addFields: [note] });
    const { metadata, fields } = await table.load();
    expect(fields.map((field) => field.name)).toEqual(['id', 'total', 'note']);
    expect(metadata.snapshots.map((snapshot) => snapshot['schema-id'])).toEqual([0, 1, 1]);
  });

  it('refuses a guarded commit that was planned on another snapshot', async () => {
    const table = await openOrCreateTable(newLocation(), ORDERS);
    const first = await table.commit({ ...append(dataFile('a')), base: null });
    await expect(table.commit({ ...append(dataFile('b')), base: null })).rejects.toMatchObject({ code: 'conflict' });
    await table.commit({ ...append(dataFile('c')), base: first.snapshotId });
    await expect(table.commit({ ...append(dataFile('d')), base: first.snapshotId })).rejects.toThrow(/plan again/);
    expect(await livePaths(table)).toEqual(['a', 'c']);
  });

  it('replaces files, and tells what was added since a snapshot without what a replacement wrote', async () => {
    const table = await openOrCreateTable(newLocation(), ORDERS);
    const first = await table.commit(append(dataFile('a')));
    await table.commit(append(dataFile('b'), dataFile('c')));
    const replace = { ...append(dataFile('bc', 20)), operation: 'replace', removeFiles: ['b', 'c'] } as const;
    await table.commit(replace);
    await table.commit({ ...append(dataFile('d')), operation: 'overwrite' });
    const view = await table.load();
    expect(view.snapshot?.summary).toMatchObject({ 'total-records': '40', 'total-data-files': '3' });
    const added = async (since: number | null) => (await view.addedSince(since)).map((file) => file.path);
    expect(await added(first.snapshotId)).toEqual(['b', 'c', 'd']);
    expect(await added(null)).toEqual(['a', 'bc', 'd']);
    expect(await added(view.snapshot?.['snapshot-id'] ?? null)).toEqual([]);
    await expect(view.addedSince(1)).rejects.toMatchObject({ code: 'gap' });
    await expect(table.commit(replace)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('keeps all files through many commits, merged manifests and removed metadata', async () => {
    const location = newLocation();
    const table = await openOrCreateTable(location, ORDERS);
    const paths = Array.from({ length: 120 }, (_, index) => `f${index}`);
    for (const path of paths) await table.commit(append(dataFile(path, 1)));
    const reopened = await openTable(location);
    expect(await livePaths(reopened)).toEqual(paths);
    const { metadata, snapshot, version } = await reopened.load();
    expect(snapshot?.summary).toMatchObject({ 'total-records': '120', 'total-data-files': '120' });
    expect((await reopened.manifests.list(snapshot?.['manifest-list'] ?? '')).length).toBeLessThanOrEqual(51);
    expect(metadata['metadata-log']).toHaveLength(20);
    const versions = (await readdir(join(location, 'metadata'))).filter((name) => name.endsWith('.metadata.json'));
    expect(versions).toHaveLength(21);
    expect(await readFile(join(location, 'metadata', 'version-hint.text'), 'utf8')).toBe(String(version));
  });

  it('is found with a stale hint, without one, and with one that is no number', async () => {
    const location = newLocation();
    const table = await openOrCreateTable(location, ORDERS);
    for (const path of ['a', 'b', 'c']) await table.commit(append(dataFile(path)));
    const hint = join(location, 'metadata', 'version-hint.text');
    for (const text of ['2', '9', 'x', '']) {
      await writeFile(hint, text);
      expect((await (await openTable(location)).load()).version).toBe(4);
    }
    await rm(hint);
    expect((await (await openTable(location)).load()).version).toBe(4);
  });

  it('takes commits of one process in turn', async () => {
    const table = await openOrCreateTable(newLocation(), ORDERS);
    const made = await Promise.all(['a', 'b', 'c', 'd'].map((path) => table.commit(append(dataFile(path)))));
    expect(made.map((one) => one.attempts)).toEqual([1, 1, 1, 1]);
    expect((await livePaths(table)).sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('a commit that cannot be', () => {
  it('leaves the table as it was and no file behind, whatever the step', async () => {
    for (const at of ['manifests written', 'metadata written', 'folder synced']) {
      const location = newLocation();
      await (await openOrCreateTable(location, ORDERS)).commit(append(dataFile('a')));
      const before = (await readdir(join(location, 'metadata'))).sort();
      const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      const onStep = (step: string) => {
        if (step === at) throw full;
      };
      const table = await openTable(location, { onStep });
      await expect(table.commit(append(dataFile('b')))).rejects.toThrow();
      expect((await readdir(join(location, 'metadata'))).sort()).toEqual(before);
      expect(await livePaths(await openTable(location))).toEqual(['a']);
    }
  });

  it('says what to do when the disk is full', async () => {
    const location = newLocation();
    await openOrCreateTable(location, ORDERS);
    const onStep = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    const commit = (await openTable(location, { onStep })).commit(append(dataFile('b')));
    await expect(commit).rejects.toThrow(/disk is full: free some space/);
    await expect(commit).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('stands, and is reported so, when only its confirmation was lost', async () => {
    for (const at of ['linked', 'link synced', 'hint written', 'old metadata removed']) {
      const location = newLocation();
      await openOrCreateTable(location, ORDERS);
      const onStep = (step: string) => {
        if (step === at) throw new Error('lost');
      };
      const table = await openTable(location, { onStep });
      const made = await table.commit(append(dataFile('a')));
      expect(await currentId(table)).toBe(made.snapshotId);
      expect((await table.load()).metadata.snapshots).toHaveLength(1);
      expect(await livePaths(await openTable(location))).toEqual(['a']);
    }
  });

  it('names the path when the folder cannot be written', async () => {
    const location = newLocation();
    await mkdir(folder, { recursive: true });
    await writeFile(location, 'a file in the way');
    await expect(openOrCreateTable(location, ORDERS)).rejects.toThrow(location);
  });
});

describe('a writer that slept', () => {
  it('does not take the name of a version that came and went meanwhile', async () => {
    const location = newLocation();
    const metadata = join(location, 'metadata');
    const table = await openOrCreateTable(location, ORDERS);
    const asleep = await readNewest(metadata);
    for (let index = 0; index < 30; index++) await table.commit(append(dataFile(`f${index}`, 1)));
    expect(await readdir(metadata)).not.toContain('v2.metadata.json');
    expect(asleep?.version).toBe(1);
    expect(await swapMetadata(metadata, asleep ?? null, (await table.load()).metadata)).toBe(false);
    expect(await readdir(metadata)).not.toContain('v2.metadata.json');
    expect((await (await openTable(location)).load()).version).toBe(31);
  });
});

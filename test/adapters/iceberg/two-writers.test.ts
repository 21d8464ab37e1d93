import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openOrCreateTable, openTable } from '../../../adapters/iceberg/table.ts';
import { removeOrphans } from '../../../adapters/iceberg/remove-orphans.ts';
import { ORDERS, dataFile } from '../../core/iceberg/sample-files.ts';
import { bundleWriter, runScript } from './forked-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
let script = '';

beforeAll(async () => {
  script = await bundleWriter(folder);
});

describe('two writers in processes of their own', () => {
  it('both have all their commits in one linear history, with the totals right', async () => {
    const location = join(folder, 'race');
    await openOrCreateTable(location, ORDERS);
    const each = 60;
    const ends = await Promise.all(['one', 'two'].map((name) => runScript(script, [location, name, String(each)])));
    expect(ends).toEqual([
      { ended: 0, errors: '' },
      { ended: 0, errors: '' },
    ]);
    const view = await (await openTable(location)).load();
    const { snapshots } = view.metadata;
    expect(snapshots.map((snapshot) => snapshot['sequence-number'])).toEqual(
      Array.from({ length: 2 * each }, (_, index) => index + 1),
    );
    expect(snapshots.map((snapshot) => snapshot['parent-snapshot-id'])).toEqual([
      undefined,
      ...snapshots.slice(0, -1).map((snapshot) => snapshot['snapshot-id']),
    ]);
    expect(view.snapshot?.summary).toMatchObject({ 'total-records': '120', 'total-data-files': '120' });
    const paths = (await view.files()).data.map((file) => file.path).sort();
    const expected = ['one', 'two'].flatMap((name) =>
      Array.from({ length: each }, (_, index) => `${location}/data/${name}-${index}.parquet`),
    );
    expect(paths).toEqual(expected.sort());
  });
});

describe('a writer that is killed', () => {
  const BEFORE = ['manifests written', 'metadata written', 'folder synced'];
  const AFTER = ['linked', 'link synced', 'hint written', 'old metadata removed'];

  it.each([...BEFORE, ...AFTER])(
    'after "%s" leaves the table before or after its commit, never between',
    async (step) => {
      const location = join(folder, `killed ${step}`);
      const table = await openOrCreateTable(location, ORDERS);
      await table.commit({ operation: 'append', dataFiles: [dataFile('first', 1)], deleteFiles: [], summary: {} });
      expect((await runScript(script, [location, 'killed', '1', step])).ended).toBe('SIGKILL');

      const stands = AFTER.includes(step);
      const reopened = await openTable(location);
      const { data } = await (await reopened.load()).files();
      expect(data.map((file) => file.path)).toEqual([
        'first',
        ...(stands ? [`${location}/data/killed-0.parquet`] : []),
      ]);

      const next = { operation: 'append', dataFiles: [dataFile('next', 1)], deleteFiles: [], summary: {} } as const;
      expect(await reopened.commit(next)).toMatchObject({ version: stands ? 4 : 3 });
      expect((await table.load()).snapshot?.summary['total-records']).toBe(stands ? '3' : '2');

      const { removedFiles } = await removeOrphans(reopened, { nowMs: Date.now() + 10_000, minAgeMs: 0 });
      expect(removedFiles > 0).toBe(!stands || step === 'linked' || step === 'link synced');
      expect((await (await openTable(location)).load()).snapshot?.summary['total-data-files']).toBe(stands ? '3' : '2');
    },
  );
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFLATE } from '../../../adapters/iceberg/manifest-files.ts';
import { versionPath } from '../../../adapters/iceberg/metadata-files.ts';
import type { IcebergTable } from '../../../adapters/iceberg/table.ts';
import { metadataFolder, openOrCreateTable } from '../../../adapters/iceberg/table.ts';
import { serializeValue } from '../../../core/iceberg/bounds.ts';
import type { DataFile } from '../../../core/iceberg/data-file.ts';
import { readManifest, readManifestList } from '../../../core/iceberg/foreign-manifests.ts';
import type { Watermark } from '../../../core/iceberg/new-files.ts';
import { changelogFile, filesSince, historySince } from '../../../core/iceberg/new-files.ts';
import { parseTableHistory } from '../../../core/iceberg/table-history.ts';
import { CHANGELOG_DEFINITION } from '../../../core/lake-tables.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { dataFile } from './sample-files.ts';

const ROOT = temporaryFolder();
let tables = 0;

function changes(path: string, operation: string, at: number): DataFile {
  const bounds = new Map([5, 6].map((id) => [id, serializeValue('timestamp', BigInt(at))]));
  return dataFile(path, 10, {
    partition: { _captured_at_day: 20_717, _op: operation },
    lowerBounds: bounds,
    upperBounds: bounds,
  });
}

function newTable(): Promise<IcebergTable> {
  return openOrCreateTable(join(ROOT, String(++tables)), CHANGELOG_DEFINITION);
}

/** What a reader of others' tables makes of one that we wrote. */
async function readForeign(table: IcebergTable) {
  const { version } = await table.load();
  const path = versionPath(metadataFolder(table.location), version);
  const history = parseTableHistory(await readFile(path, 'utf8'), path);
  const listOf = async (list: string) => readManifestList(await readFile(list), list, DEFLATE);
  const entriesOf = async (list: string) => {
    const entries = [];
    for (const manifest of await listOf(list))
      entries.push(...readManifest(await readFile(manifest.path), manifest, DEFLATE));
    return entries;
  };
  return { history, entriesOf };
}

async function newPaths(table: IcebergTable, since: Watermark): Promise<readonly string[]> {
  const { history, entriesOf } = await readForeign(table);
  const past = historySince(history, since);
  if (past.whole !== null) throw new Error(`the whole is to be read: ${past.whole}`);
  const live = (await entriesOf(history.current?.manifestList ?? '')).filter((file) => file.status !== 'deleted');
  const replacements = [];
  for (const { id, sequence, manifestList, operation } of past.snapshots) {
    if (operation !== 'replace') continue;
    const replaced = (await entriesOf(manifestList)).filter(
      (file) => file.status === 'deleted' && file.snapshotId === id,
    );
    replacements.push({ sequence, replaced });
  }
  return filesSince(live, since, replacements).map((file) => file.path);
}

async function commit(
  table: IcebergTable,
  operation: 'append' | 'replace',
  dataFiles: readonly DataFile[],
  removeFiles: readonly string[] = [],
): Promise<Watermark> {
  const done = await table.commit({ operation, dataFiles, deleteFiles: [], removeFiles, summary: {} });
  return { sequence: done.sequenceNumber, snapshotId: String(done.snapshotId) };
}

describe('a changelog that our own writer wrote, read as another’s', () => {
  it('is the same table: its files, their bounds, operations and places', async () => {
    const table = await newTable();
    await commit(table, 'append', [changes('/a', 'insert', 5), changes('/b', 'delete', 6)]);
    await commit(table, 'append', [changes('/c', 'update', 7)]);
    const { history, entriesOf } = await readForeign(table);
    const { data } = await (await table.load()).files();
    const entries = await entriesOf(history.current?.manifestList ?? '');
    const read = entries.sort((a, b) => (a.path < b.path ? -1 : 1)).map((entry) => changelogFile(entry, history));
    const span = (at: number) => ({ from: at, to: at });
    expect(read).toEqual(
      [5, 6, 7].map((at, index) => ({
        path: ['/a', '/b', '/c'][index],
        records: 10,
        sequence: data[index]?.fileSequenceNumber,
        operation: ['insert', 'delete', 'update'][index],
        capturedAt: span(at),
        committedAt: span(at),
      })),
    );
  });

  it('has as new what came after the watermark, compacted or not', async () => {
    const table = await newTable();
    await commit(table, 'append', [changes('/a', 'insert', 1), changes('/d', 'delete', 1)]);
    const since = await commit(table, 'append', [changes('/b', 'insert', 2)]);
    expect(await newPaths(table, since)).toEqual([]);
    // Of merged changes only.
    await commit(table, 'replace', [{ ...changes('/ab', 'insert', 1), dataSequenceNumber: 2 }], ['/a', '/b']);
    expect(await newPaths(table, since)).toEqual([]);
    await commit(table, 'append', [changes('/c', 'insert', 3), changes('/e', 'delete', 3)]);
    expect(await newPaths(table, since)).toEqual(['/c', '/e']);
    // Of both: it must be read. The other partition's file is not touched by it.
    await commit(table, 'replace', [{ ...changes('/abc', 'insert', 1), dataSequenceNumber: 4 }], ['/ab', '/c']);
    expect(await newPaths(table, since)).toEqual(['/e', '/abc']);
    await commit(table, 'replace', [{ ...changes('/de', 'delete', 1), dataSequenceNumber: 4 }], ['/d', '/e']);
    expect(await newPaths(table, since)).toEqual(['/abc', '/de']);
  });
});

describe('where the watermark is not in the table’s history', () => {
  it('a table that was made anew is read whole, though it counts from 1 again', async () => {
    const table = await newTable();
    await commit(table, 'append', [changes('/a', 'insert', 1)]);
    const { history } = await readForeign(table);
    expect(historySince(history, { sequence: 1, snapshotId: '7483920174839201748' })).toEqual({ whole: 'rolled-back' });
    expect(historySince(history, { sequence: 7, snapshotId: history.current?.id ?? '' })).toEqual({
      whole: 'rolled-back',
    });
    expect(historySince(history, null)).toEqual({ whole: 'first' });
  });
});

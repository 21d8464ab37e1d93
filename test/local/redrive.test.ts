import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Mirror } from '../../core/config.ts';
import { validateMirror } from '../../core/config.ts';
import type { QuarantineEntry } from '../../flows/ports.ts';
import { queryMirror } from '../../local/query.ts';
import { redriveMirror } from '../../local/redrive.ts';
import { replayFiles } from '../../local/replay.ts';
import type { CommonOptions } from '../../local/results.ts';
import { recordOf } from '../support/changes.ts';
import { streamRecord } from '../support/dynamodb.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
let dir = '';
let options: CommonOptions;
beforeEach((context) => {
  dir = join(folder, context.task.id);
  mkdirSync(dir, { recursive: true });
  options = { dir, signal: new AbortController().signal, onProgress: () => undefined, log: () => undefined };
});

/** The mirror that takes the records of the table that they are of. */
const MENDED: Mirror = validateMirror({
  name: 'replay',
  tables: { shop: { from: 'orders' } },
  targets: { lakehouse: true },
});

/** Replays records into a mirror of another table, which sets all of them aside. */
async function setAside(records: readonly unknown[]): Promise<void> {
  const file = join(dir, 'records.jsonl');
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const request = { files: [file], table: 'shop', key: ['id'], targets: ['lakehouse'], strict: false } as const;
  await replayFiles(request, options);
}

function entriesLeft(): QuarantineEntry[] {
  const at = join(dir, 'quarantine', 'shop');
  const files = readdirSync(at).filter((name) => name.endsWith('.ndjson'));
  const lines = files.flatMap((name) => readFileSync(join(at, name), 'utf8').split('\n'));
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as QuarantineEntry);
}

async function rows(sql: string): Promise<readonly (readonly (string | null)[])[]> {
  return (await queryMirror(MENDED, sql, 'lakehouse', options)).rows;
}

describe('redriveMirror', () => {
  it('what is accepted now is merged with its own version and goes, what is not stays', async () => {
    const wrongKey = streamRecord({ keys: { id: { N: '1' } } });
    const change = recordOf({ id: 'a', at: 7, image: { note: { S: 'x' } } });
    await setAside([change, wrongKey, recordOf({ id: 'b', at: 8 })]);
    expect(entriesLeft().map(({ kind }) => kind)).toEqual(['other-table', 'other-table', 'other-table']);
    expect(await redriveMirror(MENDED, options)).toEqual({
      tables: [{ table: 'shop', found: 3, redriven: 2, refused: 1 }],
    });
    expect(entriesLeft().map(({ raw }) => JSON.parse(raw) as unknown)).toEqual([wrongKey]);
    expect(await rows('select id, note from shop')).toEqual([['a', 'x']]);
    expect(await rows('select distinct _cause from shop__changes')).toEqual([['redrive']]);
    expect(await redriveMirror(MENDED, options)).toEqual({
      tables: [{ table: 'shop', found: 1, redriven: 0, refused: 1 }],
    });
  });

  it('never overwrites what is newer', async () => {
    await setAside([recordOf({ id: 'a', at: 1, image: { note: { S: 'older' } } })]);
    const newer = join(dir, 'newer.jsonl');
    const record = JSON.stringify(recordOf({ id: 'a', at: 2, image: { note: { S: 'newer' } } }));
    // The same stream of a table that this mirror takes.
    writeFileSync(newer, record.replace('table/orders', 'table/shop'));
    await replayFiles({ files: [newer], table: 'shop', key: ['id'], targets: ['lakehouse'], strict: false }, options);
    expect(await redriveMirror(MENDED, options)).toMatchObject({ tables: [{ redriven: 1 }] });
    expect(await rows('select note from shop')).toEqual([['newer']]);
    expect(await rows('select count(*) from shop__changes')).toEqual([['2']]);
  });

  it('stops when it is asked to, with what is left in its place', async () => {
    await setAside([recordOf({ id: 'a', at: 1 })]);
    await expect(redriveMirror(MENDED, { ...options, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    expect(entriesLeft()).toHaveLength(1);
  });

  it('has nothing to do where nothing was set aside', async () => {
    const file = join(dir, 'none.jsonl');
    writeFileSync(file, '');
    await replayFiles({ files: [file], table: 'shop', key: ['id'], targets: ['lakehouse'], strict: false }, options);
    expect(await redriveMirror(MENDED, options)).toEqual({
      tables: [{ table: 'shop', found: 0, redriven: 0, refused: 0 }],
    });
  });

  it('leaves a file that it does not understand', async () => {
    await setAside([recordOf({ id: 'a', at: 1 })]);
    const file = join(dir, 'quarantine', 'shop', 'x.ndjson');
    writeFileSync(file, 'no entry\n');
    expect(await redriveMirror(MENDED, options)).toMatchObject({ tables: [{ found: 2, redriven: 1, refused: 1 }] });
    expect(readFileSync(file, 'utf8')).toBe('no entry\n');
  });
});

describe('items of a snapshot', () => {
  const item = { id: { S: 'a' }, note: { S: 'from the scan' } };
  const place = { kind: 'scan', table: 'orders' } as const;
  const entry = { table: 'shop', kind: 'key-type', reason: 'was refused', place, raw: JSON.stringify(item) };

  async function setItemAside(quarantinedAt: string, epoch: string | null): Promise<void> {
    await setAside([recordOf({ id: 'b', at: 1, image: {} })]);
    await redriveMirror(MENDED, options);
    const quarantinedAtMillis = Date.parse(quarantinedAt);
    writeFileSync(
      join(dir, 'quarantine', 'shop', 'item.ndjson'),
      `${JSON.stringify({ ...entry, quarantinedAtMillis })}\n`,
    );
    mkdirSync(join(dir, 'state', 'snapshots'), { recursive: true });
    if (epoch !== null) writeFileSync(join(dir, 'state', 'snapshots', 'shop.json'), JSON.stringify({ epoch }));
  }

  it('have the version of the snapshot that they were set aside in', async () => {
    await setItemAside('2026-11-22T10:00:01Z', '20261122100000000');
    expect(await redriveMirror(MENDED, options)).toMatchObject({ tables: [{ redriven: 1, refused: 0 }] });
    expect(await rows("select note, _version from shop where id = 'a'")).toEqual([
      ['from the scan', `20261122100000000-${'0'.repeat(40)}`],
    ]);
  });

  it.each([
    ['an older snapshot than the newest', '2026-11-22T09:59:59Z', '20261122100000000'],
    ['a snapshot that was not taken whole', '2026-11-22T10:00:01Z', null],
  ])('of %s stay', async (_, at, epoch) => {
    await setItemAside(at, epoch);
    expect(await redriveMirror(MENDED, options)).toMatchObject({ tables: [{ redriven: 0, refused: 1 }] });
    expect(entriesLeft()).toHaveLength(1);
  });
});

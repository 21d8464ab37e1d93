import { describe, expect, it } from 'vitest';
import { fileRewriter } from '../../../adapters/duckdb/rewrite.ts';
import { compactTable } from '../../../adapters/iceberg/compact.ts';
import { expireSnapshots } from '../../../adapters/iceberg/expire.ts';
import type { Tombstone } from '../../../adapters/lakehouse/changelog.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { ChangePacker, unpacked } from '../../../core/packed-changes.ts';
import type { ChangelogMark } from '../../../flows/ports.ts';
import { changeOf } from '../../support/changes.ts';
import { changelogContract } from '../../support/contracts/changelog.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { lakeOpener } from './open-lake.ts';

const lake = lakeOpener();
const WORDS = schemaOf({ word: { kind: 'string' } });

changelogContract('an Iceberg table', async () => {
  const under = await lake.open();
  return { changelog: under.changelog, reopen: () => under.reopenChangelog() };
});

function put(id: string, at: number): Envelope {
  return changeOf({ id, at, image: { word: { S: `${at}` } } }, WORDS);
}

function remove(id: string, at: number): Envelope {
  return changeOf({ id, at }, WORDS);
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function tombstones(...deletes: readonly Envelope[]): Tombstone[] {
  return deletes
    .map(({ keyHash, version }) => ({ keyHash, version }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe('the changelog of the lakehouse', () => {
  it('remembers the newest delete of each key, of appends up to a mark', async () => {
    const { changelog } = await lake.open();
    const first = await changelog.append([put('a', 1), remove('a', 5), remove('a', 3), remove('b', 2)], null);
    const second = await changelog.append([remove('a', 4), remove('c', 1), put('b', 9)], null);
    expect(await allOf(changelog.tombstones(null))).toEqual([]);
    expect(await allOf(changelog.tombstones(first.mark))).toEqual(tombstones(remove('a', 5), remove('b', 2)));
    expect(await allOf(changelog.tombstones(second.mark))).toEqual(
      tombstones(remove('a', 5), remove('b', 2), remove('c', 1)),
    );
  });

  it('is read and remembered the same after it was compacted and its snapshots expired', async () => {
    const { changelog } = await lake.open();
    const positions = { streamArn: 'arn', shards: { s: { after: '7' } } };
    const marks: ChangelogMark[] = [];
    for (let at = 1; at <= 8; at++) {
      marks.push((await changelog.append([put('a', at), remove('b', at)], positions)).mark);
    }
    const [newest, sixth] = [marks[7], marks[5]];
    if (newest === undefined || sixth === undefined) throw new Error('Eight appends have eight marks.');
    const report = await compactTable(changelog.table, fileRewriter(lake.duck()), { upToSequence: sixth.sequence });
    await expireSnapshots(changelog.table, { keep: 1 });
    expect(report.outcome).toBe('compacted');
    expect(await changelog.positions()).toEqual(positions);
    expect(await changelog.newest()).toEqual(newest);
    const later: Envelope[] = [];
    for await (const piece of changelog.readAfter(sixth)) later.push(...piece.changes);
    expect(later.map((change) => change.version)).toEqual(
      expect.arrayContaining([7, 8].flatMap((at) => [put('a', at).version, remove('b', at).version])),
    );
    expect(later).toHaveLength(4);
    expect(await allOf(changelog.tombstones(sixth))).toEqual(tombstones(remove('b', 6)));
  });

  it('holds packed changes as it holds the same ones that are not', async () => {
    const { changelog } = await lake.open();
    const all = Array.from({ length: 5000 }, (_, at) => (at % 7 === 0 ? remove(`k${at}é`, at) : put(`k${at}`, at)));
    const packer = new ChangePacker();
    for (const change of all.slice(100, 4900)) packer.add(change);
    const packed = unpacked(packer.take(all[0]?.schemaVersion ?? 0, all[0]?.capturedAtMicros ?? 0));
    // In runs of every kind: some of each, and packed ones in another order than they were packed in.
    const given = [...all.slice(0, 100), ...packed.slice(3000), ...all.slice(4900), ...packed.slice(0, 3000)];
    const { rows } = await changelog.append(given, null);
    const read: Envelope[] = [];
    for await (const piece of changelog.readAfter(null)) read.push(...piece.changes);
    expect(rows).toBe(5000);
    expect(read.sort((a, b) => (a.version < b.version ? -1 : 1))).toEqual(all);
  });

  it('has nothing new for whoever had it all before it was compacted whole', async () => {
    const { changelog } = await lake.open();
    for (let at = 1; at <= 8; at++) await changelog.append([put('a', at), remove('b', at)], null);
    const before = await changelog.newest();
    const report = await compactTable(changelog.table, fileRewriter(lake.duck()), {
      upToSequence: before?.sequence ?? 0,
    });
    expect(report.outcome).toBe('compacted');
    expect((await changelog.newest())?.sequence).toBe(before?.sequence);
    const again: Envelope[] = [];
    for await (const piece of changelog.readAfter(before)) again.push(...piece.changes);
    expect(again).toEqual([]);
    expect(await allOf(changelog.tombstones(before))).toEqual(tombstones(remove('b', 8)));
  });
});

import { GetTableCommand } from '@aws-sdk/client-glue';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { ForeignFile } from '../../support/foreign-lake.ts';
import { ForeignLake } from '../../support/foreign-lake.ts';
import { lakeOnAws } from './lake-mocks.ts';

const AT = 1_790_000_000_000_000;

function file(number: number, more: Partial<ForeignFile> = {}): ForeignFile {
  return {
    path: `s3://lake/tables/orders__changes/data/${number}.parquet`,
    operation: 'update',
    day: 20_717,
    records: 10,
    holds: [number],
    captured: [AT + number, AT + number + 5],
    committed: [AT - 1000 + number, AT - 1000 + number + 5],
    ...more,
  };
}

function markOf(lake: ForeignLake) {
  const { current } = lake;
  if (current === null) throw new Error('Nothing was committed.');
  return { sequence: current.sequence, snapshotId: current.id };
}

function named(name: string): Error {
  return Object.assign(new Error(`${name} (scripted)`), { name });
}

describe('the files of a changelog that others write', () => {
  it.each([{}, { mergesManifests: true }, { gzipsMetadata: true }])(
    'are those since the watermark, with all that is known of them: %j',
    async (habits) => {
      const lake = new ForeignLake(habits);
      const { files } = lakeOnAws(lake);
      lake.append([file(1)]);
      const since = markOf(lake);
      lake.append([file(2), file(3, { operation: 'delete', captured: null, committed: null })]);
      lake.append([file(4)]);
      const found = await files.newFiles('orders', since);
      expect(found).toEqual({
        upTo: markOf(lake),
        whole: null,
        records: 30,
        files: [
          {
            path: 's3://lake/tables/orders__changes/data/2.parquet',
            records: 10,
            sequence: 2,
            operation: 'update',
            capturedAt: { from: AT + 2, to: AT + 7 },
            committedAt: { from: AT - 998, to: AT - 993 },
          },
          {
            path: 's3://lake/tables/orders__changes/data/3.parquet',
            records: 10,
            sequence: 2,
            operation: 'delete',
            capturedAt: null,
            committedAt: null,
          },
          expect.objectContaining({ path: 's3://lake/tables/orders__changes/data/4.parquet', sequence: 3 }),
        ],
      });
      // Every digit of an id that a double would round.
      expect(found.upTo?.snapshotId).toMatch(/^\d{19}$/);
      expect(String(Number(found.upTo?.snapshotId))).not.toBe(found.upTo?.snapshotId);
    },
  );

  it('are none where nothing was committed, or nothing since, and then no manifest is read', async () => {
    const lake = new ForeignLake();
    const { files, s3 } = lakeOnAws(lake);
    expect(await files.newFiles('orders', null)).toEqual({ upTo: null, whole: null, files: [], records: 0 });
    lake.append([file(1)]);
    expect(await files.newFiles('orders', markOf(lake))).toEqual({
      upTo: markOf(lake),
      whole: null,
      files: [],
      records: 0,
    });
    expect(s3.commandCalls(GetObjectCommand).length).toBe(2);
  });

  it('are read once while the function is warm', async () => {
    const lake = new ForeignLake();
    const { files, s3 } = lakeOnAws(lake);
    lake.append([file(1)]);
    const since = markOf(lake);
    lake.append([file(2)]);
    await files.newFiles('orders', since);
    const reads = s3.commandCalls(GetObjectCommand).length;
    await files.newFiles('orders', since);
    expect(s3.commandCalls(GetObjectCommand).length).toBe(reads);
    lake.append([file(3)]);
    await files.newFiles('orders', since);
    // New metadata, its manifest list, and one manifest.
    expect(s3.commandCalls(GetObjectCommand).length).toBe(reads + 3);
  });

  it('are all of them at first, after a roll-back, and where the watermark has expired', async () => {
    const lake = new ForeignLake();
    const { files } = lakeOnAws(lake);
    lake.append([file(1)]);
    const first = markOf(lake);
    lake.append([file(2)]);
    const second = markOf(lake);
    expect(await files.newFiles('orders', null)).toMatchObject({ whole: 'first', records: 20, files: [{}, {}] });
    lake.rollBack(1);
    expect(await files.newFiles('orders', second)).toMatchObject({ whole: 'rolled-back', upTo: first, records: 10 });
    lake.append([file(3)]);
    expect(await files.newFiles('orders', second)).toMatchObject({ whole: 'rolled-back', records: 20 });
    lake.append([file(4)]);
    lake.expire(1);
    expect(await files.newFiles('orders', first)).toMatchObject({ whole: 'expired', records: 30 });
  });

  it('are not told one by one where the whole changelog of very many commits is to be read', async () => {
    const lake = new ForeignLake();
    const { files } = lakeOnAws(lake);
    for (let number = 0; number < 101; number++) lake.append([file(number)]);
    expect(await files.newFiles('orders', null)).toEqual({ upTo: markOf(lake), whole: 'first', files: [], records: 7 });
  });

  it('are judged by their place in the history where what a compaction replaced can no longer be read', async () => {
    const lake = new ForeignLake();
    const { open } = lakeOnAws(lake);
    lake.append([file(1), file(2)]);
    const since = markOf(lake);
    lake.compact([file(1).path, file(2).path], 's3://lake/merged-already');
    lake.append([file(3), file(4)]);
    lake.compact([file(3).path, file(4).path], 's3://lake/new');
    const found = await open().newFiles('orders', since);
    expect(found.files.map((one) => one.path)).toEqual(['s3://lake/new']);
    const lists = [...lake.objects.keys()].filter((url) => url.includes('/snap-'));
    for (const list of lists.slice(0, -1)) lake.objects.delete(list);
    expect(await open().newFiles('orders', since)).toEqual(found);
  });

  it('are read again from the start where the metadata was replaced and removed meanwhile', async () => {
    const lake = new ForeignLake();
    const { files, glue } = lakeOnAws(lake);
    lake.append([file(1)]);
    const stale = lake.location;
    lake.append([file(2)]);
    glue
      .on(GetTableCommand)
      .resolvesOnce({ Table: { Name: 'x', Parameters: { metadata_location: stale } } })
      .callsFake(() => ({
        Table: { Name: 'x', Parameters: { metadata_location: lake.location } },
      }));
    expect(await files.newFiles('orders', null)).toMatchObject({ records: 20 });
  });
});

describe('where AWS does not answer as it should', () => {
  it('throttling and outages are waited out', async () => {
    const lake = new ForeignLake();
    const { files, failures, timing } = lakeOnAws(lake);
    lake.append([file(1)]);
    failures.push(named('SlowDown'), named('ECONNRESET'));
    expect(await files.newFiles('orders', null)).toMatchObject({ records: 10 });
    expect(timing.waited.length).toBe(2);
  });

  it('they are errors once the time for them is over', async () => {
    const lake = new ForeignLake();
    const { files, failures } = lakeOnAws(lake);
    failures.push(...Array.from({ length: 100 }, () => named('SlowDown')));
    await expect(files.newFiles('orders', null)).rejects.toMatchObject({ code: 'throttled' });
    failures.length = 0;
    failures.push(...Array.from({ length: 100 }, () => named('ECONNRESET')));
    await expect(files.newFiles('orders', null)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('a refusal is an error at once, and names what was to be read', async () => {
    const lake = new ForeignLake();
    const { files, failures, timing } = lakeOnAws(lake);
    failures.push(named('AccessDenied'));
    await expect(files.newFiles('orders', null)).rejects.toThrow(
      /Could not read s3:\/\/lake\/.*metadata\.json: AccessDenied/,
    );
    expect(timing.waited).toEqual([]);
  });

  it('a file that is gone for good is named, with what to do', async () => {
    const lake = new ForeignLake();
    const { files } = lakeOnAws(lake);
    lake.append([file(1)]);
    for (const url of lake.objects.keys()) if (url.endsWith('.avro')) lake.objects.delete(url);
    await expect(files.newFiles('orders', null)).rejects.toThrow(/snap-\d+\.avro is not there.*Restore it/);
  });

  it.each<readonly [string, (lake: ForeignLake) => void, RegExp]>([
    [
      'cut metadata',
      (lake) => lake.objects.set(lake.location, new TextEncoder().encode('{"format-version":2')),
      /metadata\.json is no JSON/,
    ],
    [
      'metadata of another version',
      (lake) => lake.objects.set(lake.location, new TextEncoder().encode('{"format-version":3}')),
      /format version 3/,
    ],
    ['cut gzip', (lake) => lake.objects.set(lake.location, Uint8Array.of(0x1f, 0x8b, 8, 0)), /cut or damaged/],
    [
      'no Avro',
      (lake) =>
        [...lake.objects.keys()]
          .filter((url) => url.endsWith('.avro'))
          .forEach((url) => lake.objects.set(url, Uint8Array.of(1, 2, 3, 4))),
      /Avro/,
    ],
  ])('%s is corrupt', async (_, damage, message) => {
    const lake = new ForeignLake();
    const { files } = lakeOnAws(lake);
    lake.append([file(1)]);
    damage(lake);
    const reading = files.newFiles('orders', null);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('a table that is missing or is no Iceberg table says so', async () => {
    const { files, glue } = lakeOnAws(new ForeignLake());
    await expect(files.newFiles('customers', null)).rejects.toThrow(/shop\.customers__changes is missing/);
    glue.on(GetTableCommand).resolves({ Table: { Name: 'orders__changes' } });
    await expect(files.newFiles('orders', null)).rejects.toThrow(/no metadata_location/);
  });
});

it('the columns of a view are told in order, and null where there is no view', async () => {
  const { files, glue } = lakeOnAws(new ForeignLake());
  expect(await files.viewColumns('orders_live')).toBeNull();
  glue
    .on(GetTableCommand)
    .resolves({ Table: { Name: 'orders_live', StorageDescriptor: { Columns: [{ Name: 'b' }, { Name: 'a' }] } } });
  expect(await files.viewColumns('orders_live')).toEqual(['b', 'a']);
});

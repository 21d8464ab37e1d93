import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BENCH_KEY,
  type ChangesRequest,
  type ChangesTotals,
  generateChangeLines,
  generateChanges,
  writeChangesFile,
} from '../../bench/records.ts';

interface StreamRecord {
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventSourceARN: string;
  readonly dynamodb: {
    readonly Keys: Record<string, { readonly S: string }>;
    readonly NewImage?: Record<string, unknown>;
    readonly OldImage?: Record<string, unknown>;
    readonly SequenceNumber: string;
  };
}

const REQUEST: ChangesRequest = { changes: 1500, keys: 100, seed: 1 };

function changesOf(request: ChangesRequest): { readonly records: StreamRecord[]; readonly totals: ChangesTotals } {
  const records: StreamRecord[] = [];
  const changes = generateChanges(request);
  for (;;) {
    const next = changes.next();
    if (next.done === true) return { records, totals: next.value };
    records.push(next.value as StreamRecord);
  }
}

describe('generateChanges', () => {
  it.each([
    ['the usual mix', REQUEST],
    ['few keys, so that removed ones come back', { ...REQUEST, keys: 3 }],
    ['one key', { ...REQUEST, keys: 1 }],
    ['mostly deletes', { ...REQUEST, insert: 0.4, update: 0.1, delete: 0.5 }],
    ['inserts only', { ...REQUEST, insert: 1, update: 0, delete: 0 }],
  ])('is a possible history of its keys: %s', (_name, request) => {
    const { records, totals } = changesOf({ ...request, oldImages: true });
    const table = new Map<string, unknown>();
    const counts = { INSERT: 0, MODIFY: 0, REMOVE: 0 };
    let last = '';
    for (const { eventName, dynamodb } of records) {
      const key = JSON.stringify(dynamodb.Keys);
      const before = table.get(key);
      counts[eventName]++;
      expect(dynamodb.SequenceNumber).toMatch(/^\d{21,40}$/);
      expect(dynamodb.SequenceNumber > last).toBe(true);
      last = dynamodb.SequenceNumber;
      expect(dynamodb.OldImage).toEqual(before);
      expect(before === undefined).toBe(eventName === 'INSERT');
      expect(dynamodb.NewImage === undefined).toBe(eventName === 'REMOVE');
      if (dynamodb.NewImage === undefined) table.delete(key);
      else {
        expect(dynamodb.NewImage).not.toEqual(before);
        expect(dynamodb.NewImage).toMatchObject(dynamodb.Keys);
        table.set(key, dynamodb.NewImage);
      }
    }
    expect(records).toHaveLength(request.changes);
    expect(totals).toEqual({
      inserts: counts.INSERT,
      updates: counts.MODIFY,
      deletes: counts.REMOVE,
      items: table.size,
    });
    expect(table.size).toBeLessThanOrEqual(request.keys);
  });

  it('has the shares that are asked for', () => {
    const { totals } = changesOf({ changes: 8000, keys: 4000, seed: 3 });
    expect(totals.inserts / 8000).toBeCloseTo(0.2, 1);
    expect(totals.updates / 8000).toBeCloseTo(0.7, 1);
    expect(totals.deletes / 8000).toBeCloseTo(0.1, 1);
  });

  it('makes records of 15 attributes and about 1.1 KB, without old images unless they are asked for', () => {
    const lines = [...generateChangeLines(REQUEST)];
    const images = lines.flatMap((line) => {
      const { NewImage, OldImage } = (JSON.parse(line) as StreamRecord).dynamodb;
      expect(OldImage).toBeUndefined();
      return NewImage === undefined
        ? []
        : [{ attributes: Object.keys(NewImage).length, bytes: Buffer.byteLength(line) }];
    });
    const average = images.reduce((sum, image) => sum + image.bytes, 0) / images.length;
    expect(average).toBeGreaterThan(1050);
    expect(average).toBeLessThan(1300);
    expect(new Set(images.map((image) => image.attributes))).toEqual(new Set([15]));
  });

  it('gives the same records for the same request, and others for another seed', () => {
    const lines = (seed: number) => [...generateChangeLines({ ...REQUEST, seed, changes: 200 })];
    expect(lines(1)).toEqual(lines(1));
    expect(lines(1)).not.toEqual(lines(2));
  });

  it('names a table whose key it has', () => {
    const [first] = changesOf({ ...REQUEST, changes: 1 }).records;
    expect(Object.keys(first?.dynamodb.Keys ?? {})).toEqual([...BENCH_KEY]);
    expect(first?.eventSourceARN).toMatch(/:table\/Orders\/stream\/\d{4}-/);
  });
});

describe('writeChangesFile', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glasshouse-test-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it.each([false, true])('writes one record a line (gzip: %s)', async (gzip) => {
    const path = join(folder, 'changes');
    const written = await writeChangesFile(path, REQUEST, { gzip });
    const file = await readFile(path);
    const text = (gzip ? gunzipSync(file) : file).toString();
    expect(text).toBe([...generateChangeLines(REQUEST)].map((line) => `${line}\n`).join(''));
    expect(written).toEqual({ ...changesOf(REQUEST).totals, bytes: Buffer.byteLength(text) });
  });

  it('fails where the file cannot be written', async () => {
    await expect(writeChangesFile(join(folder, 'missing', 'changes'), REQUEST)).rejects.toThrow('ENOENT');
    await expect(writeChangesFile(join(folder, 'missing', 'changes'), REQUEST, { gzip: true })).rejects.toThrow(
      'ENOENT',
    );
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecordFilesSource } from '../../../adapters/files/record-files.ts';
import type { Delivered, SourceBatch } from '../../../flows/ports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();
let written = 0;

function fileOf(content: string | Uint8Array): string {
  const file = join(folder, `records-${++written}`);
  writeFileSync(file, content);
  return file;
}

async function batchesOf(
  files: readonly string[],
  options: { maxBatchRecords?: number; maxBatchBytes?: number; input?: Readable } = {},
): Promise<SourceBatch[]> {
  const source = createRecordFilesSource(files, {
    maxBatchRecords: options.maxBatchRecords ?? 1000,
    maxBatchBytes: options.maxBatchBytes ?? 1 << 20,
    standardInput: options.input ?? Readable.from([]),
  });
  const batches: SourceBatch[] = [];
  for await (const batch of source.batches(null, new AbortController().signal)) batches.push(batch);
  return batches;
}

async function read(...files: readonly string[]): Promise<Delivered[]> {
  return (await batchesOf(files)).flatMap((batch) => batch.deliveries);
}

/** What was delivered, in short: the record with its line, or the fault with its line. */
function short(delivered: readonly Delivered[]): unknown[] {
  return delivered.map((one) => {
    const place =
      one.place.kind === 'file' ? [one.place.line, one.place.index].filter((part) => part !== undefined) : one.place;
    return one.kind === 'record' ? [place, one.record] : one.kind === 'unreadable' ? [place, one.fault] : [place];
  });
}

describe('a file of records', () => {
  it('does not deliver the lines that were taken, and counts them', async () => {
    const file = fileOf('{"a":1}\n{"b":2}\n{\n "a":3\n}\n{"a":4}\r\n\n{"c":5}\n{"a":6}');
    const shown: string[] = [];
    const take = (bytes: Buffer, from: number, to: number): boolean => {
      const line = bytes.toString('utf8', from, to);
      shown.push(line);
      return line.startsWith('{"a"');
    };
    const source = createRecordFilesSource([file], {
      maxBatchRecords: 1000,
      maxBatchBytes: 1 << 20,
      standardInput: Readable.from([]),
      take,
    });
    const delivered: Delivered[] = [];
    for await (const batch of source.batches(null, new AbortController().signal)) delivered.push(...batch.deliveries);
    // A line of a document over many lines is none of a record.
    expect(shown).toEqual(['{"a":1}', '{"b":2}', '{', '{"a":4}\r', '', '{"c":5}', '{"a":6}']);
    expect(short(delivered)).toEqual([
      [[2], { b: 2 }],
      [[3], { a: 3 }],
      [[8], { c: 5 }],
    ]);
  });

  it('has a batch of nothing where all of its lines were taken', async () => {
    const files = [fileOf('{"a":1}\n{"a":2}\n'), fileOf('{"a":3}')];
    const source = createRecordFilesSource(files, {
      maxBatchRecords: 1000,
      maxBatchBytes: 1 << 20,
      standardInput: Readable.from([]),
      take: () => true,
    });
    const batches: SourceBatch[] = [];
    for await (const batch of source.batches(null, new AbortController().signal)) batches.push(batch);
    expect(batches).toEqual([{ deliveries: [], positions: null }]);
  });

  it('is read one record a line, with the place of each', async () => {
    const file = fileOf('{"a":1}\n\n{"a":2}\r\n  \n{"a":3}');
    expect(short(await read(file))).toEqual([
      [[1], { a: 1 }],
      [[3], { a: 2 }],
      [[5], { a: 3 }],
    ]);
    expect((await read(file))[0]?.place).toEqual({ kind: 'file', file, line: 1 });
  });

  it('may hold whole events and arrays, on one line or pretty-printed', async () => {
    const event = { Records: [{ a: 1 }, { a: 2 }] };
    const text = `${JSON.stringify(event)}\n${JSON.stringify(event, null, 2)}\n[{"a":3}]\n{"a":4}\n`;
    expect(short(await read(fileOf(text)))).toEqual([
      [[1, 0], { a: 1 }],
      [[1, 1], { a: 2 }],
      [[2, 0], { a: 1 }],
      [[2, 1], { a: 2 }],
      [[12, 0], { a: 3 }],
      [[13], { a: 4 }],
    ]);
  });

  it('may begin with a byte order mark, be empty, or be blank', async () => {
    expect(short(await read(fileOf('\uFEFF{"a":1}')))).toEqual([[[1], { a: 1 }]]);
    expect(await read(fileOf(''), fileOf('\n \n'))).toEqual([]);
  });

  it('is unpacked where it is gzip, in several members too, whatever its name', async () => {
    const packed = Buffer.concat([gzipSync('{"a":1}\n{"a":'), gzipSync('2}\n')]);
    expect(short(await read(fileOf(packed)))).toEqual([
      [[1], { a: 1 }],
      [[2], { a: 2 }],
    ]);
  });

  it('is standard input where it is called -, plain or gzip', async () => {
    const plain = await batchesOf(['-'], { input: Readable.from([Buffer.from('{"a":1}\n{"a"'), Buffer.from(':2}')]) });
    expect(short(plain.flatMap((batch) => batch.deliveries))).toEqual([
      [[1], { a: 1 }],
      [[2], { a: 2 }],
    ]);
    const packed = await batchesOf(['-'], { input: Readable.from([gzipSync('{"a":3}')]) });
    expect(short(packed.flatMap((batch) => batch.deliveries))).toEqual([[[1], { a: 3 }]]);
  });
});

describe('what cannot be read is set aside with its line, and the rest goes on', () => {
  it.each([
    ['a line that is no JSON', 'nonsense', 'not-json'],
    ['a record that breaks off', '{"a":', 'not-json'],
    ['an array that breaks off', '[{"a":1},', 'not-json'],
  ])('%s', async (_, line, fault) => {
    const delivered = await read(fileOf(`{"a":1}\n${line}\n{"a":2}\n`));
    expect(short(delivered)).toEqual([
      [[1], { a: 1 }],
      [[2], fault],
      [[3], { a: 2 }],
    ]);
    expect(delivered[1]).toMatchObject({ raw: line });
  });

  it('a line that is not UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1}\n{"a":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}\n{"a":2}\n'),
    ]);
    expect(short(await read(fileOf(bytes)))).toEqual([
      [[1], { a: 1 }],
      [[2], 'not-json'],
      [[3], { a: 2 }],
    ]);
  });

  it('a gzip file that breaks off: what came before is read, and the next file too', async () => {
    const lines = Array.from({ length: 20_000 }, (_, n) => JSON.stringify({ n, noise: Math.sin(n) })).join('\n');
    const packed = gzipSync(lines);
    const delivered = await read(fileOf(packed.subarray(0, packed.length / 2)), fileOf('{"a":1}'));
    const records = delivered.filter((one) => one.kind === 'record');
    expect(records.length).toBeGreaterThan(1000);
    expect(records.slice(0, -1).map((one) => (one.record as { n: number }).n)).toEqual(
      records.slice(1).map((_, n) => n),
    );
    expect(delivered.filter((one) => one.kind === 'unreadable').map((one) => one.fault)).toEqual(['truncated']);
    expect(short(delivered).at(-1)).toEqual([[1], { a: 1 }]);
  });

  it('bytes that only begin like gzip', async () => {
    const delivered = await read(fileOf(Buffer.from([0x1f, 0x8b, 1, 2, 3])), fileOf('{"a":1}'));
    expect(short(delivered)).toEqual([
      [[1], 'truncated'],
      [[1], { a: 1 }],
    ]);
  });

  it('a file that is not there is a mistake of the caller, told with its name', async () => {
    const missing = join(folder, 'missing');
    await expect(read(missing)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(missing) as string,
    });
    await expect(read(folder)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('batches', () => {
  it('hold no more records than asked for where the lines are short, and lose none', async () => {
    const lines = Array.from({ length: 100 }, (_, n) => `{"n":${n}}`).join('\n');
    const whole = await read(fileOf(lines));
    for (const maxBatchRecords of [1, 7, 1000]) {
      const batches = await batchesOf([fileOf(lines)], { maxBatchRecords });
      expect(batches.flatMap((batch) => batch.deliveries.map((one) => one.kind === 'record' && one.record))).toEqual(
        whole.map((one) => one.kind === 'record' && one.record),
      );
      expect(batches.every((batch) => batch.positions === null)).toBe(true);
    }
  });

  it('come out the same however the bytes are cut', async () => {
    const text = '{"a":"ä😀"}\nbroken\n{"Records":[{"b":1},{"b":2}]}\n{\n "Records": [\n {"c":1}\n ]\n}\n{"d":1}';
    const whole = short(await read(fileOf(text)));
    const bytes = Buffer.from(text);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 })), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        const batches = await batchesOf(['-'], { input: Readable.from(chunks), maxBatchRecords: 1 });
        expect(short(batches.flatMap((batch) => batch.deliveries))).toEqual(whole);
      }),
    );
  });

  it('end when the signal comes', async () => {
    const source = createRecordFilesSource([fileOf('{"a":1}\n')], {
      maxBatchRecords: 1,
      maxBatchBytes: 1,
      standardInput: Readable.from([]),
    });
    const batches: SourceBatch[] = [];
    for await (const batch of source.batches(null, AbortSignal.abort())) batches.push(batch);
    expect(batches).toEqual([]);
  });
});

import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import type { ChangeSource, Delivered, SourceBatch } from '../../flows/ports.ts';
import { isCode, unusable } from './atomic-file.ts';
import { LineJoiner } from './line-joiner.ts';

export interface RecordFilesOptions {
  /** Records in a batch, at the most (an event of Lambda's is never split). */
  readonly maxBatchRecords: number;
  /** Text of a batch, in bytes, before it is delivered. */
  readonly maxBatchBytes: number;
  /** What stands for the file `-`. */
  readonly standardInput: Readable;
  /** Is shown each line that may be a record, as UTF-8 without its end. Those that it takes, returning true, are not delivered. */
  readonly take?: LineTaker;
}

/** Whether it has taken the line that stands between two places of some bytes, which it does not keep. */
export type LineTaker = (bytes: Buffer, from: number, to: number) => boolean;

const READ_BYTES = 1 << 20;
const NEWLINE = 10;

/**
 * Files of DynamoDB stream records as Lambda gets them, as a source: one record a line, or whole `{"Records": [...]}`
 * events, on one line or pretty-printed; plain or gzip, told by their first bytes; `-` is standard input. What cannot be
 * read is delivered as unreadable with its file and line, and the rest of the file goes on.
 */
export function createRecordFilesSource(files: readonly string[], options: RecordFilesOptions): ChangeSource {
  return {
    async *batches(_from, signal) {
      let deliveries: Delivered[] = [];
      let bytes = 0;
      for (const file of files) {
        for await (const block of readBlocks(file, options)) {
          if (signal.aborted) return;
          for (const delivery of block.deliveries) deliveries.push(delivery);
          bytes += block.bytes;
          if (deliveries.length >= options.maxBatchRecords || bytes >= options.maxBatchBytes) {
            yield batchOf(deliveries);
            deliveries = [];
            bytes = 0;
          }
        }
      }
      if (deliveries.length > 0 || bytes > 0) yield batchOf(deliveries);
    },
  };
}

function batchOf(deliveries: readonly Delivered[]): SourceBatch {
  return { deliveries, positions: null };
}

interface Block {
  readonly deliveries: readonly Delivered[];
  readonly bytes: number;
}

/** Reads a file in blocks of whole lines. */
async function* readBlocks(file: string, options: RecordFilesOptions): AsyncGenerator<Block> {
  const joiner = new LineJoiner(file);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of await openRecords(file, options.standardInput)) {
      const block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const end = block.lastIndexOf(NEWLINE) + 1;
      rest = block.subarray(end);
      if (end > 0) yield { deliveries: deliveriesOf(block.subarray(0, end), joiner, options.take), bytes: end };
    }
  } catch (thrown) {
    if (!isBrokenGzip(thrown)) throw thrown;
    yield {
      deliveries: [
        ...joiner.end(),
        joiner.broken(`The gzip file ends early or is damaged: ${messageOf(thrown)}.`, rest.toString('latin1')),
      ],
      bytes: 0,
    };
    return;
  }
  yield { deliveries: [...deliveriesOf(rest, joiner, options.take), ...joiner.end()], bytes: rest.length };
}

function deliveriesOf(block: Buffer, joiner: LineJoiner, take?: LineTaker): Delivered[] {
  const deliveries: Delivered[] = [];
  const allUtf8 = isUtf8(block);
  let start = 0;
  while (start < block.length) {
    const newline = block.indexOf(NEWLINE, start);
    const end = newline === -1 ? block.length : newline;
    const isText = allUtf8 || isUtf8(block.subarray(start, end));
    if (isText && joiner.isBetween && take?.(block, start, end) === true) joiner.passLine();
    else {
      joiner.line(
        isText ? block.toString('utf8', start, end) : null,
        () => block.toString('latin1', start, end),
        deliveries,
      );
    }
    start = end + 1;
  }
  return deliveries;
}

/** The bytes of a file, unpacked where they are gzip. */
async function openRecords(file: string, standardInput: Readable): Promise<AsyncIterable<Buffer>> {
  const raw = file === '-' ? standardInput : createReadStream(file, { highWaterMark: READ_BYTES });
  const chunks = raw[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await readFirst(file, chunks);
  const whole = joined(first, chunks);
  if (first?.[0] !== 0x1f || first[1] !== 0x8b) return whole;
  // Errors come out of the last stream's iterator; the callback only keeps them from being thrown a second time.
  return pipeline(whole, createGunzip({ chunkSize: READ_BYTES }), () => undefined) as AsyncIterable<Buffer>;
}

async function readFirst(file: string, chunks: AsyncIterator<Buffer>): Promise<Buffer | null> {
  try {
    const first = await chunks.next();
    return first.done === true ? null : first.value;
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT'))
      throw new GlasshouseError(
        'usage',
        `There is no file ${file}; name files of stream records, or - for standard input.`,
      );
    throw unusable(file, thrown);
  }
}

async function* joined(first: Buffer | null, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first !== null) yield first;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}

function isBrokenGzip(thrown: unknown): boolean {
  return isCode(thrown, 'Z_BUF_ERROR') || isCode(thrown, 'Z_DATA_ERROR');
}

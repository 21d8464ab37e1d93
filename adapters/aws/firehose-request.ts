import type { FirehoseClient, PutRecordBatchCommandInput, PutRecordBatchCommandOutput } from '@aws-sdk/client-firehose';
import { PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import type { LineRange, Packing } from '../../core/firehose-batches.ts';
import { planBatches } from '../../core/firehose-batches.ts';

/** Lines as the bytes of records, ready to be put, and put again. The lines themselves are no longer needed. */
export interface EncodedLines {
  readonly bytes: Buffer;
  /** By request. */
  readonly requests: readonly (readonly EncodedRecord[])[];
}

/** Some lines, and where their bytes are. */
export interface EncodedRecord extends LineRange {
  readonly at: number;
}

/** The answer, unchecked. */
export type PutAnswer = Partial<Pick<PutRecordBatchCommandOutput, 'FailedPutCount' | 'RequestResponses'>>;

const LINE_END = 10;

/** No character takes more bytes in UTF-8 for each of its UTF-16 units. */
const MOST_BYTES_A_UNIT = 3;

/** Where lines are encoded first, again and again: it stays in the processor's cache, and nothing has to be measured before. */
let room = Buffer.alloc(0);

/** Plans the requests of some lines, and encodes them. */
export function encodeLines(lines: readonly string[], packing: Packing): EncodedLines {
  const { lineBytes, length } = writeToRoom(lines, packing === 'together');
  const bytes = Buffer.allocUnsafeSlow(length);
  room.copy(bytes, 0, 0, length);
  let at = 0;
  const requests = planBatches(lineBytes, packing).map((request) =>
    request.map(({ first, end, bytes: recordBytes }): EncodedRecord => {
      const from = at;
      at += recordBytes;
      return { first, end, bytes: recordBytes, at: from };
    }),
  );
  return { bytes, requests };
}

function writeToRoom(
  lines: readonly string[],
  withEnds: boolean,
): { readonly lineBytes: readonly number[]; readonly length: number } {
  let needed = 0;
  for (const line of lines) needed += line.length * MOST_BYTES_A_UNIT + 1;
  if (needed > room.length) room = Buffer.allocUnsafeSlow(needed);
  const lineBytes: number[] = [];
  let at = 0;
  for (const line of lines) {
    const written = room.write(line, at, 'utf8');
    lineBytes.push(written);
    at += written;
    if (withEnds) room[at++] = LINE_END;
  }
  return { lineBytes, length: at };
}

/**
 * Puts records to a Firehose stream by one request. The SDK takes the most of a request's time for turning 500 records
 * into JSON and 500 answers back (measured: four times all the rest together), so the body is written here, and the
 * answer read. Signing, the endpoint and the exceptions of failed calls remain the SDK's.
 */
export async function putRecordBatch(
  client: FirehoseClient,
  streamName: string,
  { bytes, records }: { readonly bytes: Buffer; readonly records: readonly EncodedRecord[] },
  signal: AbortSignal,
): Promise<PutAnswer> {
  const command = new PutRecordBatchCommand(lazyInput(streamName, bytes, records));
  let answer: PutAnswer | null = null;
  // First of all, so that no other looks at the records, and only this body is signed.
  command.middlewareStack.add(
    (next) => (args) => next({ ...args, input: { DeliveryStreamName: streamName, Records: [] } }),
    {
      step: 'initialize',
      priority: 'high',
      name: 'glasshouseNoRecords',
    },
  );
  command.middlewareStack.add(
    (next) => (args) => {
      if (hasBody(args.request)) args.request.body = requestBody(streamName, bytes, records);
      return next(args);
    },
    // After the SDK's serialiser, and before the length is counted and the whole is signed.
    { step: 'serialize', priority: 'low', name: 'glasshouseBody' },
  );
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      if (!isGoodAnswer(result.response)) return result;
      answer = parseAnswer(await collect(result.response.body));
      return { ...result, response: { ...result.response, body: new Uint8Array(0) } };
    },
    { step: 'deserialize', priority: 'low', name: 'glasshouseAnswer' },
  );
  const output = await client.send(command, { abortSignal: signal });
  // The variable is assigned in the middleware, which the compiler cannot see.
  return (answer as PutAnswer | null) ?? output;
}

/** What the request is, for whoever looks at the command: the records are made when they are asked for. */
function lazyInput(streamName: string, bytes: Buffer, records: readonly EncodedRecord[]): PutRecordBatchCommandInput {
  return {
    DeliveryStreamName: streamName,
    get Records() {
      return records.map(({ at, bytes: length }) => ({ Data: bytes.subarray(at, at + length) }));
    },
  };
}

/** The request as JSON. It has ASCII only, so that one byte is one character. */
export function requestBody(streamName: string, bytes: Buffer, records: readonly EncodedRecord[]): Uint8Array {
  const head = `{"DeliveryStreamName":${JSON.stringify(streamName)},"Records":[`;
  let length = head.length + TAIL.length;
  for (const record of records) length += encodedLength(record.bytes) + BETWEEN.length;
  const body = Buffer.allocUnsafeSlow(length);
  let at = body.write(head, 0, 'latin1');
  for (let index = 0; index < records.length; index++) {
    const { at: from = 0, bytes: recordBytes = 0 } = records[index] ?? {};
    at += body.write(index === 0 ? FIRST : BETWEEN, at, 'latin1');
    at += body.write(bytes.toString('base64', from, from + recordBytes), at, 'latin1');
  }
  at += body.write(TAIL, at, 'latin1');
  return body.subarray(0, at);
}

const FIRST = '{"Data":"';
const BETWEEN = '"},{"Data":"';
const TAIL = '"}]}';

function encodedLength(bytes: number): number {
  return 4 * Math.ceil(bytes / 3);
}

function hasBody(request: unknown): request is { body: unknown } {
  return typeof request === 'object' && request !== null && 'body' in request;
}

interface HttpAnswer {
  readonly statusCode: number;
  readonly body: AsyncIterable<Uint8Array | string> | Uint8Array | string;
}

function isGoodAnswer(response: unknown): response is HttpAnswer {
  if (typeof response !== 'object' || response === null) return false;
  const { statusCode } = response as { readonly statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode < 300 && 'body' in response;
}

async function collect(body: HttpAnswer['body']): Promise<string> {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8');
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(typeof part === 'string' ? Buffer.from(part) : part);
  return Buffer.concat(parts).toString('utf8');
}

/** An answer that cannot be read says nothing about any record. */
function parseAnswer(text: string): PutAnswer {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

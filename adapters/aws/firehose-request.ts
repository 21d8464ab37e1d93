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

/** Plans the requests of some lines, and encodes them. */
export function encodeLines(lines: readonly string[], packing: Packing): EncodedLines {
  const lineBytes = lines.map((line) => Buffer.byteLength(line, 'utf8'));
  const planned = planBatches(lineBytes, packing);
  const bytes = Buffer.allocUnsafeSlow(planned.flat().reduce((sum, record) => sum + record.bytes, 0));
  let at = 0;
  const requests = planned.map((request) =>
    request.map((record): EncodedRecord => {
      const from = at;
      for (let line = record.first; line < record.end; line++) {
        at += bytes.write(lines[line] ?? '', at, 'utf8');
        if (packing === 'together') bytes[at++] = LINE_END;
      }
      return { ...record, at: from };
    }),
  );
  return { bytes, requests };
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
  let length = head.length + 2;
  for (const record of records) length += encodedLength(record.bytes) + RECORD_FRAME_BYTES;
  const body = Buffer.allocUnsafeSlow(length);
  let at = body.write(head, 0, 'latin1');
  for (const [index, record] of records.entries()) {
    at += body.write(index === 0 ? '{"Data":"' : ',{"Data":"', at, 'latin1');
    at += body.write(bytes.toString('base64', record.at, record.at + record.bytes), at, 'latin1');
    at += body.write('"}', at, 'latin1');
  }
  at += body.write(']}', at, 'latin1');
  return body.subarray(0, at);
}

/** `,{"Data":""}` */
const RECORD_FRAME_BYTES = 12;

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

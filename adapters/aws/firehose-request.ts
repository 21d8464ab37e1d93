import type { FirehoseClient, PutRecordBatchCommandOutput } from '@aws-sdk/client-firehose';
import { PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import type { LineRange, PlannedRequest } from '../../core/firehose-batches.ts';

/** The bytes of a request's records, one after the other. */
export interface RequestData {
  readonly bytes: Buffer;
  /** Where each record ends. */
  readonly ends: readonly number[];
}

/** The answer, unchecked. */
export type PutAnswer = Partial<Pick<PutRecordBatchCommandOutput, 'FailedPutCount' | 'RequestResponses'>>;

const LINE_END = 10;

/** The lines of a request as bytes. Records of more than one line, and those that `withEnds` says it of, have the lines' ends. */
export function requestData(lines: readonly string[], request: PlannedRequest, withEnds: boolean): RequestData {
  const bytes = Buffer.allocUnsafe(request.reduce((sum, record) => sum + record.bytes, 0));
  let at = 0;
  const ends = request.map((record) => (at = writeRecord(lines, record, withEnds, bytes, at)));
  return { bytes: bytes.subarray(0, at), ends };
}

function writeRecord(
  lines: readonly string[],
  { first, end }: LineRange,
  withEnds: boolean,
  bytes: Buffer,
  from: number,
): number {
  let at = from;
  for (let line = first; line < end; line++) {
    at += bytes.write(lines[line] ?? '', at, 'utf8');
    if (withEnds) bytes[at++] = LINE_END;
  }
  return at;
}

/**
 * Puts records to a Firehose stream by one request. The SDK takes the most of a request's time for turning 500 records
 * into JSON and 500 answers back (measured: four times all the rest together), so the body is written here, and the
 * answer read. Signing, the endpoint and the exceptions of failed calls remain the SDK's.
 */
export async function putRecordBatch(
  client: FirehoseClient,
  streamName: string,
  data: RequestData,
  signal: AbortSignal,
): Promise<PutAnswer> {
  const command = new PutRecordBatchCommand({ DeliveryStreamName: streamName, Records: recordsOf(data) });
  let answer: PutAnswer | null = null;
  command.middlewareStack.add((next) => (args) => next({ ...args, input: { ...args.input, Records: [] } }), {
    step: 'initialize',
    name: 'glasshouseNoRecords',
  });
  command.middlewareStack.add(
    (next) => (args) => {
      if (hasBody(args.request)) args.request.body = requestBody(streamName, data);
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

function recordsOf({ bytes, ends }: RequestData): { Data: Uint8Array }[] {
  return ends.map((end, index) => ({ Data: bytes.subarray(ends[index - 1] ?? 0, end) }));
}

/** The request as JSON. It has ASCII only, so that one byte is one character. */
export function requestBody(streamName: string, { bytes, ends }: RequestData): Uint8Array {
  const head = `{"DeliveryStreamName":${JSON.stringify(streamName)},"Records":[`;
  const body = Buffer.allocUnsafe(head.length + ends.length * MOST_RECORD_FRAME + Math.ceil(bytes.length / 3) * 4 + 2);
  let at = body.write(head, 0, 'latin1');
  let from = 0;
  for (let index = 0; index < ends.length; index++) {
    const end = ends[index] ?? from;
    at += body.write(index === 0 ? '{"Data":"' : ',{"Data":"', at, 'latin1');
    at += body.write(bytes.toString('base64', from, end), at, 'latin1');
    at += body.write('"}', at, 'latin1');
    from = end;
  }
  at += body.write(']}', at, 'latin1');
  return body.subarray(0, at);
}

/** What stands around a record's base64, and what rounding to three bytes adds to it. */
const MOST_RECORD_FRAME = 16;

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

import type { PutRecordBatchCommandOutput } from '@aws-sdk/client-firehose';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { Readable } from 'node:stream';

/** A request as it came over the wire: the stream it is for, and its records, decoded. */
export interface TakenRequest {
  readonly stream: string;
  readonly records: readonly string[];
  readonly bodyBytes: number;
}

type Answer = Omit<PutRecordBatchCommandOutput, '$metadata'>;

/** A Firehose behind a real client: it sees what is sent, byte by byte, and answers as a test says. */
export interface FakeFirehose {
  readonly client: FirehoseClient;
  /** Every request, those that were refused too. */
  readonly requests: readonly TakenRequest[];
  /** The records that were taken, by stream. */
  taken(stream: string): readonly string[];
}

/**
 * What becomes of each record of a request: true for those that are taken. Or of all of it: `throttle` and `break` take
 * nothing; `garble` takes all and answers what cannot be read; `hang` takes all and never answers.
 */
export type Verdict = (
  request: TakenRequest,
  call: number,
) => readonly boolean[] | 'throttle' | 'break' | 'garble' | 'hang';

export function createFakeFirehose(verdict: Verdict = ({ records }) => records.map(() => true)): FakeFirehose {
  const requests: TakenRequest[] = [];
  const taken = new Map<string, string[]>();
  const take = ({ stream, records }: TakenRequest, verdicts: readonly boolean[]): void => {
    taken.set(stream, [...(taken.get(stream) ?? []), ...records.filter((_, index) => verdicts[index])]);
  };
  const handle = async (request: { readonly body: Uint8Array }, { abortSignal }: HandlerOptions = {}) => {
    const read = readRequest(request.body);
    requests.push(read);
    const verdicts = verdict(read, requests.length);
    if (verdicts === 'break') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    if (verdicts === 'throttle')
      return answered(400, '{"__type":"ServiceUnavailableException","message":"Slow down."}');
    const isWhole = verdicts === 'garble' || verdicts === 'hang';
    take(read, isWhole ? read.records.map(() => true) : verdicts);
    if (verdicts === 'hang') await aborted(abortSignal);
    return answered(200, isWhole ? '{"FailedPutCount":0,"Requ' : JSON.stringify(answerOf(verdicts)));
  };
  const client = new FirehoseClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
    requestHandler: { handle },
  });
  return { client, requests, taken: (stream) => taken.get(stream) ?? [] };
}

/** The answer of Firehose to a request, of which these records were taken. */
export function answerOf(verdicts: readonly boolean[]): Answer {
  return {
    Encrypted: false,
    FailedPutCount: verdicts.filter((isTaken) => !isTaken).length,
    RequestResponses: verdicts.map((isTaken, index) =>
      isTaken
        ? { RecordId: `record-${index}` }
        : { ErrorCode: 'ServiceUnavailableException', ErrorMessage: 'Slow down.' },
    ),
  };
}

function readRequest(body: Uint8Array): TakenRequest {
  const parsed = JSON.parse(Buffer.from(body).toString('utf8')) as {
    readonly DeliveryStreamName: string;
    readonly Records: readonly { readonly Data: string }[];
  };
  const records = parsed.Records.map(({ Data }) => Buffer.from(Data, 'base64').toString('utf8'));
  return { stream: parsed.DeliveryStreamName, records, bodyBytes: body.length };
}

interface HandlerOptions {
  readonly abortSignal?: AbortSignal;
}

/** Rejects as the SDK's own handler does once a request is given up. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (): void => reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
    if (signal?.aborted) giveUp();
    signal?.addEventListener('abort', giveUp);
  });
}

function answered(statusCode: number, text: string) {
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  return { response: { statusCode, headers, body: Readable.from([Buffer.from(text)]) } };
}

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerOf } from './fake-firehose.ts';

/** Firehose and S3 behind one loopback address, as far as capture uses them. */
export interface FakeAwsServer {
  readonly endpoint: string;
  /** The records that each Firehose stream took, decoded. */
  readonly taken: ReadonlyMap<string, readonly string[]>;
  /** What was put to S3, by `bucket/key`. */
  readonly objects: ReadonlyMap<string, Buffer>;
  close(): Promise<void>;
}

/** `isTaken` decides about each record of each PutRecordBatch, by a number that rises with every record. */
export async function startFakeAws(isTaken: (record: number) => boolean): Promise<FakeAwsServer> {
  const taken = new Map<string, string[]>();
  const objects = new Map<string, Buffer>();
  let offered = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    if (request.headers['x-amz-target'] === undefined) {
      objects.set((request.url ?? '').split('?')[0]?.slice(1) ?? '', body);
      response.end();
      return;
    }
    const { DeliveryStreamName: stream, Records: records } = JSON.parse(body.toString()) as {
      readonly DeliveryStreamName: string;
      readonly Records: readonly { readonly Data: string }[];
    };
    const verdicts = records.map(() => isTaken(offered++));
    const lines = records.map(({ Data }) => Buffer.from(Data, 'base64').toString('utf8'));
    taken.set(stream, [...(taken.get(stream) ?? []), ...lines.filter((_, index) => verdicts[index])]);
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify(answerOf(verdicts)));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { endpoint: `http://127.0.0.1:${port}`, taken, objects, close };
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cloudFormationAnswers } from '../../../adapters/aws/cloudformation-answers.ts';
import type { ResourceAnswer } from '../../../flows/register-answer.ts';
import { virtualTiming } from '../../support/fake-dynamodb-streams.ts';

const ANSWER: ResourceAnswer = {
  Status: 'SUCCESS',
  Reason: 'Done.',
  PhysicalResourceId: 'shop/orders/lake',
  StackId: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/Shop/1',
  RequestId: 'r-1',
  LogicalResourceId: 'Lake',
  Data: { schemaVersion: '1' },
};

interface Put {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** What a server got that answers with these statuses, the last of them for ever. */
async function sent(statuses: readonly number[]): Promise<{ readonly puts: Put[]; readonly thrown: unknown }> {
  const puts: Put[] = [];
  const left = [...statuses];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      puts.push({ method: request.method, url: request.url, headers: request.headers, body });
      response.writeHead((left.length > 1 ? left.shift() : left[0]) ?? 500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  let thrown: unknown = null;
  try {
    await cloudFormationAnswers({ timing: virtualTiming() }).send(
      `http://127.0.0.1:${port}/answer?Signature=s3cr3t`,
      ANSWER,
    );
  } catch (caught) {
    thrown = caught;
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return { puts, thrown };
}

describe('cloudFormationAnswers', () => {
  it('puts the answer whole, with its length and without a content type, as the URL is signed', async () => {
    const { puts, thrown } = await sent([200]);
    expect(thrown).toBeNull();
    expect(puts).toHaveLength(1);
    expect(puts[0]).toMatchObject({ method: 'PUT', url: '/answer?Signature=s3cr3t' });
    expect(JSON.parse(puts[0]?.body ?? '')).toEqual(ANSWER);
    expect(puts[0]?.headers['content-length']).toBe(String(JSON.stringify(ANSWER).length));
    expect(puts[0]?.headers['content-type']).toBeUndefined();
    expect(puts[0]?.headers['transfer-encoding']).toBeUndefined();
  });

  it('tries again where it is not taken', async () => {
    const { puts, thrown } = await sent([503, 500, 200]);
    expect(thrown).toBeNull();
    expect(puts).toHaveLength(3);
  });

  it('says after five tries what to do, and keeps the signed URL to itself', async () => {
    const { puts, thrown } = await sent([403]);
    expect(puts).toHaveLength(5);
    expect(thrown).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/5 tries: S3 answered 403.*VPC/) as string,
    });
    expect(String(thrown)).not.toContain('s3cr3t');
  });
});

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { describeTable, mirrorableStream, scanTable, type WireItem } from '../../../adapters/aws/dynamodb-table.ts';
import { virtualTiming } from '../../support/fake-dynamodb-streams.ts';

type Answer = Readonly<Record<string, unknown>> | { readonly fail: string };

/** A client whose service is a function. */
function clientOf(answer: (operation: string, input: Readonly<Record<string, unknown>>) => Answer): DynamoDBClient {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  return new DynamoDBClient({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
    requestHandler: {
      metadata: { handlerProtocol: 'http/1.1' },
      handle: (request: { headers: Readonly<Record<string, string>>; body: Uint8Array }) => {
        const input = JSON.parse(new TextDecoder().decode(request.body)) as Record<string, unknown>;
        const given = answer((request.headers['x-amz-target'] ?? '').split('.')[1] ?? '', input);
        const body = 'fail' in given ? { __type: `com.amazonaws#${String(given.fail)}`, message: 'scripted' } : given;
        const response = {
          statusCode: 'fail' in given ? 400 : 200,
          headers: {},
          body: Buffer.from(JSON.stringify(body)),
        };
        return Promise.resolve({ response });
      },
    },
  });
}

const described = (stream: object) =>
  clientOf(() => ({
    Table: {
      TableName: 'orders',
      ItemCount: 17,
      KeySchema: [
        { AttributeName: 'placedAt', KeyType: 'RANGE' },
        { AttributeName: 'customer', KeyType: 'HASH' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'other', AttributeType: 'S' },
        { AttributeName: 'placedAt', AttributeType: 'N' },
        { AttributeName: 'customer', AttributeType: 'S' },
      ],
      ...stream,
    },
  }));
const streaming = (viewType: string) => ({
  LatestStreamArn: 'arn:stream',
  StreamSpecification: { StreamEnabled: true, StreamViewType: viewType },
});

describe('describeTable', () => {
  it('gives the key in key order, the stream and the count', async () => {
    expect(await describeTable(described(streaming('NEW_AND_OLD_IMAGES')), 'orders')).toEqual({
      tableName: 'orders',
      key: [
        { attribute: 'customer', type: 'S' },
        { attribute: 'placedAt', type: 'N' },
      ],
      streamArn: 'arn:stream',
      streamViewType: 'NEW_AND_OLD_IMAGES',
      itemCount: 17,
    });
  });

  it('gives no stream where it is off, though an old one has an ARN', async () => {
    const table = await describeTable(described({ LatestStreamArn: 'arn:old' }), 'orders');
    expect(table).toMatchObject({ streamArn: null, streamViewType: null });
  });

  it('says which table is missing and where it looked', async () => {
    const client = clientOf(() => ({ fail: 'ResourceNotFoundException' }));
    await expect(describeTable(client, 'ordrs')).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/no table ordrs at http:\/\/127\.0\.0\.1:1\b/) as string,
    });
  });

  it('says why it could not ask', async () => {
    const client = clientOf(() => ({ fail: 'AccessDeniedException' }));
    await expect(describeTable(client, 'orders')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/describe the table orders: AccessDeniedException.*credentials/) as string,
    });
  });
});

describe('mirrorableStream', () => {
  const of = async (stream: object) => describeTable(described(stream), 'orders');

  it('gives the ARN of a stream with new images', async () => {
    expect(mirrorableStream(await of(streaming('NEW_IMAGE')))).toBe('arn:stream');
  });

  it('gives the command that turns the stream on', async () => {
    const table = await of({});
    expect(() => mirrorableStream(table, 'http://127.0.0.1:8000')).toThrow(
      'aws dynamodb update-table --endpoint-url http://127.0.0.1:8000 --table-name orders ' +
        '--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES',
    );
  });

  it('gives the commands that replace a stream without new images', async () => {
    const table = await of(streaming('KEYS_ONLY'));
    expect(() => mirrorableStream(table)).toThrow(/KEYS_ONLY[^]*StreamEnabled=false\n[^]*StreamEnabled=true/);
  });
});

describe('scanTable', () => {
  const backoff = { timing: virtualTiming(), unreachableMs: 60_000 };
  const itemOf = (segment: number, page: number): WireItem => ({
    id: { B: Buffer.from([segment, page]).toString('base64') },
    n: { N: '12345678901234567890123456789012345678' },
  });

  /** Three pages in each segment, by a binary key. */
  function pagesOf(inputs: Readonly<Record<string, unknown>>[]): DynamoDBClient {
    return clientOf((_, input) => {
      inputs.push(input);
      const start = input.ExclusiveStartKey as { id: { B: string } } | undefined;
      const page = start ? (Buffer.from(start.id.B, 'base64')[1] ?? 0) + 1 : 0;
      const item = itemOf(Number(input.Segment), page);
      return { Items: page === 1 ? [] : [item], ...(page < 2 ? { LastEvaluatedKey: { id: item.id } } : {}) };
    });
  }

  const all = async (pages: AsyncIterable<readonly WireItem[]>): Promise<WireItem[]> => {
    const items: WireItem[] = [];
    for await (const page of pages) items.push(...page);
    return items;
  };

  it('reads every page of every segment consistently, as plain DynamoDB JSON', async () => {
    const inputs: Readonly<Record<string, unknown>>[] = [];
    const items = await all(scanTable(pagesOf(inputs), 'orders', { segments: 3, backoff }));
    const expected = [0, 1, 2].flatMap((segment) => [itemOf(segment, 0), itemOf(segment, 2)]);
    expect(items).toHaveLength(6);
    expect(items).toEqual(expect.arrayContaining(expected));
    expect(inputs).toHaveLength(9);
    expect(inputs.every((input) => input.ConsistentRead === true && input.TotalSegments === 3)).toBe(true);
  });

  it('waits out throttling', async () => {
    let refusals = 5;
    const client = clientOf(() =>
      refusals-- > 0 ? { fail: 'ProvisionedThroughputExceededException' } : { Items: [{ id: { S: 'a' } }] },
    );
    expect(await all(scanTable(client, 'orders', { segments: 1, backoff }))).toEqual([{ id: { S: 'a' } }]);
  });

  it('fails as a whole when a segment cannot be read', async () => {
    const client = clientOf((_, input) => (input.Segment === 1 ? { fail: 'AccessDeniedException' } : { Items: [] }));
    await expect(all(scanTable(client, 'orders', { segments: 2, backoff }))).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it('does not run ahead of its consumer by more than the queue and a page for each segment', async () => {
    let asked = 0;
    const client = clientOf((_, input) => {
      asked++;
      return { Items: [{ id: { S: 'a' } }], LastEvaluatedKey: { id: { S: String(input.Segment) } } };
    });
    const pages = scanTable(client, 'orders', { segments: 2, backoff });
    await pages.next();
    for (let pause = 0; pause < 200; pause++) await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBeLessThanOrEqual(1 + 8 + 2);
    await pages.return(undefined);
  });

  it('ends without an error when its signal aborts', async () => {
    const abort = new AbortController();
    const client = clientOf(() => ({ Items: [{ id: { S: 'a' } }], LastEvaluatedKey: { id: { S: 'a' } } }));
    let pages = 0;
    for await (const page of scanTable(client, 'orders', { signal: abort.signal, backoff })) {
      expect(page).toHaveLength(1);
      if (++pages === 3) abort.abort();
    }
    expect(pages).toBe(3);
  });
});

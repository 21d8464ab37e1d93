import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';

/** A bucket behind a mocked client: objects by key, pages of two keys. */
export interface FakeBucket {
  readonly client: S3Client;
  readonly objects: Map<string, Buffer>;
  restore(): void;
}

const PAGE_KEYS = 2;

export function createFakeBucket(): FakeBucket {
  const objects = new Map<string, Buffer>();
  const client = new S3Client({ region: 'us-east-1' });
  const mock = mockClient(client);
  mock.on(PutObjectCommand).callsFake(({ Key, Body }: { readonly Key: string; readonly Body: string | Uint8Array }) => {
    objects.set(Key, Buffer.from(Body as Uint8Array));
    return {};
  });
  mock.on(GetObjectCommand).callsFake(({ Key }: { readonly Key: string }) => {
    const bytes = objects.get(Key);
    if (bytes === undefined) throw new NoSuchKey({ message: 'no key', $metadata: {} });
    return { Body: { transformToString: () => Promise.resolve(bytes.toString('utf8')) } };
  });
  mock
    .on(ListObjectsV2Command)
    .callsFake(({ Prefix, ContinuationToken }: { readonly Prefix: string; readonly ContinuationToken?: string }) => {
      const keys = [...objects.keys()].filter((key) => key.startsWith(Prefix)).sort();
      const from = Number(ContinuationToken ?? 0);
      return {
        Contents: keys.slice(from, from + PAGE_KEYS).map((Key) => ({ Key })),
        ...(from + PAGE_KEYS < keys.length ? { NextContinuationToken: String(from + PAGE_KEYS) } : {}),
      };
    });
  return { client, objects, restore: () => mock.restore() };
}

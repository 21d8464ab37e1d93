import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { createS3RedriveShelf } from '../../../adapters/aws/s3-redrive-shelf.ts';

const s3 = mockClient(S3Client);
const shelf = createS3RedriveShelf(new S3Client({ region: 'eu-central-1' }), 'b');
const missing = new NoSuchKey({ message: 'gone', $metadata: {} });
const throttled = Object.assign(new Error('slow down'), { name: 'SlowDown' });

const body = (bytes: Uint8Array) =>
  ({ transformToByteArray: () => Promise.resolve(bytes) }) as unknown as NonNullable<GetObjectCommandOutput['Body']>;

beforeEach(() => s3.reset());

describe('keys', () => {
  it('lists some, after one, without the empty objects that stand for folders', async () => {
    s3.on(ListObjectsV2Command).resolves({
      Contents: [
        { Key: 'errors/', Size: 0 },
        { Key: 'errors/a', Size: 0 },
        { Key: 'errors/b', Size: 7 },
      ],
    });
    expect(await shelf.keys('errors/', 'errors/0')).toEqual(['errors/a', 'errors/b']);
    expect(s3.call(0).args[0].input).toEqual({ Bucket: 'b', Prefix: 'errors/', MaxKeys: 200, StartAfter: 'errors/0' });
  });

  it('are none in an empty bucket', async () => {
    s3.on(ListObjectsV2Command).resolves({});
    expect(await shelf.keys('errors/', null)).toEqual([]);
  });

  it('says what failed', async () => {
    s3.on(ListObjectsV2Command).rejects(throttled);
    await expect(shelf.keys('errors/', null)).rejects.toThrow('Could not list s3://b/errors/: SlowDown');
  });
});

describe('read', () => {
  const read = async (bytes: Uint8Array) => {
    s3.on(GetObjectCommand).resolves({ Body: body(bytes) });
    return Buffer.from((await shelf.read('k')) ?? []).toString();
  };

  it('gives the bytes, unpacked where they are gzip', async () => {
    expect(await read(Buffer.from('plain'))).toBe('plain');
    expect(await read(gzipSync('packed'))).toBe('packed');
  });

  it('gives what is cut as it is, since nobody could read it better', async () => {
    const cut = gzipSync('packed').subarray(0, 12);
    s3.on(GetObjectCommand).resolves({ Body: body(cut) });
    expect(await shelf.read('k')).toEqual(cut);
  });

  it('is null for what is gone, and an error where it cannot be read', async () => {
    s3.on(GetObjectCommand).rejectsOnce(missing).rejectsOnce(throttled);
    expect(await shelf.read('k')).toBeNull();
    await expect(shelf.read('k')).rejects.toThrow('Could not read s3://b/k');
  });
});

describe('settle', () => {
  it('keeps the object below redriven/ first, then removes it', async () => {
    await shelf.settle('errors/ä b', null);
    expect(s3.calls().map((call) => call.args[0].constructor.name)).toEqual([
      'CopyObjectCommand',
      'DeleteObjectCommand',
    ]);
    expect(s3.call(0).args[0].input).toEqual({
      Bucket: 'b',
      Key: 'redriven/errors/ä b',
      CopySource: 'b%2Ferrors%2F%C3%A4%20b',
    });
  });

  it('leaves the rest in its place', async () => {
    await shelf.settle('k', 'rest\n');
    expect(s3.commandCalls(PutObjectCommand)[0]?.args[0].input).toEqual({ Bucket: 'b', Key: 'k', Body: 'rest\n' });
    expect(s3.commandCalls(DeleteObjectCommand)).toEqual([]);
  });

  it('does nothing more where the object is gone, and removes nothing that was not kept', async () => {
    s3.on(CopyObjectCommand).rejectsOnce(missing).rejectsOnce(throttled);
    await shelf.settle('k', null);
    await expect(shelf.settle('k', null)).rejects.toThrow('Could not keep s3://b/k below redriven/');
    expect(s3.commandCalls(DeleteObjectCommand)).toEqual([]);
  });
});

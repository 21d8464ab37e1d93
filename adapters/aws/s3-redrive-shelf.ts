import type { S3Client } from '@aws-sdk/client-s3';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { gunzipSync } from 'node:zlib';
import { PREFIXES } from '../../core/aws-names.ts';
import type { RedriveShelf } from '../../flows/redrive-ports.ts';
import { explainFailure } from './failure.ts';

const KEYS_A_PAGE = 200;

/** A bucket that redrive works through. The caller keeps the client, and destroys it. */
export function createS3RedriveShelf(client: S3Client, bucket: string): RedriveShelf {
  return {
    bucket,
    async keys(prefix, after) {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        MaxKeys: KEYS_A_PAGE,
        ...(after === null ? {} : { StartAfter: after }),
      });
      const { Contents: objects = [] } = await attempt(`list ${urlOf(bucket, prefix)}`, () => client.send(command));
      // Consoles make empty objects that stand for folders.
      return objects.flatMap(({ Key: key, Size: size }) =>
        key === undefined || (size === 0 && key.endsWith('/')) ? [] : [key],
      );
    },
    read: (key) => readObject(client, bucket, key),
    async settle(key, rest) {
      const copySource = encodeURIComponent(`${bucket}/${key}`);
      const copy = new CopyObjectCommand({ Bucket: bucket, Key: PREFIXES.redriven + key, CopySource: copySource });
      if (!(await copied(() => client.send(copy), urlOf(bucket, key)))) return;
      const settle =
        rest === null
          ? () => client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
          : () => client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: rest }));
      await attempt(`settle ${urlOf(bucket, key)}`, settle);
    },
  };
}

/** An object's bytes, unpacked where they are gzip; null where there is none. */
async function readObject(client: S3Client, bucket: string, key: string): Promise<Uint8Array | null> {
  try {
    const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const bytes = (await body?.transformToByteArray()) ?? new Uint8Array();
    return unpacked(bytes);
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw explainFailure(thrown, `read ${urlOf(bucket, key)}`);
  }
}

function unpacked(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch {
    // Not gzip after all, or cut: the reader finds out that it is nothing it knows, and the object stays.
    return bytes;
  }
}

/** False where the object is gone: another redrive has settled it. */
async function copied(copy: () => Promise<unknown>, url: string): Promise<boolean> {
  try {
    await copy();
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw explainFailure(thrown, `keep ${url} below ${PREFIXES.redriven}`);
  }
}

async function attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw explainFailure(thrown, what);
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'NoSuchKey' || thrown.name === 'NotFound');
}

function urlOf(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`;
}

import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { PREFIXES } from '../../core/aws-names.ts';
import type { OversizedValue } from '../../core/oversize.ts';
import type { OversizedValues } from '../../flows/oversized-values.ts';
import type { Quarantine, QuarantineEntry } from '../../flows/ports.ts';
import type { ControlBucket } from './control-bucket.ts';
import { explainFailure } from './failure.ts';
import { createTurnstile } from './timing.ts';

/** Objects that are read or written at once. */
const CONCURRENCY = 8;
const HASH_DIGITS = 32;

/**
 * Records that were set aside, as JSON lines in objects `quarantine/<table>/<yyyy>/<MM>/<dd>/<hash>.ndjson`, one a batch.
 * The hash is of what the object holds without the time, so a batch that is captured again writes over its own object.
 */
export class S3Quarantine implements Quarantine {
  private readonly client: S3Client;
  private readonly bucket: string;

  /** The caller keeps the client, and destroys it. */
  constructor(client: S3Client, bucket: string) {
    this.client = client;
    this.bucket = bucket;
  }

  async put(entries: readonly QuarantineEntry[]): Promise<void> {
    for (const table of new Set(entries.map((entry) => entry.table))) {
      const ofTable = entries.filter((entry) => entry.table === table);
      const body = ofTable.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      await putObject(this.client, {
        bucket: this.bucket,
        key: keyOf(table, ofTable),
        body,
        contentType: 'application/x-ndjson',
      });
    }
  }

  async counts(table: string): Promise<Readonly<Record<string, number>>> {
    const seen = new Map<string, string>();
    const atOnce = createTurnstile(CONCURRENCY);
    for await (const keys of this.keysOf(table)) {
      const texts = await Promise.all(keys.map((key) => atOnce(() => this.read(key))));
      for (const line of texts.join('').split('\n')) {
        if (line === '') continue;
        const entry = JSON.parse(line) as QuarantineEntry;
        seen.set(identityOf(entry), entry.kind);
      }
    }
    const counts: Record<string, number> = {};
    for (const kind of seen.values()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  private async *keysOf(table: string): AsyncGenerator<string[]> {
    let from: string | undefined;
    do {
      const page = await this.list(`${PREFIXES.quarantine}${table}/`, from);
      yield (page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
      from = page.NextContinuationToken;
    } while (from !== undefined);
  }

  private async list(prefix: string, from: string | undefined) {
    try {
      return await this.client.send(
        new ListObjectsV2Command({
          Bucket: this.bucket,
          Prefix: prefix,
          ...(from === undefined ? {} : { ContinuationToken: from }),
        }),
      );
    } catch (thrown) {
      throw explainFailure(thrown, `list s3://${this.bucket}/${prefix}`);
    }
  }

  private async read(key: string): Promise<string> {
    try {
      const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      return (await Body?.transformToString('utf8')) ?? '';
    } catch (thrown) {
      // Sent through again since it was listed.
      if (thrown instanceof NoSuchKey) return '';
      throw explainFailure(thrown, `read s3://${this.bucket}/${key}`);
    }
  }
}

/** Values that are too large to travel, each an object whose key is the hash of its content. */
export class S3OversizedValues implements OversizedValues {
  private readonly client: S3Client;
  readonly bucket: string;

  /** The caller keeps the client, and destroys it. */
  constructor(client: S3Client, bucket: string) {
    this.client = client;
    this.bucket = bucket;
  }

  async put(values: readonly OversizedValue[]): Promise<void> {
    const atOnce = createTurnstile(CONCURRENCY);
    const { client, bucket } = this;
    await Promise.all(
      values.map(({ key, content }) =>
        atOnce(() => putObject(client, { bucket, key, body: content, contentType: 'application/octet-stream' })),
      ),
    );
  }
}

/** Both, with a client of their own that lives as long as the process. */
export function openS3Stores(bucket: string, traced: <Client>(client: Client) => Client): ControlBucket {
  const client = traced(new S3Client({}));
  return { quarantine: new S3Quarantine(client, bucket), oversized: new S3OversizedValues(client, bucket) };
}

interface PutRequest {
  readonly bucket: string;
  readonly key: string;
  readonly body: string | Uint8Array;
  readonly contentType: string;
}

async function putObject(client: S3Client, { bucket, key, body, contentType }: PutRequest): Promise<void> {
  try {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }));
  } catch (thrown) {
    throw explainFailure(thrown, `write s3://${bucket}/${key}`);
  }
}

function keyOf(table: string, entries: readonly QuarantineEntry[]): string {
  const digest = createHash('sha256');
  for (const entry of entries) digest.update(identityOf(entry));
  const day = new Date(entries[0]?.quarantinedAtMillis ?? 0).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${PREFIXES.quarantine}${table}/${day}/${digest.digest('hex').slice(0, HASH_DIGITS)}.ndjson`;
}

/** What makes two entries the same one: not when it was set aside. */
function identityOf(entry: QuarantineEntry): string {
  return JSON.stringify([entry.table, entry.kind, entry.place, entry.raw]);
}

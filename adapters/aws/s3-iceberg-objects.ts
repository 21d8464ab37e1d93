import type { S3Client } from '@aws-sdk/client-s3';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { GlasshouseError } from '../../core/errors.ts';
import type { Deflate } from '../../core/iceberg/avro-container.ts';
import type { ListedFile, ListedManifest } from '../../core/iceberg/foreign-manifests.ts';
import { readManifest, readManifestList } from '../../core/iceberg/foreign-manifests.ts';
import type { TableHistory } from '../../core/iceberg/table-history.ts';
import { parseTableHistory } from '../../core/iceberg/table-history.ts';
import { explainFailure } from './failure.ts';
import { isNamed } from './glue-failure.ts';
import type { Timing } from './timing.ts';
import { createTurnstile, systemTiming } from './timing.ts';
import { withinDeadline } from './within-deadline.ts';

/** What an Iceberg table's metadata is made of, by `s3://…` URL. None of it changes once written. */
export interface IcebergObjects {
  history(url: string): Promise<TableHistory>;
  manifestList(url: string): Promise<readonly ListedManifest[]>;
  entries(manifest: ListedManifest): Promise<readonly ListedFile[]>;
}

export interface ObjectAccess {
  readonly client: S3Client;
  readonly timing?: Timing | undefined;
  /** How long one object is tried again while S3 throttles or cannot be reached. Default: 30 s. */
  readonly patienceMs?: number | undefined;
}

/** An object that something named is no longer there. */
export class MissingObject extends GlasshouseError {
  constructor(url: string, cause: unknown) {
    super(
      'corrupt',
      `${url} is not there, though the table's metadata names it: it was removed by others than the table's optimizers. ` +
        'Restore it (the bucket keeps versions), or roll the table back to a snapshot without it.',
      { cause },
    );
  }
}

const DEFAULT_PATIENCE_MS = 30_000;
const READS_AT_ONCE = 16;
/** About 60 MB of entries. */
const MOST_KEPT_ENTRIES = 30_000;
const MOST_KEPT_LISTS = 32;
const MOST_KEPT_HISTORIES = 32;

/** We only read. */
const INFLATE: Deflate = {
  compress: () => {
    throw new GlasshouseError('bug', 'Manifests of tables that others write are not written here.');
  },
  decompress: (bytes) => inflateRawSync(bytes),
};

/** Reads them from S3, a bounded number at once, and keeps those that were used last. */
export function icebergObjects(access: ObjectAccess): IcebergObjects {
  const turnstile = createTurnstile(READS_AT_ONCE);
  const read = (url: string): Promise<Uint8Array> => turnstile(() => readObject(access, url));
  const histories = new Kept<TableHistory>(MOST_KEPT_HISTORIES);
  const lists = new Kept<readonly ListedManifest[]>(MOST_KEPT_LISTS);
  const entries = new Kept<readonly ListedFile[]>(MOST_KEPT_ENTRIES, (files) => files.length);
  return {
    history: (url) => histories.get(url, async () => parseTableHistory(textOf(await read(url), url), url)),
    manifestList: (url) => lists.get(url, async () => readManifestList(await read(url), url, INFLATE)),
    entries: (manifest) =>
      entries.get(manifest.path, async () => readManifest(await read(manifest.path), manifest, INFLATE)),
  };
}

/** What was read, by URL, up to a total size; the oldest goes first. */
class Kept<T> {
  private readonly values = new Map<string, T>();
  private readonly most: number;
  private readonly sizeOf: (value: T) => number;
  private size = 0;

  constructor(most: number, sizeOf: (value: T) => number = () => 1) {
    this.most = most;
    this.sizeOf = sizeOf;
  }

  async get(url: string, read: () => Promise<T>): Promise<T> {
    const kept = this.values.get(url);
    if (kept !== undefined) return kept;
    const value = await read();
    if (!this.values.has(url)) this.size += this.sizeOf(value);
    this.values.set(url, value);
    for (const [oldest, old] of this.values) {
      if (this.size <= this.most || oldest === url) break;
      this.values.delete(oldest);
      this.size -= this.sizeOf(old);
    }
    return value;
  }
}

async function readObject(
  { client, timing = systemTiming, patienceMs }: ObjectAccess,
  url: string,
): Promise<Uint8Array> {
  const { bucket, key } = parseUrl(url);
  const deadline = { timing, atMillis: timing.now() + (patienceMs ?? DEFAULT_PATIENCE_MS) };
  try {
    return await withinDeadline(
      `read ${url}`,
      async () => {
        const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return (await body?.transformToByteArray()) ?? new Uint8Array();
      },
      deadline,
    );
  } catch (thrown) {
    if (isNamed(thrown, 'NoSuchKey', 'NotFound')) throw new MissingObject(url, thrown);
    throw explainFailure(thrown, `read ${url}`);
  }
}

function parseUrl(url: string): { readonly bucket: string; readonly key: string } {
  const match = /^s3[an]?:\/\/([^/]+)\/(.+)$/.exec(url);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new GlasshouseError(
      'corrupt',
      `${JSON.stringify(url)} is no s3:// URL, though a table of the lake names it as one of its files.`,
    );
  }
  return { bucket: match[1], key: match[2] };
}

/** Metadata may be compressed, and is then named `….gz.metadata.json`. */
function textOf(bytes: Uint8Array, url: string): string {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new TextDecoder().decode(bytes);
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch (cause) {
    throw new GlasshouseError(
      'corrupt',
      `${url} is cut or damaged: let the table's newest good metadata be its pointer in the catalog again.`,
      { cause },
    );
  }
}

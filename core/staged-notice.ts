import { PREFIXES } from './aws-names.ts';
import type { StagedObject } from './load-plan.ts';

/** What a message of the loader's queue says. */
export type Notice =
  | { readonly kind: 'objects'; readonly objects: readonly StagedObject[] }
  /** S3 sends one when a bucket is told to send notices. */
  | { readonly kind: 'test' }
  | { readonly kind: 'stray'; readonly reason: string };

/** Reads an S3 event notification about staged objects, whose keys are `staged/<table>/…` in this bucket. Throws nothing. */
export function readNotice(body: string, bucket: string): Notice {
  const message = parseObject(body);
  if (message === null) return { kind: 'stray', reason: 'it is no JSON object' };
  if (message.Event === 's3:TestEvent') return { kind: 'test' };
  const records = message.Records;
  if (!Array.isArray(records) || records.length === 0) return { kind: 'stray', reason: 'it has no S3 event records' };
  const objects: StagedObject[] = [];
  for (const record of records as readonly unknown[]) {
    const read = readRecord(record, bucket);
    if (typeof read === 'string') return { kind: 'stray', reason: read };
    objects.push(read);
  }
  return { kind: 'objects', objects };
}

/** The object of an event record; or why there is none. */
function readRecord(record: unknown, bucket: string): StagedObject | string {
  const event = member(record, 'eventName');
  if (typeof event !== 'string' || !/^(s3:)?ObjectCreated:/.test(event)) {
    return `its event is ${JSON.stringify(event ?? null)}, and no object was made`;
  }
  const s3 = member(record, 's3');
  const from = member(member(s3, 'bucket'), 'name');
  if (from !== bucket) return `it is of the bucket ${JSON.stringify(from ?? null)}, not of ${bucket}`;
  const encoded = member(member(s3, 'object'), 'key');
  const key = typeof encoded === 'string' ? decodeKey(encoded) : null;
  const table = key === null ? null : tableOf(key);
  if (key === null || table === null) {
    return `its key ${JSON.stringify(encoded ?? null)} does not fit ${PREFIXES.staged}<table>/…`;
  }
  const bytes = member(member(s3, 'object'), 'size');
  return { table, url: `s3://${bucket}/${key}`, bytes: typeof bytes === 'number' ? bytes : 0 };
}

function tableOf(key: string): string | null {
  if (!key.startsWith(PREFIXES.staged)) return null;
  const [table, ...rest] = key.slice(PREFIXES.staged.length).split('/');
  return table === undefined || table === '' || rest.join('/') === '' ? null : table;
}

/** Keys come as the values of a form do: `+` for a space, the rest in percents. */
function decodeKey(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function parseObject(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

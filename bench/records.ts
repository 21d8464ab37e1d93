import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { createRandom, type Random } from '../local/shop/random.ts';
import { createImages } from './record-image.ts';

/** What changes to make. The shares are those that are tried: where no key is there to update or delete, an insert is made, and the other way about. */
export interface ChangesRequest {
  readonly changes: number;
  /** The most keys that ever exist. */
  readonly keys: number;
  readonly seed: number;
  readonly insert?: number;
  readonly update?: number;
  readonly delete?: number;
  /** Records have the item as it was before, too. Default: false. */
  readonly oldImages?: boolean;
}

/** What a run of changes leaves behind. */
export interface ChangesTotals {
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  /** Items that exist at the end. */
  readonly items: number;
}

export interface WrittenChanges extends ChangesTotals {
  /** Of the JSON, before it is compressed. */
  readonly bytes: number;
}

/** The attributes of the key, in key order: what `replay --key` is given. */
export const BENCH_KEY = ['customer_id', 'order_id'] as const;
export const BENCH_TABLE = 'Orders';

export const BENCH_STREAM_ARN = `arn:aws:dynamodb:us-east-1:000000000000:table/${BENCH_TABLE}/stream/2026-01-05T08:00:00.000`;
const FIRST_SECOND = 1_767_600_000;
const CHANGES_A_SECOND = 1000;
/** 22 digits with what follows it: sequence numbers rise, with gaps as the real ones have. */
const SEQUENCE_PREFIX = '4000000';
const SEQUENCE_START = 100_000_000_000_000;
const WRITE_CHARACTERS = 256 * 1024;

/**
 * DynamoDB stream records as Lambda gets them, one JSON text each and about 1.1 KB, in the order of their sequence
 * numbers: a possible history of the keys (an insert only of what is absent, an update or delete only of what is there).
 * The same request gives the same records. Memory depends on the keys (16 bytes each), not on the changes.
 */
export function* generateChangeLines(request: ChangesRequest): Generator<string, ChangesTotals, undefined> {
  const history = createHistory(request);
  const images = createImages(request.seed);
  const keep = request.oldImages === true;
  for (let index = 0; index < request.changes; index++) {
    const { event, key, version } = history.next();
    const parts = images.keys(key);
    const after = event === 'REMOVE' ? '' : `,"NewImage":${images.image(key, version)}`;
    const before = keep && event !== 'INSERT' ? `,"OldImage":${images.image(key, version - 1)}` : '';
    yield recordText(index, event, `"Keys":{${parts}}${after}${before}`, keep);
  }
  return history.totals();
}

/** The same records, parsed. */
export function* generateChanges(request: ChangesRequest): Generator<unknown, ChangesTotals, undefined> {
  const lines = generateChangeLines(request);
  for (;;) {
    const next = lines.next();
    if (next.done === true) return next.value;
    yield JSON.parse(next.value) as unknown;
  }
}

/** Writes the records to a file, one a line, and gives what they amount to. Memory is bounded. */
export async function writeChangesFile(
  path: string,
  request: ChangesRequest,
  options: { readonly gzip?: boolean } = {},
): Promise<WrittenChanges> {
  const file = createWriteStream(path);
  const target = options.gzip === true ? createGzip({ level: 1 }) : file;
  if (target !== file) target.pipe(file);
  // Listened to from the start, so that an error (a full disk) is thrown here and not by the stream.
  const done = finished(file);
  done.catch(() => undefined);
  const lines = generateChangeLines(request);
  let bytes = 0;
  for (;;) {
    const { text, totals } = nextText(lines);
    const data = Buffer.from(text);
    bytes += data.length;
    if (!target.write(data)) await Promise.race([once(target, 'drain'), done]);
    if (totals === null) continue;
    target.end();
    await done;
    return { ...totals, bytes };
  }
}

/** Some lines as one text, each with its line end, and the totals where they were the last. */
function nextText(lines: Generator<string, ChangesTotals, undefined>): {
  readonly text: string;
  readonly totals: ChangesTotals | null;
} {
  const parts: string[] = [];
  for (let length = 0; length < WRITE_CHARACTERS;) {
    const next = lines.next();
    if (next.done === true) return { text: parts.join(''), totals: next.value };
    parts.push(next.value, '\n');
    length += next.value.length;
  }
  return { text: parts.join(''), totals: null };
}

type EventName = 'INSERT' | 'MODIFY' | 'REMOVE';

function recordText(index: number, event: EventName, body: string, oldImages: boolean): string {
  const sequence = `${SEQUENCE_PREFIX}${SEQUENCE_START + index * 7}`;
  const second = FIRST_SECOND + Math.floor(index / CHANGES_A_SECOND);
  const viewType = oldImages ? 'NEW_AND_OLD_IMAGES' : 'NEW_IMAGE';
  const eventId = `${(index * 2_654_435_761).toString(16).padStart(16, '0')}${SEQUENCE_PREFIX}a1b2c3d4e`;
  return (
    `{"eventID":"${eventId}","eventName":"${event}","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",` +
    `"dynamodb":{"ApproximateCreationDateTime":${second},${body},"SequenceNumber":"${sequence}","SizeBytes":512,"StreamViewType":"${viewType}"},` +
    `"eventSourceARN":"${BENCH_STREAM_ARN}"}`
  );
}

interface NextChange {
  readonly event: EventName;
  readonly key: number;
  /** How often the key was written before, this change left out: what its images are made from. */
  readonly version: number;
}

/** Chooses the next change so that the whole is a possible history. Keys that never existed are inserted before removed ones come back. */
function createHistory(request: ChangesRequest) {
  const shares = { insert: request.insert ?? 0.2, update: request.update ?? 0.7, delete: request.delete ?? 0.1 };
  const sum = shares.insert + shares.update + shares.delete;
  const random: Random = createRandom(request.seed);
  const versions = new Int32Array(request.keys);
  const present = createPool(request.keys);
  const removed = createPool(request.keys);
  const totals = { inserts: 0, updates: 0, deletes: 0 };
  let opened = 0;
  const insert = (): NextChange => {
    totals.inserts++;
    const key = opened < request.keys ? opened++ : removed.take(random);
    present.add(key);
    return change('INSERT', key);
  };
  const change = (event: EventName, key: number): NextChange => {
    const version = (versions[key] ?? 0) + 1;
    versions[key] = version;
    return { event, key, version };
  };
  return {
    next(): NextChange {
      const thrown = random.fraction() * sum;
      const isFull = present.size() === request.keys;
      if (present.size() === 0 || (thrown < shares.insert && !isFull)) return insert();
      if (thrown < shares.insert + shares.update) {
        totals.updates++;
        return change('MODIFY', present.peek(random));
      }
      totals.deletes++;
      const key = present.take(random);
      removed.add(key);
      return change('REMOVE', key);
    },
    totals: (): ChangesTotals => ({ ...totals, items: present.size() }),
  };
}

/** A set of numbers from which any can be drawn in the same short time. */
function createPool(capacity: number) {
  const members = new Int32Array(capacity);
  let count = 0;
  return {
    size: () => count,
    add(member: number) {
      members[count++] = member;
    },
    peek: (random: Random) => members[random.below(count)] ?? 0,
    take(random: Random): number {
      const index = random.below(count);
      const member = members[index] ?? 0;
      members[index] = members[--count] ?? 0;
      return member;
    },
  };
}

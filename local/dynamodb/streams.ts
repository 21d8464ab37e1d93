import { type Commits, del, put } from './commits.ts';
import { all, count, within } from './key-range.ts';
import { type KeySchemaElement, type KeyValueStore, type StoreWrite, type Table } from './engine.ts';
import { closeLineage, closeWithChildren, type Lineage, openLineage, type Shard, shardFor } from './shards.ts';
import { type ItemChange, recordText, type StreamViewType } from './stream-record.ts';
import { GlasshouseError } from '../../core/errors.ts';

/** A stream of one table, as it is stored. */
export interface Stream {
  /** The sequence number that was next when the stream was made: no two streams have the same. */
  readonly id: string;
  readonly arn: string;
  readonly region: string;
  readonly tableName: string;
  /** When it was made, as in its ARN: `2026-11-22T19:50:03.123`. Later streams of a table have greater labels. */
  readonly label: string;
  readonly viewType: StreamViewType;
  readonly keySchema: readonly KeySchemaElement[];
  readonly createdMs: number;
  /** Set when the stream is disabled, or its table deleted. */
  disabledMs?: number;
  readonly lineage: Lineage;
}

export interface StreamsOptions {
  readonly shardRecords: number;
  readonly retentionMs: number;
  readonly now: () => number;
}

const SEQUENCE_KEY = 'sequence~';
const LABEL_KEY = 'label~';
const STREAM_PREFIX = 'stream~';
const SEQUENCE_DIGITS = 20;
/** A record's value is its time in milliseconds in so many digits, and its text. */
const TIME_DIGITS = 15;

/** The sequence number after this one, in the same fixed width of 21 digits, so that text order is their order. */
export function sequenceAfter(sequence: string): string {
  return String(BigInt(sequence) + 1n);
}

function sequenceText(ordinal: number): string {
  return `1${String(ordinal).padStart(SEQUENCE_DIGITS, '0')}`;
}

function recordPrefix(stream: Stream, shard: Shard): string {
  return `record~${stream.id}~${String(shard.ordinal).padStart(8, '0')}~`;
}

/**
 * All streams of all tables. Whatever changes them is only staged here, as writes that the caller commits together with
 * the items that they tell of: an item and its record are stored in one atomic batch, so that no kill can part them.
 * In memory are the shards' outlines; the records are in the store.
 */
export class Streams {
  readonly #db: KeyValueStore;
  readonly #commits: Commits;
  readonly #options: StreamsOptions;
  readonly #byArn = new Map<string, Stream>();
  readonly #enabled = new Map<string, Stream>();
  readonly #records = new WeakMap<Shard, number>();
  readonly #unsaved = new Set<Stream>();
  #sequence = 0;
  #storedSequence = '';
  #labelMs = 0;

  private constructor(db: KeyValueStore, commits: Commits, options: StreamsOptions) {
    this.#db = db;
    this.#commits = commits;
    this.#options = options;
  }

  /** Reads the streams' outlines from the store. */
  static async load(db: KeyValueStore, commits: Commits, options: StreamsOptions): Promise<Streams> {
    const streams = new Streams(db, commits, options);
    streams.#sequence = Number(commits.read(SEQUENCE_KEY) ?? '0');
    streams.#storedSequence = sequenceText(streams.#sequence);
    streams.#labelMs = Number(commits.read(LABEL_KEY) ?? '0');
    for (const text of await all(db.values({ ...within(STREAM_PREFIX), valueEncoding: 'utf8' }))) {
      const stream = JSON.parse(text) as Stream;
      streams.#byArn.set(stream.arn, stream);
      if (stream.disabledMs !== undefined) continue;
      streams.#enabled.set(stream.tableName, stream);
      for (const shard of stream.lineage.shards) {
        if (shard.endingSequence !== undefined) continue;
        streams.#records.set(shard, await count(db.keys(within(recordPrefix(stream, shard)))));
      }
    }
    return streams;
  }

  /** All streams that can still be read, ordered by ARN. */
  list(): Stream[] {
    return [...this.#byArn.values()].sort((a, b) => (a.arn < b.arn ? -1 : 1));
  }

  find(arn: string): Stream | undefined {
    return this.#byArn.get(arn);
  }

  /** The table's stream, when it is enabled. */
  enabledFor(tableName: string): Stream | undefined {
    return this.#enabled.get(tableName);
  }

  /** The newest sequence number whose record is stored. */
  get storedSequence(): string {
    return this.#storedSequence;
  }

  /** Opens a new stream for a table. The caller commits what `seal` gives. */
  enable(table: Table, viewType: StreamViewType): Stream {
    const nowMs = this.#options.now();
    const label = this.#newLabel(nowMs);
    const stream: Stream = {
      id: this.#nextSequence(),
      arn: `${table.TableArn}/stream/${label}`,
      region: table.TableArn.split(':')[3] ?? '',
      tableName: table.TableName,
      label,
      viewType,
      keySchema: table.KeySchema,
      createdMs: nowMs,
      lineage: openLineage({ nextSequence: () => this.#nextSequence(), nowMs }),
    };
    this.#byArn.set(stream.arn, stream);
    this.#enabled.set(stream.tableName, stream);
    this.#unsaved.add(stream);
    return stream;
  }

  /** Closes the table's stream, if it has one. It can be read until its records are trimmed. */
  disable(tableName: string): void {
    const stream = this.#enabled.get(tableName);
    if (stream === undefined) return;
    stream.disabledMs = this.#options.now();
    closeLineage(stream.lineage, sequenceText(this.#sequence), stream.disabledMs);
    this.#enabled.delete(tableName);
    this.#unsaved.add(stream);
  }

  /** The write of a change's record. Records are in the order of these calls. */
  append(stream: Stream, change: ItemChange): StoreWrite {
    const shard = shardFor(stream.lineage, change.hash);
    if (shard === undefined)
      throw new GlasshouseError('bug', `Stream ${stream.arn} has no open shard for hash ${change.hash}.`);
    const nowMs = this.#options.now();
    const sequence = this.#nextSequence();
    const eventId =
      BigInt(stream.id).toString(16).padStart(16, '0').slice(-16) + this.#sequence.toString(16).padStart(16, '0');
    const text = recordText(change, { ...stream, eventId, sequence, nowMs });
    this.#countRecord(stream, shard, sequence, nowMs);
    const time = String(Math.max(0, nowMs)).padStart(TIME_DIGITS, '0');
    return put(recordPrefix(stream, shard) + sequence, time + text);
  }

  /** The writes that keep what was changed since the last call: they go into the same commit. */
  seal(): StoreWrite[] {
    const writes = [put(SEQUENCE_KEY, String(this.#sequence))];
    if (this.#unsaved.size > 0) writes.push(put(LABEL_KEY, String(this.#labelMs)));
    for (const stream of this.#unsaved) writes.push(this.#outline(stream));
    this.#unsaved.clear();
    return writes;
  }

  /** Commits writes together with `seal()`. */
  async commit(writes: readonly StoreWrite[]): Promise<void> {
    const sealed = [...writes, ...this.seal()];
    const sequence = sequenceText(this.#sequence);
    await this.#commits.submit(sealed);
    if (sequence > this.#storedSequence) this.#storedSequence = sequence;
  }

  /**
   * The texts of a shard's stored records from a sequence number on, until `limit` records or `maxBytes` (but one at
   * least), the last one's sequence number, and whether the shard held no more.
   */
  async read(stream: Stream, shard: Shard, from: string, limit: number, maxBytes: number): Promise<RecordPage> {
    const prefix = recordPrefix(stream, shard);
    const cursor = this.#db.iterator({ gte: prefix + from, lt: `${prefix}~`, limit, valueEncoding: 'utf8' });
    const page: RecordPage = { texts: [], lastSequence: undefined, exhausted: false };
    let bytes = 0;
    try {
      while (page.texts.length < limit) {
        const entries = await cursor.nextv(Math.min(250, limit - page.texts.length));
        if (entries.length === 0) {
          page.exhausted = true;
          return page;
        }
        for (const [key, value] of entries) {
          bytes += value.length;
          if (bytes > maxBytes && page.texts.length > 0) return page;
          page.texts.push(value.slice(TIME_DIGITS));
          page.lastSequence = key.slice(prefix.length);
        }
      }
      return page;
    } finally {
      await cursor.close();
    }
  }

  /** Removes records that are older than the retention, shards that were closed before it, and streams with neither. */
  async trim(): Promise<void> {
    const horizonMs = this.#options.now() - this.#options.retentionMs;
    for (const stream of this.list()) {
      for (const shard of [...stream.lineage.shards]) {
        if (shard.closedMs !== undefined && shard.closedMs <= horizonMs) await this.#dropShard(stream, shard);
        else if (shard.openedMs <= horizonMs) await this.#trimShard(stream, shard, horizonMs);
      }
      if (stream.lineage.shards.length === 0) {
        this.#byArn.delete(stream.arn);
        // All of its records: a kill may have left some of a shard that was dropped.
        await this.#db.clear(within(`record~${stream.id}~`));
        await this.#commits.submit([del(STREAM_PREFIX + stream.arn)]);
      }
    }
  }

  async #dropShard(stream: Stream, shard: Shard): Promise<void> {
    stream.lineage.shards.splice(stream.lineage.shards.indexOf(shard), 1);
    await this.#commits.submit([this.#outline(stream)]);
    await this.#db.clear(within(recordPrefix(stream, shard)));
  }

  async #trimShard(stream: Stream, shard: Shard, horizonMs: number): Promise<void> {
    const newest = await this.#newestBefore(recordPrefix(stream, shard), horizonMs);
    if (newest === undefined) return;
    shard.trimmedTo = newest.slice(recordPrefix(stream, shard).length);
    // The mark first: what is left between it and a kill is out of reach, and goes with the next trimming.
    await this.#commits.submit([this.#outline(stream)]);
    await this.#db.clear({ gte: recordPrefix(stream, shard), lte: newest });
  }

  /** The key of the last record, from the oldest on, that is not newer than the horizon. */
  async #newestBefore(prefix: string, horizonMs: number): Promise<string | undefined> {
    const cursor = this.#db.iterator({ ...within(prefix), valueEncoding: 'utf8' });
    let newest: string | undefined;
    try {
      for (let size = 1; ; size = 250) {
        const entries = await cursor.nextv(size);
        for (const [key, value] of entries) {
          if (Number(value.slice(0, TIME_DIGITS)) > horizonMs) return newest;
          newest = key;
        }
        if (entries.length === 0) return newest;
      }
    } finally {
      await cursor.close();
    }
  }

  #countRecord(stream: Stream, shard: Shard, sequence: string, nowMs: number): void {
    const records = (this.#records.get(shard) ?? 0) + 1;
    this.#records.set(shard, records);
    if (records < this.#options.shardRecords) return;
    closeWithChildren(stream.lineage, shard, sequence, { nextSequence: () => this.#nextSequence(), nowMs });
    this.#unsaved.add(stream);
  }

  #outline(stream: Stream): StoreWrite {
    return put(STREAM_PREFIX + stream.arn, JSON.stringify(stream));
  }

  #nextSequence(): string {
    this.#sequence += 1;
    return sequenceText(this.#sequence);
  }

  /** The time as a label; greater than all before, even of streams that are gone and when the clock went back. */
  #newLabel(nowMs: number): string {
    this.#labelMs = Math.max(nowMs, this.#labelMs + 1);
    return new Date(this.#labelMs).toISOString().slice(0, -1);
  }
}

export interface RecordPage {
  readonly texts: string[];
  lastSequence: string | undefined;
  exhausted: boolean;
}

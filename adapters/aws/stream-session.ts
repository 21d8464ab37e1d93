import { setMaxListeners } from 'node:events';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Delivered, ShardPosition, SourceBatch, StreamPositions } from '../../flows/ports.ts';
import { withBackoff } from './backoff.ts';
import { DeliveryQueue, type Weighed } from './delivery-queue.ts';
import { explainFailure, failureKind } from './failure.ts';
import { IdleRounds } from './idle-rounds.ts';
import { ShardCursor, type ShardPage } from './shard-cursor.ts';
import type { LineageGap, LineagePlan, ListedShard } from './shard-lineage.ts';
import { endedStreamError, lineageGapError, missingStreamError } from './stream-gap.ts';
import { listStream, type StreamListing } from './stream-listing.ts';
import { StreamProgress } from './stream-progress.ts';
import type { ReaderStatus, StreamTuning } from './stream-reader.ts';
import { deliverRecord } from './stream-record.ts';
import { createTurnstile, hasAborted, type Timing } from './timing.ts';

/** What a session needs to read a stream from given positions. */
export interface SessionSettings {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly tuning: StreamTuning;
  readonly timing: Timing;
  readonly onStatus: (status: ReaderStatus) => void;
  readonly from: StreamPositions | null;
}

/** A page that waits for the consumer, with the position that it brings its shard to (null: it does not move it). */
interface QueuedPage extends Weighed {
  readonly shardId: string;
  readonly deliveries: readonly Delivered[];
  readonly position: ShardPosition | null;
}

/** GetRecords gives no more than this. */
const LARGEST_PAGE = 1_000;
/** DynamoDB ends a page at 1 MB, so one of half of that has probably more behind it. */
const FULL_PAGE_BYTES = 512 * 1024;
/** A listing may be out of date for a moment: a gap must be seen this often, in listings a while apart. */
const SIGHTINGS_OF_A_GAP = 3;
const FIRST_RELIST_MS = 100;

/**
 * One reading of a stream: a loop that lists shards, a loop for each shard that may be read, and the consumer, with a
 * bounded queue between. The queue is in reading order, so a child's records are behind its parent's, and the positions
 * that go out with a batch cover what was taken from the queue and nothing else.
 */
export class StreamSession {
  readonly #settings: SessionSettings;
  readonly #progress: StreamProgress;
  readonly #queue: DeliveryQueue<QueuedPage>;
  readonly #rounds: IdleRounds;
  readonly #turnstile: ReturnType<typeof createTurnstile>;
  readonly #abort = new AbortController();
  readonly #loops = new Map<string, Promise<void>>();
  #listingLoop: Promise<void> = Promise.resolve();
  #listing: StreamListing | null = null;
  #nap: AbortController | null = null;
  /** How often each gap was seen in a row, by its text. */
  #sightings = new Map<string, number>();
  /** Shards that were read to their end, and how many of them had been when the newest listing was asked for. */
  #finishes = 0;
  #finishesListed = 0;
  #idleToTell = false;
  #isEnded = false;
  #failure: Error | null = null;
  caughtUp = false;

  constructor(settings: SessionSettings) {
    const { tuning } = settings;
    this.#settings = settings;
    this.#progress = new StreamProgress(settings.streamArn, settings.from);
    this.#queue = new DeliveryQueue(tuning.maxQueuedRecords, tuning.maxQueuedBytes);
    this.#rounds = new IdleRounds(tuning.emptyPagesAtTip);
    this.#turnstile = createTurnstile(tuning.concurrentReads);
    // Every shard waits on it; node takes more than ten listeners for a leak.
    setMaxListeners(0, this.#abort.signal);
  }

  get idleRounds(): number {
    return this.#rounds.completed;
  }

  start(): void {
    this.#listingLoop = this.#listShards().catch((thrown: unknown) => this.#fail(thrown, 'list the shards'));
  }

  /** Ends all loops; what is queued is dropped, for the positions do not cover it. */
  stop(): void {
    this.#abort.abort();
    this.#nap?.abort();
    this.#queue.wakeAll();
  }

  /** Resolves once every loop has ended after `stop`. */
  async settled(): Promise<void> {
    await this.#listingLoop;
    await Promise.all(this.#loops.values());
  }

  /** The next batch; null once stopped. What was read before a failure is yielded before the failure is thrown. */
  async next(): Promise<SourceBatch | null> {
    for (;;) {
      if (this.#failure === null && this.#abort.signal.aborted) return null;
      if (!this.#queue.isEmpty) return this.#batchOf(this.#queue.take(this.#settings.tuning.maxBatchRecords));
      if (this.#failure) throw this.#failure;
      if (this.#idleToTell) {
        this.#idleToTell = false;
        return { deliveries: [], positions: this.#progress.positions() };
      }
      if (this.#isEnded) throw endedStreamError(this.#settings.streamArn);
      await this.#queue.arrival();
    }
  }

  #batchOf(pages: readonly QueuedPage[]): SourceBatch {
    for (const { shardId, position } of pages) if (position !== null) this.#progress.markYielded(shardId, position);
    const [only] = pages;
    const deliveries = pages.length === 1 && only ? only.deliveries : pages.flatMap((page) => page.deliveries);
    return { deliveries, positions: this.#progress.positions() };
  }

  async #listShards(): Promise<void> {
    const { client, streamArn, tuning, timing } = this.#settings;
    const { signal } = this.#abort;
    for (let pauseMs = FIRST_RELIST_MS; !signal.aborted;) {
      const finishes = this.#finishes;
      const listing = await this.#call('list the shards', () => listStream(client, streamArn, signal));
      const isNews = this.#adopt(listing);
      this.#finishesListed = finishes;
      this.#checkIdle();
      // Soon again while a listing is expected to change, seldom otherwise.
      const isUnsettled = isNews || this.#sightings.size > 0 || this.#expectsShards(listing);
      pauseMs = isNews ? FIRST_RELIST_MS : Math.min(pauseMs * 2, tuning.relistMs);
      this.#nap = new AbortController();
      if (this.#finishes !== finishes || hasAborted(signal)) continue;
      await timing.wait(isUnsettled ? pauseMs : tuning.relistMs, this.#nap.signal);
    }
  }

  /** Takes in a listing; says whether it brought a shard that was not known. */
  #adopt(listing: StreamListing): boolean {
    const known = new Set(this.#listing?.shards.map((shard) => shard.shardId));
    this.#listing = listing;
    const plan = this.#progress.plan(listing.shards);
    this.#watchGaps(plan.gaps);
    this.#startReadable(plan);
    this.#isEnded = listing.status === 'disabled' && plan.readable.length + plan.waiting.length === 0;
    return listing.shards.some((shard) => !known.has(shard.shardId));
  }

  #watchGaps(gaps: readonly LineageGap[]): void {
    const sightings = new Map<string, number>();
    for (const gap of gaps) {
      // A shard that is being read reports its own end or loss.
      if (gap.kind === 'shard-gone' && this.#loops.has(gap.shardId)) continue;
      const error = lineageGapError(this.#settings.streamArn, gap);
      const seen = (this.#sightings.get(error.message) ?? 0) + 1;
      if (seen >= SIGHTINGS_OF_A_GAP) throw error;
      sightings.set(error.message, seen);
    }
    this.#sightings = sightings;
  }

  #startReadable(plan: LineagePlan): void {
    for (const shard of plan.readable) {
      const { shardId } = shard;
      if (this.#loops.has(shardId) || this.#abort.signal.aborted) continue;
      this.#rounds.open(shardId);
      this.#settings.onStatus({ kind: 'shard-started', shardId });
      const loop = this.#readShard(shard)
        .catch((thrown: unknown) => this.#fail(thrown, `read shard ${shardId}`))
        .finally(() => {
          this.#loops.delete(shardId);
        });
      this.#loops.set(shardId, loop);
    }
  }

  async #readShard(shard: ListedShard): Promise<void> {
    const { tuning, timing } = this.#settings;
    const { signal } = this.#abort;
    const pageRecords = Math.min(LARGEST_PAGE, tuning.maxBatchRecords);
    const cursor = this.#openCursor(shard, pageRecords);
    for (let pauseMs = tuning.pollMs; !signal.aborted;) {
      const round = this.#rounds.completed;
      const page = await cursor.next();
      this.#take(shard.shardId, page, round);
      if (page.finished) return;
      const isFull = page.records.length >= pageRecords / 2 || page.bytes >= FULL_PAGE_BYTES;
      pauseMs = page.records.length > 0 ? tuning.pollMs : Math.min(pauseMs * 1.5, tuning.idlePollMs);
      await timing.wait(isFull ? tuning.fullPageMs : pauseMs, signal);
    }
  }

  #openCursor(shard: ListedShard, pageRecords: number): ShardCursor {
    const { client, streamArn } = this.#settings;
    const { signal } = this.#abort;
    return new ShardCursor(
      {
        client,
        streamArn,
        shardId: shard.shardId,
        pageRecords,
        signal,
        call: (what, request) => this.#call(what, request),
        callForRecords: (what, request) => this.#call(what, () => this.#turnstile(() => this.#withRoom(request))),
      },
      this.#progress.startOf(shard, this.#finishes > 0),
    );
  }

  /** Room is waited for inside the turnstile: so the queue is overrun by no more pages than may be asked for at once. */
  async #withRoom<T>(request: () => Promise<T>): Promise<T> {
    await this.#queue.room(this.#abort.signal);
    return request();
  }

  #take(shardId: string, page: ShardPage, round: number): void {
    if (page.records.length > 0 || page.finished) this.#enqueue(shardId, page);
    if (page.finished) {
      this.#rounds.close(shardId);
      this.#settings.onStatus({ kind: 'shard-finished', shardId });
      this.#finishes++;
      // The children that are known already need not wait for the next listing, which may bring more of them.
      if (this.#listing) this.#startReadable(this.#progress.plan(this.#listing.shards));
      this.#nap?.abort();
    } else if (page.records.length > 0) this.#rounds.news(shardId);
    else this.#rounds.nothing(shardId, round);
    this.#checkIdle();
  }

  #enqueue(shardId: string, page: ShardPage): void {
    const { streamArn } = this.#settings;
    let previous = this.#progress.readTo(shardId) ?? '0';
    const deliveries = page.records.map((raw) => {
      const delivered = deliverRecord(raw, streamArn, shardId, previous);
      if (delivered.place.kind === 'stream') previous = delivered.place.sequenceNumber;
      return delivered;
    });
    const position = positionAfter(page);
    if (position) this.#progress.markRead(shardId, position);
    this.caughtUp = false;
    this.#idleToTell = false;
    this.#queue.push({ shardId, deliveries, position, records: deliveries.length, bytes: page.bytes });
  }

  #checkIdle(): void {
    const isSettled =
      this.#listing !== null &&
      this.#listing.status !== 'enabling' &&
      this.#finishesListed === this.#finishes &&
      this.#sightings.size === 0;
    if (!isSettled || !this.#queue.isEmpty || this.#failure || !this.#rounds.tryComplete()) return;
    this.caughtUp = true;
    this.#idleToTell = true;
    this.#queue.wakeAll();
  }

  /** Whether shards are to come: one was read to its end and has no child yet, in a stream that goes on, or there is none. */
  #expectsShards({ shards, status }: StreamListing): boolean {
    if (status !== 'enabled' || shards.length === 0) return status !== 'disabled';
    const parents = new Set(shards.map((shard) => shard.parentShardId));
    return shards.some(({ shardId }) => !parents.has(shardId) && this.#progress.isFinished(shardId));
  }

  #call<T>(what: string, request: () => Promise<T>): Promise<T> {
    const { timing, tuning, onStatus, streamArn } = this.#settings;
    const backoff = { timing, unreachableMs: tuning.unreachableMs, onStatus };
    return withBackoff(`${what} of the stream ${streamArn}`, request, backoff, this.#abort.signal);
  }

  /** The first failure ends the reading; what fails because it was stopped is no failure. */
  #fail(thrown: unknown, what: string): void {
    if (this.#abort.signal.aborted) return;
    const { streamArn, from } = this.#settings;
    this.#failure =
      failureKind(thrown) === 'missing'
        ? missingStreamError(streamArn, from !== null || this.#listing !== null, thrown)
        : explainFailure(thrown, `${what} of the stream ${streamArn}`);
    this.stop();
  }
}

function positionAfter(page: ShardPage): ShardPosition | null {
  if (page.finished) return { finished: true };
  return page.readTo === null ? null : { after: page.readTo };
}

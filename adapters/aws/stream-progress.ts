import type { ShardPosition, StreamPositions } from '../../flows/ports.ts';
import {
  beginningOf,
  frontierOf,
  type LineagePlan,
  type ListedShard,
  planShards,
  type Positions,
} from './shard-lineage.ts';
import type { ShardStart } from './shard-cursor.ts';

/**
 * How far a reading has come, twice: what was read (the plan of what to read next follows it) and what was yielded to the
 * consumer (a restart begins there). What is between the two is in the queue.
 */
export class StreamProgress {
  readonly #streamArn: string;
  readonly #isResumed: boolean;
  #hasBegun: boolean;
  /** The shards that a reading without positions began with. */
  #original: ReadonlySet<string> = new Set();
  #read: Record<string, ShardPosition>;
  #yielded: Record<string, ShardPosition>;
  #positions: StreamPositions | null;

  constructor(streamArn: string, from: StreamPositions | null) {
    this.#streamArn = streamArn;
    this.#isResumed = from !== null;
    this.#hasBegun = from !== null;
    this.#read = { ...from?.shards };
    this.#yielded = { ...from?.shards };
    this.#positions = from;
  }

  /** Takes in a listing, and says what it allows. */
  plan(listing: readonly ListedShard[]): LineagePlan {
    // A stream that has just been turned on may list no shards at first.
    if (!this.#hasBegun && listing.length > 0) this.#begin(listing);
    const plan = planShards(listing, this.#read);
    // A listing with a hole may be a bad one: nothing is forgotten because of it.
    if (plan.gaps.length === 0 && listing.length > 0) this.#forget(listing);
    return plan;
  }

  /** Where to begin in a shard. `isLive`: something was read to its end in this reading already. */
  startOf(shard: ListedShard, isLive: boolean): ShardStart {
    const position = this.#read[shard.shardId];
    if (position && 'after' in position) return { kind: 'after', sequenceNumber: position.after };
    if (this.#original.has(shard.shardId)) return { kind: 'oldest' };
    // Who resumes may have been away for longer than records are kept; who has just read the parent has not.
    return { kind: 'first', sequenceNumber: this.#isResumed && !isLive ? shard.startingSequenceNumber : null };
  }

  isFinished(shardId: string): boolean {
    return 'finished' in (this.#read[shardId] ?? {});
  }

  /** The last sequence number that was read in the shard; null where none was, or the shard was read to its end. */
  readTo(shardId: string): string | null {
    const position = this.#read[shardId];
    return position && 'after' in position ? position.after : null;
  }

  markRead(shardId: string, position: ShardPosition): void {
    this.#read[shardId] = position;
  }

  markYielded(shardId: string, position: ShardPosition): void {
    this.#yielded[shardId] = position;
    this.#positions = null;
  }

  /** Right for exactly what was yielded; the same object as before where nothing has moved. */
  positions(): StreamPositions {
    this.#positions ??= { streamArn: this.#streamArn, shards: { ...this.#yielded } };
    return this.#positions;
  }

  #begin(listing: readonly ListedShard[]): void {
    this.#hasBegun = true;
    const beginning: Positions = beginningOf(listing);
    this.#original = new Set(planShards(listing, beginning).readable.map((shard) => shard.shardId));
    this.#read = { ...beginning };
    this.#yielded = { ...beginning };
    this.#positions = null;
  }

  #forget(listing: readonly ListedShard[]): void {
    this.#read = { ...frontierOf(listing, this.#read) };
    const before = Object.keys(this.#yielded).length;
    this.#yielded = { ...frontierOf(listing, this.#yielded) };
    if (Object.keys(this.#yielded).length !== before) this.#positions = null;
  }
}

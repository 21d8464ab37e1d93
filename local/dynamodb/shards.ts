/** How many hashes of a partition key there are: dynalite's six hex digits. */
export const HASH_SPACE = 0x1000000;

/** No more shards than these are open at once. */
export const MAX_OPEN_SHARDS = 4;

/** One shard of a stream, as it is stored. It holds the records of the keys whose hash is in [low, high). */
export interface Shard {
  readonly id: string;
  readonly ordinal: number;
  readonly parentId?: string;
  readonly low: number;
  readonly high: number;
  readonly startingSequence: string;
  readonly openedMs: number;
  /** Set when the shard is closed. */
  endingSequence?: string;
  closedMs?: number;
  /** The newest sequence number that was trimmed. */
  trimmedTo?: string;
}

/** All shards of a stream in the order of their opening, and how many were ever opened and closed. */
export interface Lineage {
  readonly shards: Shard[];
  opened: number;
  closed: number;
}

/** What a lineage takes from its surroundings: sequence numbers, each greater than the last, and the time. */
export interface Surroundings {
  readonly nextSequence: () => string;
  readonly nowMs: number;
}

/** A lineage with one open shard for all keys. */
export function openLineage(surroundings: Surroundings): Lineage {
  const lineage: Lineage = { shards: [], opened: 0, closed: 0 };
  openShard(lineage, { low: 0, high: HASH_SPACE }, undefined, surroundings);
  return lineage;
}

/** The open shard that takes the records of keys with this hash; none when the lineage is closed. */
export function shardFor(lineage: Lineage, hash: number): Shard | undefined {
  // Open shards are near the end, and there are few of them.
  return lineage.shards.findLast(
    (shard) => shard.endingSequence === undefined && shard.low <= hash && hash < shard.high,
  );
}

/**
 * Closes a shard after its last record and opens its children: in turns one, for the same keys (a roll-over), and two,
 * for half of them each (a split), as long as no more than four are open. Shards are never merged, as a shard can name
 * only one parent: a reader that reads parents first sees the records of every key in order.
 */
export function closeWithChildren(
  lineage: Lineage,
  shard: Shard,
  lastSequence: string,
  surroundings: Surroundings,
): Shard[] {
  const open = lineage.shards.filter((each) => each.endingSequence === undefined).length;
  const splits = lineage.closed % 2 === 1 && open < MAX_OPEN_SHARDS && shard.high - shard.low > 1;
  closeShard(lineage, shard, lastSequence, surroundings.nowMs);
  const middle = Math.floor((shard.low + shard.high) / 2);
  const ranges = splits
    ? [
        { low: shard.low, high: middle },
        { low: middle, high: shard.high },
      ]
    : [{ low: shard.low, high: shard.high }];
  return ranges.map((range) => openShard(lineage, range, shard.id, surroundings));
}

/** Closes all open shards, for a stream that is disabled. */
export function closeLineage(lineage: Lineage, lastSequence: string, nowMs: number): void {
  for (const shard of lineage.shards) {
    if (shard.endingSequence === undefined) closeShard(lineage, shard, lastSequence, nowMs);
  }
}

function closeShard(lineage: Lineage, shard: Shard, lastSequence: string, nowMs: number): void {
  shard.endingSequence = lastSequence;
  shard.closedMs = nowMs;
  lineage.closed += 1;
}

function openShard(
  lineage: Lineage,
  range: { low: number; high: number },
  parentId: string | undefined,
  { nextSequence, nowMs }: Surroundings,
): Shard {
  const ordinal = lineage.opened;
  lineage.opened += 1;
  const shard: Shard = {
    id: `shardId-${String(Math.max(0, nowMs)).padStart(20, '0')}-${ordinal.toString(16).padStart(8, '0')}`,
    ordinal,
    ...(parentId === undefined ? {} : { parentId }),
    ...range,
    startingSequence: nextSequence(),
    openedMs: nowMs,
  };
  lineage.shards.push(shard);
  return shard;
}

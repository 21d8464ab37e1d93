import type { ShardPosition } from '../../flows/ports.ts';

/** A shard as DescribeStream lists it. */
export interface ListedShard {
  readonly shardId: string;
  /** Null for a shard that began with the stream. A parent may be trimmed, and so not be listed itself. */
  readonly parentShardId: string | null;
  /** The sequence number that the shard begins at, where the service says it. */
  readonly startingSequenceNumber: string | null;
}

/** How far the shards were read, by shard. */
export type Positions = Readonly<Record<string, ShardPosition>>;

/** Where the stream has a hole that the reader cannot pass: what was in it is unknown. */
export type LineageGap =
  | { readonly kind: 'shard-gone'; readonly shardId: string; readonly after: string }
  | { readonly kind: 'parent-gone'; readonly shardId: string; readonly parentShardId: string };

/** What a listing allows: each listed shard is finished, or in exactly one of `readable` and `waiting`. */
export interface LineagePlan {
  /** Shards to read now: nothing that comes before their records is unread. */
  readonly readable: readonly ListedShard[];
  /** Shards whose parent has not been read to its end. */
  readonly waiting: readonly ListedShard[];
  readonly gaps: readonly LineageGap[];
}

/**
 * Decides which shards may be read: those whose parent was read to its end, or to which no parent belongs. A shard whose
 * parent is open waits, also where the service lists it as open itself (an inconsistent view). A finished shard is never
 * planned again, whether its position says so or that of a descendant does.
 */
export function planShards(listing: readonly ListedShard[], positions: Positions): LineagePlan {
  const lineage = readLineage(listing, positions);
  const readable: ListedShard[] = [];
  const waiting: ListedShard[] = [];
  const gaps: LineageGap[] = [...goneShards(lineage.byId, positions)];
  for (const shard of listing) {
    if (lineage.finished.has(shard.shardId)) continue;
    const parent = shard.parentShardId;
    if (parent === null || lineage.finished.has(parent)) readable.push(shard);
    else if (lineage.byId.has(parent) || Object.hasOwn(positions, parent)) waiting.push(shard);
    // It was begun, so its parent was finished; that was forgotten when the parent was trimmed.
    else if (Object.hasOwn(positions, shard.shardId)) readable.push(shard);
    else {
      waiting.push(shard);
      gaps.push({ kind: 'parent-gone', shardId: shard.shardId, parentShardId: parent });
    }
  }
  return { readable, waiting, gaps };
}

/**
 * The positions of one who begins with what the stream still has: the parents that are no longer listed count as read, so
 * that a restart can tell a shard whose parent was trimmed before its time from one whose parent was trimmed unread.
 */
export function beginningOf(listing: readonly ListedShard[]): Positions {
  const listed = new Set(listing.map((shard) => shard.shardId));
  const begun: Record<string, ShardPosition> = {};
  for (const { parentShardId } of listing) {
    if (parentShardId !== null && !listed.has(parentShardId)) begun[parentShardId] = { finished: true };
  }
  return begun;
}

/**
 * The positions without those that no plan needs: finished shards that are no longer listed (unless a child that has not
 * been begun still asks for them), and finished shards of which a descendant has been begun, since that says the same.
 * Keeps checkpoints small however many shards a stream has had.
 */
export function frontierOf(listing: readonly ListedShard[], positions: Positions): Positions {
  const byId = new Map(listing.map((shard) => [shard.shardId, shard]));
  const implied = ancestorsOfBegun(byId, positions);
  const askedFor = new Set<string>();
  for (const shard of listing) {
    if (shard.parentShardId !== null && !Object.hasOwn(positions, shard.shardId) && !implied.has(shard.shardId)) {
      askedFor.add(shard.parentShardId);
    }
  }
  const kept: Record<string, ShardPosition> = {};
  for (const [shardId, position] of Object.entries(positions)) {
    const needed = 'after' in position || askedFor.has(shardId) || (byId.has(shardId) && !implied.has(shardId));
    if (needed) kept[shardId] = position;
  }
  return kept;
}

interface Lineage {
  readonly byId: ReadonlyMap<string, ListedShard>;
  readonly finished: ReadonlySet<string>;
}

function readLineage(listing: readonly ListedShard[], positions: Positions): Lineage {
  const byId = new Map(listing.map((shard) => [shard.shardId, shard]));
  const finished = new Set<string>();
  for (const [shardId, position] of Object.entries(positions)) if ('finished' in position) finished.add(shardId);
  for (const shardId of ancestorsOfBegun(byId, positions)) {
    // A position that says where the reader stands is better evidence than what a descendant implies.
    if (!Object.hasOwn(positions, shardId)) finished.add(shardId);
  }
  return { byId, finished };
}

/** The listed shards, and their parents, that come before a shard that has been begun. */
function ancestorsOfBegun(byId: ReadonlyMap<string, ListedShard>, positions: Positions): Set<string> {
  const ancestors = new Set<string>();
  for (const shardId of Object.keys(positions)) {
    let parent = byId.get(shardId)?.parentShardId ?? null;
    while (parent !== null && !ancestors.has(parent)) {
      ancestors.add(parent);
      parent = byId.get(parent)?.parentShardId ?? null;
    }
  }
  return ancestors;
}

function* goneShards(byId: ReadonlyMap<string, ListedShard>, positions: Positions): Iterable<LineageGap> {
  for (const [shardId, position] of Object.entries(positions)) {
    if ('after' in position && !byId.has(shardId)) yield { kind: 'shard-gone', shardId, after: position.after };
  }
}

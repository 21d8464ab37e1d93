import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShardPosition } from '../../../flows/ports.ts';
import {
  beginningOf,
  frontierOf,
  type ListedShard,
  planShards,
  type Positions,
} from '../../../adapters/aws/shard-lineage.ts';

interface Write {
  readonly key: number;
  readonly at: number;
}
interface ModelShard {
  readonly listed: ListedShard;
  readonly writes: readonly Write[];
  readonly isOpen: boolean;
}

const KEYS = 8;

/** Splits, rolls and writes, as a stream would have had them; every key has one open shard at a time. */
function buildStream(
  script: readonly { readonly open: number; readonly act: 'write' | 'roll' | 'split'; readonly key: number }[],
): ModelShard[] {
  const shards: { listed: ListedShard; writes: Write[]; keys: number[]; isOpen: boolean }[] = [];
  const open = (parent: string | null, keys: number[]) => {
    const listed = { shardId: `s${shards.length}`, parentShardId: parent, startingSequenceNumber: null };
    shards.push({ listed, writes: [], keys, isOpen: true });
  };
  open(
    null,
    Array.from({ length: KEYS }, (_, key) => key),
  );
  script.forEach(({ open: which, act, key }, at) => {
    const candidates = shards.filter((shard) => shard.isOpen);
    const shard = candidates[which % candidates.length];
    if (shard === undefined) return;
    if (act === 'write') {
      const written = shard.keys[key % shard.keys.length];
      if (written !== undefined) shard.writes.push({ key: written, at });
      return;
    }
    shard.isOpen = false;
    const middle = Math.ceil(shard.keys.length / 2);
    open(shard.listed.shardId, act === 'split' ? shard.keys.slice(0, middle) : shard.keys);
    if (act === 'split' && middle < shard.keys.length) open(shard.listed.shardId, shard.keys.slice(middle));
  });
  return shards;
}

const scripts = fc.array(
  fc.record({
    open: fc.nat(7),
    act: fc.constantFrom('write' as const, 'write' as const, 'write' as const, 'roll' as const, 'split' as const),
    key: fc.nat(KEYS - 1),
  }),
  { maxLength: 60 },
);

describe('reading by planShards', () => {
  it('delivers every write at least once and every key in order, whichever shard is read next, with restarts anywhere', () => {
    fc.assert(
      fc.property(scripts, fc.infiniteStream(fc.nat(9)), (script, choices) => {
        const stream = buildStream(script);
        const dice = choices[Symbol.iterator]();
        const roll = (): number => dice.next().value as number;
        const listing = stream.map((shard) => shard.listed);
        const seen = read(stream, listing, roll);
        for (const shard of stream) for (const write of shard.writes) expect(seen).toContainEqual(write);
        for (let key = 0; key < KEYS; key++) expectInOrder(seen.filter((write) => write.key === key));
      }),
      { numRuns: 200 },
    );
  });

  it('reads exactly what is left when the oldest shards are gone, and calls it no gap', () => {
    fc.assert(
      fc.property(scripts, fc.nat(20), fc.infiniteStream(fc.nat(9)), (script, trimmed, choices) => {
        const stream = buildStream(script);
        const left = stream.slice(Math.min(trimmed, stream.length - 1));
        const dice = choices[Symbol.iterator]();
        const seen = read(
          left,
          left.map((shard) => shard.listed),
          () => dice.next().value as number,
        );
        for (const shard of left) for (const write of shard.writes) expect(seen).toContainEqual(write);
      }),
      { numRuns: 200 },
    );
  });

  it('reports a gap whenever a shard with unread writes was trimmed', () => {
    fc.assert(
      fc.property(scripts, fc.nat(20), fc.nat(20), fc.infiniteStream(fc.nat(9)), (script, steps, trimmed, choices) => {
        const stream = buildStream(script);
        const listing = stream.map((shard) => shard.listed);
        const dice = choices[Symbol.iterator]();
        const { positions, taken } = readSome(stream, listing, () => dice.next().value as number, steps);
        // An open shard is never trimmed as a whole.
        const firstOpen = stream.findIndex((shard) => shard.isOpen);
        const gone = stream.slice(0, Math.min(trimmed, firstOpen));
        const left = stream.slice(gone.length);
        const isLost = gone.some((shard) => shard.writes.some((write) => !taken.includes(write)));
        const plan = planShards(
          left.map((shard) => shard.listed),
          positions,
        );
        if (isLost) expect(plan.gaps).not.toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

/** Reads to the end of every shard: one write at a time, of any readable shard, forgetting and restarting by chance. */
function read(stream: readonly ModelShard[], listing: readonly ListedShard[], roll: () => number): Write[] {
  const seen: Write[] = [];
  let positions: Positions = beginningOf(listing);
  let saved = positions;
  for (;;) {
    const plan = planShards(listing, positions);
    expect(plan.gaps).toEqual([]);
    if (plan.readable.length === 0) {
      expect(plan.waiting).toEqual([]);
      return seen;
    }
    positions = step(stream, plan.readable, positions, roll, seen);
    if (roll() < 3) positions = frontierOf(listing, positions);
    if (roll() < 3) saved = positions;
    // A restart forgets what was not saved; the guarded merge takes what comes twice.
    if (roll() === 0) {
      positions = saved;
      seen.push({ key: -1, at: -1 });
    }
  }
}

function readSome(stream: readonly ModelShard[], listing: readonly ListedShard[], roll: () => number, steps: number) {
  const taken: Write[] = [];
  let positions: Positions = beginningOf(listing);
  for (let count = 0; count < steps; count++) {
    const { readable } = planShards(listing, positions);
    if (readable.length === 0) break;
    positions = step(stream, readable, positions, roll, taken);
  }
  return { positions: frontierOf(listing, positions), taken };
}

/** Reads one write of one readable shard, or its end. */
function step(
  stream: readonly ModelShard[],
  readable: readonly ListedShard[],
  positions: Positions,
  roll: () => number,
  seen: Write[],
): Positions {
  const chosen = readable[roll() % readable.length]?.shardId ?? '';
  const position = positions[chosen];
  const after = position && 'after' in position ? Number(position.after) : -1;
  const next = stream.find((shard) => shard.listed.shardId === chosen)?.writes.find((write) => write.at > after);
  if (next) seen.push(next);
  const moved: ShardPosition = next ? { after: String(next.at) } : { finished: true };
  return { ...positions, [chosen]: moved };
}

/** The first delivery of each write follows the first deliveries of all earlier ones of its key. */
function expectInOrder(writes: readonly Write[]): void {
  let newest = -1;
  const known = new Set<number>();
  for (const { at } of writes) {
    if (known.has(at)) continue;
    known.add(at);
    expect(at).toBeGreaterThan(newest);
    newest = at;
  }
}

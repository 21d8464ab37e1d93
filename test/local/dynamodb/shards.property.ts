import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  closeLineage,
  closeWithChildren,
  HASH_SPACE,
  MAX_OPEN_SHARDS,
  openLineage,
  type Shard,
  shardFor,
} from '../../../local/dynamodb/shards.ts';

/** Sends records of keys with these hashes through a lineage whose shards hold `perShard`, and returns where each went. */
function place(hashes: readonly number[], perShard: number) {
  let sequence = 0n;
  const surroundings = { nextSequence: () => String(10n ** 20n + (sequence += 1n)), nowMs: 1_795_000_000_000 };
  const lineage = openLineage(surroundings);
  const held = new Map<Shard, number>();
  const placed = hashes.map((hash) => {
    const shard = shardFor(lineage, hash);
    if (shard === undefined) throw new Error(`No open shard takes hash ${hash}.`);
    const at = surroundings.nextSequence();
    held.set(shard, (held.get(shard) ?? 0) + 1);
    if (held.get(shard) === perShard) closeWithChildren(lineage, shard, at, surroundings);
    return { hash, shard, at };
  });
  return { lineage, placed, surroundings };
}

const hashes = fc.array(fc.integer({ min: 0, max: HASH_SPACE - 1 }), { maxLength: 300 });
const perShard = fc.integer({ min: 1, max: 10 });

test('open shards cover every hash once, and are at most four', () => {
  fc.assert(
    fc.property(hashes, perShard, (sent, size) => {
      const { lineage } = place(sent, size);
      const open = lineage.shards.filter((shard) => shard.endingSequence === undefined).sort((a, b) => a.low - b.low);
      expect(open.length).toBeLessThanOrEqual(MAX_OPEN_SHARDS);
      expect(open[0]?.low).toBe(0);
      expect(open.at(-1)?.high).toBe(HASH_SPACE);
      for (const [index, shard] of open.slice(1).entries()) expect(shard.low).toBe(open[index]?.high);
    }),
  );
});

test('the records of one key go down one line of shards, each the parent of the next', () => {
  fc.assert(
    fc.property(hashes, perShard, fc.integer({ min: 0, max: HASH_SPACE - 1 }), (others, size, hash) => {
      const { placed, lineage } = place(
        others.flatMap((other) => [other, hash]),
        size,
      );
      const parents = new Map(lineage.shards.map((shard) => [shard.id, shard.parentId]));
      const line = placed.filter((each) => each.hash === hash);
      for (const [index, { shard, at }] of line.slice(1).entries()) {
        const before = line[index];
        expect(at > (before?.at ?? '')).toBe(true);
        let ancestor: string | undefined = shard.id;
        while (ancestor !== undefined && ancestor !== before?.shard.id) ancestor = parents.get(ancestor);
        expect(ancestor).toBe(before?.shard.id);
      }
    }),
  );
});

test('a shard begins after its parent ended, and an id is given once', () => {
  fc.assert(
    fc.property(hashes, perShard, (sent, size) => {
      const { lineage, surroundings } = place(sent, size);
      closeLineage(lineage, surroundings.nextSequence(), surroundings.nowMs);
      const byId = new Map(lineage.shards.map((shard) => [shard.id, shard]));
      expect(byId.size).toBe(lineage.shards.length);
      for (const shard of lineage.shards) {
        expect(shard.id.length).toBeGreaterThanOrEqual(28);
        expect((shard.endingSequence ?? '') >= shard.startingSequence).toBe(true);
        const parent = shard.parentId === undefined ? undefined : byId.get(shard.parentId);
        if (parent !== undefined) expect(shard.startingSequence > (parent.endingSequence ?? '')).toBe(true);
      }
    }),
  );
});

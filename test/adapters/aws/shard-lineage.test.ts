import { describe, expect, it } from 'vitest';
import {
  beginningOf,
  frontierOf,
  type ListedShard,
  planShards,
  type Positions,
} from '../../../adapters/aws/shard-lineage.ts';

const shard = (shardId: string, parentShardId: string | null = null): ListedShard => ({
  shardId,
  parentShardId,
  startingSequenceNumber: null,
});
const ids = (shards: readonly ListedShard[]): string[] => shards.map(({ shardId }) => shardId);
const done = { finished: true } as const;

/** A splits into B and C; B goes on as D. */
const TREE = [shard('A'), shard('B', 'A'), shard('C', 'A'), shard('D', 'B')];

describe('planShards', () => {
  it('reads a shard only after its parent', () => {
    const plan = planShards(TREE, {});
    expect(ids(plan.readable)).toEqual(['A']);
    expect(ids(plan.waiting)).toEqual(['B', 'C', 'D']);
    expect(ids(planShards(TREE, { A: done }).readable)).toEqual(['B', 'C']);
    expect(ids(planShards(TREE, { A: done, B: done, C: { after: '7' } }).readable)).toEqual(['C', 'D']);
  });

  it('never plans a finished shard again, nor one whose descendant was begun', () => {
    expect(ids(planShards(TREE, { D: { after: '7' } }).readable)).toEqual(['C', 'D']);
    expect(ids(planShards(TREE, { A: done, B: done, C: done, D: done }).readable)).toEqual([]);
  });

  it('lets a position that is not at the end win over what a descendant implies', () => {
    const plan = planShards(TREE, { A: { after: '3' }, B: { after: '7' } });
    expect(ids(plan.readable)).toEqual(['A']);
  });

  it('goes on in a shard whose parent was finished, forgotten and trimmed', () => {
    const plan = planShards([shard('D', 'B')], { D: { after: '7' } });
    expect(ids(plan.readable)).toEqual(['D']);
    expect(plan.gaps).toEqual([]);
  });

  it('reports an unfinished shard that is no longer listed, and reads nothing that comes after it', () => {
    const plan = planShards([shard('B', 'A'), shard('C', 'A')], { A: { after: '3' } });
    expect(plan.readable).toEqual([]);
    expect(plan.gaps).toEqual([{ kind: 'shard-gone', shardId: 'A', after: '3' }]);
  });

  it('reports a shard whose parent was trimmed unread', () => {
    const plan = planShards([shard('D', 'B')], { A: done });
    expect(plan.readable).toEqual([]);
    expect(plan.gaps).toEqual([{ kind: 'parent-gone', shardId: 'D', parentShardId: 'B' }]);
  });
});

describe('beginningOf', () => {
  it('takes the parents that are no longer listed as read, so that what is listed can be read', () => {
    const listing = [shard('B', 'A'), shard('C', 'A'), shard('D', 'B')];
    const beginning = beginningOf(listing);
    expect(beginning).toEqual({ A: done });
    expect(ids(planShards(listing, beginning).readable)).toEqual(['B', 'C']);
    expect(planShards(listing, beginning).gaps).toEqual([]);
  });
});

describe('frontierOf', () => {
  it('drops finished shards that are no longer listed', () => {
    const positions: Positions = { A: done, B: done, C: { after: '5' }, D: { after: '7' } };
    expect(frontierOf([shard('C', 'A'), shard('D', 'B')], positions)).toEqual({ C: { after: '5' }, D: { after: '7' } });
  });

  it('keeps a finished shard that is no longer listed while a child of it has not been begun', () => {
    expect(frontierOf([shard('D', 'B')], { B: done })).toEqual({ B: done });
  });

  it('drops listed shards that a begun descendant implies, and keeps an unfinished one always', () => {
    expect(frontierOf(TREE, { A: done, B: done, C: done, D: { after: '7' } })).toEqual({ C: done, D: { after: '7' } });
    // C has not been begun: should A be trimmed before it is, only this position tells that A was read.
    expect(frontierOf(TREE, { A: done, B: done, D: { after: '7' } })).toEqual({ A: done, D: { after: '7' } });
    expect(frontierOf([], { A: { after: '3' } })).toEqual({ A: { after: '3' } });
  });
});

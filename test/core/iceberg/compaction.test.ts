import { describe, expect, it } from 'vitest';
import { COMPACTION_LIMITS, planCompaction } from '../../../core/iceberg/compaction.ts';
import { dayOfMicros, partitionOf } from '../../../core/iceberg/partition.ts';
import { liveFile } from './sample-files.ts';

const none = new Map<string, number>();
const paths = (groups: readonly (readonly { path: string }[])[]) =>
  groups.map((group) => group.map((file) => file.path));

describe('compaction, as data', () => {
  it('leaves a few small files alone, and joins many of one partition', () => {
    const small = ['a', 'b', 'c', 'd', 'e'].map((path) => liveFile(path, { partition: { op: 'insert' } }));
    const other = liveFile('x', { partition: { op: 'delete' } });
    expect(planCompaction({ data: small.slice(1), deletes: [] }, none, COMPACTION_LIMITS).groups).toEqual([]);
    const plan = planCompaction({ data: [...small, other], deletes: [] }, none, COMPACTION_LIMITS);
    expect(paths(plan.groups)).toEqual([['a', 'b', 'c', 'd', 'e']]);
  });

  it('fills groups up to the target size', () => {
    const files = ['a', 'b', 'c', 'd', 'e'].map((path) => liveFile(path, { sizeBytes: 60 }));
    const limits = { ...COMPACTION_LIMITS, smallBytes: 100, targetBytes: 130 };
    expect(paths(planCompaction({ data: files, deletes: [] }, none, limits).groups)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e'],
    ]);
  });

  it('rewrites a worn file whatever its size, and then all delete files are settled', () => {
    const large = liveFile('a', { sizeBytes: 1e9, recordCount: 100 });
    const fine = liveFile('b', { sizeBytes: 1e9, recordCount: 100 });
    const deletes = [liveFile('d1', { content: 'position-deletes' })];
    const plan = planCompaction(
      { data: [large, fine], deletes },
      new Map([
        ['a', 21],
        ['b', 20],
      ]),
      COMPACTION_LIMITS,
    );
    expect(paths(plan.groups)).toEqual([['a']]);
    expect(plan.deletes).toEqual(deletes);
  });

  it('joins many delete files though no data file is due', () => {
    const deletes = Array.from({ length: 11 }, (_, index) => liveFile(`d${index}`, { content: 'position-deletes' }));
    const plan = planCompaction({ data: [liveFile('a', { sizeBytes: 1e9 })], deletes }, none, COMPACTION_LIMITS);
    expect(plan).toEqual({ groups: [], deletes });
  });

  it('does not touch what has yet to be read as new', () => {
    const files = [1, 2, 3, 4, 5, 6].map((sequence) => liveFile(`f${sequence}`, { dataSequenceNumber: sequence }));
    const plan = planCompaction({ data: files, deletes: [] }, none, { ...COMPACTION_LIMITS, upToSequence: 5 });
    expect(paths(plan.groups)).toEqual([['f1', 'f2', 'f3', 'f4', 'f5']]);
  });
});

describe('partitions', () => {
  it('take the day of a timestamp, before 1970 too', () => {
    expect(dayOfMicros(0)).toBe(0);
    expect(dayOfMicros(-1)).toBe(-1);
    expect(dayOfMicros(-86_400_000_000n)).toBe(-1);
    expect(dayOfMicros(86_399_999_999n)).toBe(0);
    expect(dayOfMicros(86_400_000_000n)).toBe(1);
  });

  it('are named by their field, null where the row has no value', () => {
    const parts = [
      { sourceId: 1, transform: 'identity', name: 'op' },
      { sourceId: 2, transform: 'day', name: 'day' },
    ] as const;
    expect(partitionOf(parts, (id) => (id === 1 ? 'insert' : 86_400_000_001n))).toEqual({ op: 'insert', day: 1 });
    expect(partitionOf(parts, () => null)).toEqual({ op: null, day: null });
  });
});

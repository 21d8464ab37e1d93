import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Watermark } from '../../../core/iceberg/new-files.ts';
import type { ForeignFile, WriterHabits } from '../../support/foreign-lake.ts';
import { ForeignLake } from '../../support/foreign-lake.ts';
import { lakeOnAws } from './lake-mocks.ts';

type Step =
  | { readonly kind: 'append'; readonly operations: readonly string[]; readonly hasBounds: boolean }
  | { readonly kind: 'compact'; readonly operation: string; readonly share: readonly boolean[] }
  | { readonly kind: 'merge' }
  | { readonly kind: 'expire'; readonly keep: number }
  | { readonly kind: 'roll-back'; readonly commits: number };

const anyOperation = fc.constantFrom('insert', 'delete');
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      operations: fc.uniqueArray(anyOperation, { minLength: 1 }),
      hasBounds: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      operation: anyOperation,
      share: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'merge' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), keep: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('roll-back' as const), commits: fc.integer({ min: 1, max: 2 }) }),
  },
);
const anyHabits: fc.Arbitrary<WriterHabits> = fc.record({
  mergesManifests: fc.boolean(),
  gzipsMetadata: fc.boolean(),
  keepsDataSequence: fc.boolean(),
});

/** A changelog under test, and what a merge has taken in of it. */
class Play {
  readonly lake: ForeignLake;
  readonly merged = new Set<number>();
  watermark: Watermark | null = null;
  private count = 0;

  constructor(habits: WriterHabits) {
    this.lake = new ForeignLake(habits);
  }

  /** A file with one change that is in no other. */
  private file(operation: string, hasBounds: boolean): ForeignFile {
    const number = ++this.count;
    const span = hasBounds ? ([number, number] as const) : null;
    return {
      path: `s3://lake/${number}`,
      operation,
      day: 1,
      records: 1,
      holds: [number],
      captured: span,
      committed: span,
    };
  }

  change(step: Exclude<Step, { kind: 'merge' }>): void {
    if (step.kind === 'append')
      this.lake.append(step.operations.map((operation) => this.file(operation, step.hasBounds)));
    else if (step.kind === 'expire') this.lake.expire(step.keep);
    else if (step.kind === 'roll-back') this.lake.rollBack(step.commits);
    else {
      const files = this.lake.liveFiles.filter((file) => file.operation === step.operation);
      const chosen = files.filter((_, index) => step.share[index % step.share.length]);
      this.lake.compact(
        chosen.map((file) => file.path),
        `s3://lake/compacted-${++this.count}`,
      );
    }
  }
}

it('every change that was not merged is in a new file, and no new file holds merged changes alone', async () => {
  await fc.assert(
    fc.asyncProperty(anyHabits, fc.array(anyStep, { minLength: 1, maxLength: 14 }), async (habits, steps) => {
      const play = new Play(habits);
      const { open } = lakeOnAws(play.lake);
      const files = open();
      for (const step of [...steps, { kind: 'merge' } as const]) {
        if (step.kind !== 'merge') {
          play.change(step);
          continue;
        }
        const found = await files.newFiles('orders', play.watermark);
        const { liveFiles } = play.lake;
        const named = new Set(found.files.map((file) => file.path));
        const read = found.whole === null ? liveFiles.filter((file) => named.has(file.path)) : liveFiles;
        expect(read.length).toBe(found.whole === null ? named.size : liveFiles.length);
        if (found.whole === null)
          for (const file of read) expect(file.holds.some((change) => !play.merged.has(change))).toBe(true);
        for (const change of read.flatMap((file) => file.holds)) play.merged.add(change);
        for (const file of liveFiles)
          for (const change of file.holds) expect(play.merged.has(change), `change ${change}`).toBe(true);
        // Cold or warm, the answer is one.
        expect(await open().newFiles('orders', play.watermark)).toEqual(found);
        play.watermark = found.upTo;
      }
    }),
    { numRuns: 200 },
  );
});

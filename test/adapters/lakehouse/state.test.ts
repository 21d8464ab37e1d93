import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileRewriter } from '../../../adapters/duckdb/rewrite.ts';
import { compactTable } from '../../../adapters/iceberg/compact.ts';
import { addColumns } from '../../../core/schema.ts';
import type { Happening } from '../../support/changes.ts';
import { changeOf, rowsOf, typedChange } from '../../support/changes.ts';
import { applyAll, expectedRows, targetContract } from '../../support/contracts/target.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { lakeOpener } from './open-lake.ts';

const lake = lakeOpener();
/** Compacts whatever there is to compact, so that a few batches are enough. */
const EAGER = { minSmallFiles: 2, maxDeletedShare: 0, maxDeleteFiles: 1 };
const WORDS = schemaOf({ word: { kind: 'string' } });
const WIDER = addColumns(WORDS, [{ attribute: 'total', type: { kind: 'decimal', precision: 38, scale: 9 } }], {
  maxColumns: 9,
});

targetContract('an Iceberg table', () => lake.open(), 8);

function word(id: string, at: number): Happening {
  return { id, at, image: { word: { S: `${id} at ${at}` } } };
}

describe('two mergers of one table', () => {
  it('the one that comes second gets a conflict, and its retry is right', async () => {
    const under = await lake.open(WORDS);
    const other = await under.reopen();
    await applyAll(under, [word('a', 1), word('b', 1)], WORDS);
    await applyAll(under, [word('a', 2)], WORDS, other);
    const mine = [word('a', 3), word('b', 2), word('c', 1)];
    const theirs = [word('a', 4), { id: 'b', at: 5 }];
    const outcomes = await Promise.allSettled([
      applyAll(under, mine, WORDS, under.target),
      applyAll(under, theirs, WORDS, other),
    ]);
    const losers = outcomes.filter((outcome) => outcome.status === 'rejected');
    for (const loser of losers) expect(loser.reason).toMatchObject({ code: 'conflict' });
    if (outcomes[0].status === 'rejected') await applyAll(under, mine, WORDS, under.target);
    if (outcomes[1].status === 'rejected') await applyAll(under, theirs, WORDS, other);
    const history = [word('a', 1), word('b', 1), word('a', 2), ...mine, ...theirs];
    expect(await rowsOf(under.target, WORDS)).toEqual(expectedRows(history, WORDS));
    expect(await rowsOf(other, WORDS)).toEqual(expectedRows(history, WORDS));
    expect(await under.target.rowCount()).toBe(2);
  });

  it('a merger that was planned on an older snapshot never commits over a newer one', async () => {
    const under = await lake.open(WORDS);
    const other = await under.reopen();
    await applyAll(under, [word('a', 1)], WORDS);
    const outcomes = await Promise.allSettled(
      [2, 3, 4, 5].map((at) => applyAll(under, [word('a', at)], WORDS, at % 2 === 0 ? under.target : other)),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' });
    }
    await applyAll(
      under,
      [2, 3, 4, 5].map((at) => word('a', at)),
      WORDS,
    );
    expect(await rowsOf(other, WORDS)).toEqual(expectedRows([word('a', 5)], WORDS));
  });
});

describe('a compaction between two merges of one merger', () => {
  it('is followed: rows that it moved are updated and deleted where they stand now', async () => {
    const under = await lake.open(WORDS);
    const history: Happening[] = [];
    for (let at = 1; at <= 4; at++) {
      const batch = [word('a', at), word(`b${at}`, at), word(`c${at}`, at)];
      history.push(...batch);
      await applyAll(under, batch, WORDS);
    }
    const report = await compactTable(under.target.table, fileRewriter(lake.duck()), EAGER);
    expect(report).toMatchObject({ outcome: 'compacted', rewrittenFiles: 4 });
    const after = [word('a', 9), { id: 'b1', at: 9 }, word('c4', 9), word('a', 3)];
    history.push(...after);
    await applyAll(under, after, WORDS);
    expect(await rowsOf(under.target, WORDS)).toEqual(expectedRows(history, WORDS));
    expect(await under.target.rowCount()).toBe(expectedRows(history, WORDS).length);
  });
});

describe('what was merged', () => {
  it('is merged again without harm from any older mark', async () => {
    const under = await lake.open(WORDS);
    const batches = [[word('a', 1), word('b', 2)], [{ id: 'a', at: 3 }], [word('b', 4), word('c', 5)]];
    for (const batch of batches) await applyAll(under, batch, WORDS);
    const again = await under.reopen();
    for await (const { changes, mark } of under.changelog.readAfter(null)) {
      if (mark === null) continue;
      await again.apply(
        changes.map((change) => typedChange(change, WORDS)),
        WORDS,
        mark,
      );
    }
    expect(await rowsOf(again, WORDS)).toEqual(expectedRows(batches.flat(), WORDS));
    expect(await again.rowCount()).toBe(2);
  });

  it('stays as it is when the commit’s reply is lost: the same merge again changes nothing', async () => {
    const under = await lake.open(WORDS);
    const change = changeOf(word('a', 1), WORDS);
    const mark = await under.append([change]);
    await under.target.apply([typedChange(change, WORDS)], WORDS, mark);
    const again = await under.reopen();
    expect(await again.apply([typedChange(change, WORDS)], WORDS, mark)).toEqual({ applied: 0, stale: 1 });
    expect(await again.rowCount()).toBe(1);
  });
});

const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('apply' as const), size: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('other' as const), size: fc.integer({ min: 1, max: 3 }) }) },
);

const anyHappening = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  at: fc.integer({ min: 1, max: 60 }),
  kind: fc.constantFrom('word', 'total', 'delete'),
});

function happeningOf({ id, at, kind }: { id: string; at: number; kind: string }): Happening {
  if (kind === 'delete') return { id, at };
  return kind === 'word' ? word(id, at) : { id, at, image: { total: { N: `${at}.000000001` } } };
}

describe('random histories', () => {
  it('come to the reference, through compactions, openings, a second merger and added columns', async () => {
    const history = fc.uniqueArray(anyHappening, { selector: (one) => one.at, minLength: 5, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(history, fc.array(anyStep, { minLength: 3, maxLength: 12 }), async (drawn, steps) => {
        const under = await lake.open(WORDS);
        const happenings = drawn.map(happeningOf);
        const applied: Happening[] = [];
        let [target, other] = [under.target, await under.reopen()];
        let [next, schema] = [0, WORDS];
        for (const step of steps) {
          if (step.do === 'compact') await compactTable(target.table, fileRewriter(lake.duck()), EAGER);
          if (step.do === 'reopen') [target, other] = [await under.reopen(), target];
          if (step.do !== 'apply' && step.do !== 'other') continue;
          // Each batch brings the end of the one before again: duplicates, and older versions than those held.
          const batch = happenings.slice(Math.max(0, next - 2), next + step.size);
          next += step.size;
          if (batch.some((one) => one.image !== undefined && 'total' in one.image)) schema = WIDER;
          applied.push(...batch);
          await applyAll(under, batch, schema, step.do === 'apply' ? target : other);
          expect(await rowsOf(target, schema)).toEqual(expectedRows(applied, schema));
          expect(await target.rowCount()).toBe(expectedRows(applied, schema).length);
        }
      }),
      { numRuns: 12 },
    );
  });
});

import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../../core/envelope.ts';
import type { Changelog, ChangelogMark, StreamPositions } from '../../../flows/ports.ts';
import { changeOf } from '../changes.ts';
import { schemaOf } from '../dynamodb.ts';

const WORDS = schemaOf({ word: { kind: 'string' } });

function envelopes(from: number, count: number): Envelope[] {
  return Array.from({ length: count }, (_, index) => {
    const at = from + index;
    const image = { word: { S: `wörd "${at}"\n\0😀` } };
    return changeOf(at % 5 === 4 ? { id: `k${at}`, at } : { id: `k${at}`, at, image }, WORDS);
  });
}

function positionsAt(after: string): StreamPositions {
  return {
    streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-22T10:00:00.000',
    shards: { 'shard-1': { finished: true }, 'shard-2': { after } },
  };
}

interface Read {
  readonly changes: readonly Envelope[];
  readonly marks: readonly (ChangelogMark | null)[];
}

async function readAll(changelog: Changelog, after: ChangelogMark | null): Promise<Read> {
  const changes: Envelope[] = [];
  const marks: (ChangelogMark | null)[] = [];
  for await (const piece of changelog.readAfter(after)) {
    changes.push(...piece.changes);
    marks.push(piece.mark);
  }
  return { changes, marks };
}

/** A changelog's partitions may set the changes of one append in another order. */
function byVersion(changes: readonly Envelope[]): Envelope[] {
  return [...changes].sort((a, b) => (a.version < b.version ? -1 : 1));
}

/** What every changelog must do. `open` gives a new, empty one, and the way to open the same one again. */
export function changelogContract(
  name: string,
  open: () => Promise<{ readonly changelog: Changelog; readonly reopen: () => Promise<Changelog> }>,
): void {
  describe(`${name} as a changelog`, () => {
    it('has no changes, no positions and no mark before the first append', async () => {
      const { changelog } = await open();
      expect(await changelog.newest()).toBeNull();
      expect(await changelog.positions()).toBeNull();
      expect(await readAll(changelog, null)).toEqual({ changes: [], marks: [] });
    });

    it('gives every envelope back, field by field, also when it is opened again', async () => {
      const { changelog, reopen } = await open();
      const written = envelopes(0, 12);
      expect((await changelog.append(written, null)).rows).toBe(12);
      expect(byVersion((await readAll(changelog, null)).changes)).toEqual(written);
      expect(byVersion((await readAll(await reopen(), null)).changes)).toEqual(written);
    });

    it('gives what was appended after a mark, oldest append first, and the mark that a reader then stands at', async () => {
      const { changelog } = await open();
      const first = await changelog.append(envelopes(0, 6), null);
      const second = await changelog.append(envelopes(6, 6), null);
      const third = await changelog.append(envelopes(12, 1), null);
      const later = await readAll(changelog, first.mark);
      expect(byVersion(later.changes.slice(0, 6))).toEqual(envelopes(6, 6));
      expect(later.changes.slice(6)).toEqual(envelopes(12, 1));
      expect(later.marks.filter((mark) => mark !== null)).toEqual([second.mark, third.mark]);
      expect(later.marks.at(-1)).toEqual(third.mark);
      expect((await readAll(changelog, third.mark)).changes).toEqual([]);
      expect(await changelog.newest()).toEqual(third.mark);
    });

    it('rises with every append', async () => {
      const { changelog } = await open();
      let last = 0;
      for (let at = 0; at < 4; at++) {
        const { mark } = await changelog.append(envelopes(at, at === 2 ? 0 : 1), positionsAt(String(at)));
        expect(mark.sequence).toBeGreaterThan(last);
        last = mark.sequence;
      }
    });

    it('keeps the newest positions, through appends that have none, and when it is opened again', async () => {
      const { changelog, reopen } = await open();
      await changelog.append(envelopes(0, 1), positionsAt('1'));
      await changelog.append(envelopes(1, 1), positionsAt('2'));
      await changelog.append(envelopes(2, 1), null);
      expect(await changelog.positions()).toEqual(positionsAt('2'));
      expect(await (await reopen()).positions()).toEqual(positionsAt('2'));
    });

    it('takes positions alone, which leave nothing to read', async () => {
      const { changelog } = await open();
      const { mark } = await changelog.append(envelopes(0, 1), positionsAt('1'));
      expect((await changelog.append([], positionsAt('9'))).rows).toBe(0);
      expect(await changelog.positions()).toEqual(positionsAt('9'));
      expect(await changelog.newest()).toEqual(mark);
      expect((await readAll(changelog, mark)).changes).toEqual([]);
    });

    it('keeps a change as often as it was appended', async () => {
      const { changelog } = await open();
      await changelog.append(envelopes(0, 1), null);
      await changelog.append(envelopes(0, 1), null);
      expect((await readAll(changelog, null)).changes).toEqual([...envelopes(0, 1), ...envelopes(0, 1)]);
    });

    it('loses no append of two that are made at once', async () => {
      const { changelog, reopen } = await open();
      const other = await reopen();
      await Promise.all([changelog.append(envelopes(0, 3), null), other.append(envelopes(3, 3), null)]);
      expect(byVersion((await readAll(changelog, null)).changes)).toEqual(envelopes(0, 6));
    });
  });
}

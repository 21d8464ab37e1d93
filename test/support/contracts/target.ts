import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyHash } from '../../../core/change.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { materialize } from '../../../core/merge.ts';
import { decodeRow } from '../../../core/decode-row.ts';
import { addColumns } from '../../../core/schema.ts';
import type { TableSchema } from '../../../core/schema.ts';
import type { Applied, ChangelogMark, Target, TargetRow } from '../../../flows/ports.ts';
import type { Happening } from '../changes.ts';
import { changeOf, rowsOf, typedChange } from '../changes.ts';
import { schemaOf } from '../dynamodb.ts';

/** A target of a table that is new, the changelog that feeds it, and the way to open the target again. */
export interface TargetUnderTest {
  readonly target: Target;
  /** Appends to the changelog that the target may look back at. */
  append(envelopes: readonly Envelope[]): Promise<ChangelogMark>;
  /** The same target as after a stop or a kill. */
  reopen(): Promise<Target>;
}

/** The newest change of each key of some happenings, appended and applied together. */
export async function applyAll(
  under: TargetUnderTest,
  happenings: readonly Happening[],
  schema: TableSchema,
  target = under.target,
): Promise<Applied> {
  const changes = happenings.map((happening) => changeOf(happening, schema));
  const mark = await under.append(changes);
  const newest = new Map<KeyHash, Envelope>();
  for (const change of changes) {
    const held = newest.get(change.keyHash);
    if (held === undefined || change.version > held.version) newest.set(change.keyHash, change);
  }
  return target.apply(
    [...newest.values()].map((change) => typedChange(change, schema)),
    schema,
    mark,
  );
}

/** The rows that a target must hold after these happenings, in any order: the reference. */
export function expectedRows(happenings: readonly Happening[], schema: TableSchema): TargetRow[] {
  const changes = happenings.map((happening) => changeOf(happening, schema));
  return [...materialize(changes).values()]
    .map(({ keyHash, version, row }) => ({ keyHash, version, ...decodeRow(row ?? '{}', schema) }))
    .sort((a, b) => (a.keyHash < b.keyHash ? -1 : 1));
}

const WORDS = schemaOf({ word: { kind: 'string' } });

function word(id: string, at: number, text = `word ${at}`): Happening {
  return { id, at, image: { word: { S: text } } };
}

/** Every kind of column, and values at its ends. */
const KINDS = schemaOf({
  text: { kind: 'string' },
  flag: { kind: 'boolean' },
  bytes: { kind: 'binary' },
  tree: { kind: 'json' },
  count: { kind: 'long' },
  ratio: { kind: 'double' },
  when: { kind: 'timestamp' },
  day: { kind: 'date' },
  wide: { kind: 'decimal', precision: 38, scale: 9 },
  small: { kind: 'decimal', precision: 5, scale: 2 },
});

const EXTREMES: readonly Happening[] = [
  {
    id: 'least',
    at: 1,
    image: {
      text: { S: '' },
      flag: { BOOL: false },
      bytes: { B: '' },
      tree: { M: {} },
      count: { N: '-9223372036854775808' },
      ratio: { N: '-1.5E-100' },
      when: { S: '0001-01-01T00:00:00Z' },
      day: { S: '0001-01-01' },
      wide: { N: '-99999999999999999999999999999.999999999' },
      small: { N: '-999.99' },
    },
  },
  {
    id: 'most',
    at: 2,
    image: {
      text: { S: 'a "quoted"\tline\nand 😀 \\ back' },
      flag: { BOOL: true },
      bytes: { B: '/////w==' },
      tree: {
        L: [{ N: '12345678901234567890' }, { NULL: true }, { SS: ['b', 'a'] }, { M: { b: { N: '1' }, a: { S: 'ä' } } }],
      },
      count: { N: '9223372036854775807' },
      ratio: { N: '1.7E100' },
      when: { S: '9999-12-31T23:59:59.999999Z' },
      day: { S: '9999-12-31' },
      wide: { N: '99999999999999999999999999999.999999999' },
      small: { N: '999.99' },
    },
  },
  {
    id: 'nulls',
    at: 3,
    image: Object.fromEntries(KINDS.columns.slice(1).map((column) => [column.attribute, { NULL: true }])),
  },
  { id: 'absent', at: 4, image: {} },
  {
    id: 'misfits',
    at: 5,
    image: { count: { N: '1.5' }, day: { S: 'soon' }, small: { N: '0.001' }, text: { BOOL: true } },
  },
];

const anyHappening = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  at: fc.integer({ min: 1, max: 30 }),
  kind: fc.constantFrom('put', 'put', 'delete'),
});

/** One happening for each place: two deliveries of it are the same change. */
const anyHistory = fc
  .uniqueArray(anyHappening, { selector: (one) => one.at, minLength: 1, maxLength: 24 })
  .map((history): Happening[] => history.map(({ id, at, kind }) => (kind === 'delete' ? { id, at } : word(id, at))));

/** What every target must do. `open` gives one of a table that is new. `runs`: how many random histories it is worth. */
export function targetContract(name: string, open: () => Promise<TargetUnderTest>, runs: number): void {
  describe(`${name} as a target`, () => {
    it('has no mark before the first apply, then that of the last, also when it is opened again', async () => {
      const under = await open();
      expect(await under.target.mark()).toBeNull();
      for (let at = 1; at <= 3; at++) {
        const change = changeOf(word('a', at), WORDS);
        const mark = await under.append([change]);
        await under.target.apply([typedChange(change, WORDS)], WORDS, mark);
        expect(await under.target.mark()).toEqual(mark);
        expect(await (await under.reopen()).mark()).toEqual(mark);
      }
    });

    it('moves its mark with an apply of nothing', async () => {
      const under = await open();
      await applyAll(under, [word('a', 1)], WORDS);
      const mark = await under.append([]);
      expect(await under.target.apply([], WORDS, mark)).toEqual({ applied: 0, stale: 0 });
      expect(await under.target.mark()).toEqual(mark);
      expect(await rowsOf(under.target, WORDS)).toEqual(expectedRows([word('a', 1)], WORDS));
    });

    it('changes nothing when a change comes twice', async () => {
      const under = await open();
      expect(await applyAll(under, [word('a', 1), word('b', 2)], WORDS)).toEqual({ applied: 2, stale: 0 });
      expect(await applyAll(under, [word('b', 2), word('a', 1)], WORDS)).toEqual({ applied: 0, stale: 2 });
      expect(await rowsOf(under.target, WORDS)).toEqual(expectedRows([word('a', 1), word('b', 2)], WORDS));
    });

    it('lets an older change never overwrite a newer one', async () => {
      const under = await open();
      await applyAll(under, [word('a', 5, 'newer')], WORDS);
      expect(await applyAll(under, [word('a', 4, 'older'), word('b', 3)], WORDS)).toEqual({ applied: 1, stale: 1 });
      expect(await rowsOf(under.target, WORDS)).toEqual(expectedRows([word('a', 5, 'newer'), word('b', 3)], WORDS));
    });

    it('remembers a delete: a late older change stays away, a newer one comes back, also when it is opened again', async () => {
      const under = await open();
      await applyAll(under, [word('a', 1), word('b', 1)], WORDS);
      expect(await applyAll(under, [{ id: 'a', at: 5 }], WORDS)).toEqual({ applied: 1, stale: 0 });
      expect(await applyAll(under, [word('a', 4)], WORDS)).toEqual({ applied: 0, stale: 1 });
      const again = await under.reopen();
      expect(await applyAll(under, [word('a', 3)], WORDS, again)).toEqual({ applied: 0, stale: 1 });
      expect(await rowsOf(again, WORDS)).toEqual(expectedRows([word('b', 1)], WORDS));
      expect(await applyAll(under, [word('a', 6)], WORDS, again)).toEqual({ applied: 1, stale: 0 });
      expect(await rowsOf(again, WORDS)).toEqual(expectedRows([word('b', 1), word('a', 6)], WORDS));
    });

    it('remembers a delete of a key that it never had', async () => {
      const under = await open();
      expect(await applyAll(under, [{ id: 'a', at: 5 }], WORDS)).toEqual({ applied: 1, stale: 0 });
      const again = await under.reopen();
      expect(await applyAll(under, [word('a', 4)], WORDS, again)).toEqual({ applied: 0, stale: 1 });
      expect(await rowsOf(again, WORDS)).toEqual([]);
    });

    it('gives every kind of value back exactly', async () => {
      const under = await open();
      await applyAll(under, EXTREMES, KINDS);
      expect(plain(await rowsOf(under.target, KINDS))).toEqual(plain(expectedRows(EXTREMES, KINDS)));
    });

    it('holds rows of a schema that gained columns, the old ones with nulls there', async () => {
      const under = await open();
      const wider = addColumns(WORDS, [{ attribute: 'total', type: { kind: 'long' } }], { maxColumns: 9 });
      const total: Happening = { id: 'b', at: 2, image: { total: { N: '7' } } };
      await applyAll(under, [word('a', 1), word('c', 1)], WORDS);
      expect(plain(await rowsOf(under.target, wider))).toEqual(
        plain(expectedRows([word('a', 1), word('c', 1)], wider)),
      );
      await applyAll(under, [total, { id: 'a', at: 3, image: { total: { N: '8' } } }], wider);
      const after = [word('a', 1), word('c', 1), total, { id: 'a', at: 3, image: { total: { N: '8' } } }];
      expect(await rowsOf(under.target, wider)).toEqual(expectedRows(after, wider));
      await applyAll(under, [word('d', 9)], WORDS);
      expect(await rowsOf(await under.reopen(), wider)).toEqual(expectedRows([...after, word('d', 9)], wider));
    });

    it('comes to the reference, whatever the order, the repetitions, the batches and the openings', async () => {
      const delivery = fc.record({
        history: anyHistory,
        order: fc.infiniteStream(fc.nat()),
        size: fc.integer({ min: 1, max: 9 }),
        reopenEvery: fc.integer({ min: 1, max: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(delivery, async ({ history, order, size, reopenEvery }) => {
          const under = await open();
          let target = under.target;
          const delivered = [...history, ...history.filter((one) => one.at % 3 === 0)]
            .map((happening) => ({ happening, rank: Number(order.next().value) }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ happening }) => happening);
          for (let from = 0; from < delivered.length; from += size) {
            if ((from / size) % reopenEvery === reopenEvery - 1) target = await under.reopen();
            await applyAll(under, delivered.slice(from, from + size), WORDS, target);
          }
          expect(await rowsOf(target, WORDS)).toEqual(expectedRows(history, WORDS));
        }),
        { numRuns: runs },
      );
    });
  });
}

/** Bytes as base64, so that a Buffer equals a Uint8Array of the same bytes; JSON as its value, since an engine may store it in its own order. */
function plain(rows: readonly TargetRow[]): unknown[] {
  return rows.map((row) => ({
    ...row,
    cells: row.cells.map((cell) => {
      if (cell instanceof Uint8Array) return Buffer.from(cell).toString('base64');
      return typeof cell === 'string' && /^[[{]/.test(cell) ? (JSON.parse(cell) as unknown) : cell;
    }),
    rescued: row.rescued === null ? null : (JSON.parse(row.rescued) as unknown),
  }));
}

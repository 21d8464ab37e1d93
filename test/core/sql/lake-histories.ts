import fc from 'fast-check';
import type { Envelope } from '../../../core/envelope.ts';
import type { TableSchema } from '../../../core/schema.ts';
import { changeOf } from '../../support/changes.ts';

/** One arrival of a change in the changelog. */
export interface Arrival {
  readonly envelope: Envelope;
  /** The file it stands in. */
  readonly file: string;
}

/** What happens to a lakehouse, in order. */
export type Happening =
  | { readonly kind: 'append'; readonly arrivals: readonly Arrival[]; readonly hasBounds: boolean }
  /** A merge, which ends after so many of its statements (null: none is left out), then says that it did or not. */
  | { readonly kind: 'merge'; readonly statements: number | null; readonly isRecorded: boolean };

export interface LakeHistory {
  readonly happenings: readonly Happening[];
  readonly envelopes: readonly Envelope[];
  readonly filesPerStatement: number;
}

const MINUTE = 60_000_000;
/** A Monday, so that the days of the histories are ordinary ones. */
const BEGINNING = 1_790_000_000_000_000;

/** What one key goes through: writes and deletes at places of the stream, each arriving at one or more rounds. */
const anyKeyHistory = fc.uniqueArray(
  fc.record({
    at: fc.integer({ min: 1, max: 30 }),
    isDelete: fc.boolean(),
    /** How many minutes before its turn the source says that it was committed. */
    earlyMinutes: fc.integer({ min: 0, max: 4 }),
    /** The rounds in which it arrives: late, twice, or redriven. */
    rounds: fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 }),
    part: fc.integer({ min: 0, max: 1 }),
  }),
  { selector: (one) => one.at, minLength: 1, maxLength: 6 },
);

const anyRound = fc.record({
  hasBounds: fc.boolean(),
  merges: fc.array(fc.record({ statements: fc.option(fc.integer({ min: 0, max: 3 })), isRecorded: fc.boolean() }), {
    maxLength: 2,
  }),
});

/**
 * Histories of a few keys: shuffled, duplicated and late over files and rounds, deleted and inserted again; merges that are
 * repeated, cut short, or die before they say what they did. In the end everything has arrived and been merged.
 */
export function anyLakeHistory(schema: TableSchema, maxKeys = 60): fc.Arbitrary<LakeHistory> {
  return fc
    .record({
      keys: fc.array(anyKeyHistory, { minLength: 1, maxLength: maxKeys, size: 'max' }),
      rounds: fc.array(anyRound, { minLength: 6, maxLength: 6 }),
      filesPerStatement: fc.constantFrom(1, 2, 100),
    })
    .map(({ keys, rounds, filesPerStatement }) => {
      const envelopes: Envelope[] = [];
      const arrivals: Arrival[][] = rounds.map(() => []);
      for (const [index, history] of keys.entries()) {
        for (const one of history) {
          const id = `key${index}`;
          const made = changeOf(
            one.isDelete ? { id, at: one.at } : { id, at: one.at, image: { word: { S: `${one.at}` } } },
            schema,
          );
          // A minute lies between two turns, so the source may tell them in the wrong order; a round is another day.
          const committedAtMicros = BEGINNING + (one.at - one.earlyMinutes) * MINUTE;
          envelopes.push({ ...made, committedAtMicros });
          for (const round of one.rounds) {
            const capturedAtMicros = committedAtMicros + round * 26 * 60 * MINUTE;
            const file = `${round}/${made.operation}/${one.part}`;
            arrivals[round]?.push({ envelope: { ...made, committedAtMicros, capturedAtMicros }, file });
          }
        }
      }
      const happenings = rounds.flatMap(({ hasBounds, merges }, round): Happening[] => [
        { kind: 'append', arrivals: arrivals[round] ?? [], hasBounds },
        ...merges.map((merge): Happening => ({ kind: 'merge', ...merge })),
      ]);
      const last: Happening = { kind: 'merge', statements: null, isRecorded: true };
      return { happenings: [...happenings, last], envelopes, filesPerStatement };
    });
}

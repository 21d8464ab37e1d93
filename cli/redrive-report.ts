import type { RedriveKind, RedriveReport } from '../core/redrive-page.ts';
import { REDRIVE_KINDS } from '../core/redrive-page.ts';
import type { RedriveResult } from '../deployed/results.ts';
import { countOf, countText } from './format.ts';
import type { Session } from './session.ts';

const KIND_NAMES: Readonly<Record<RedriveKind, string>> = {
  'failed-batches': 'batches that Lambda gave up on',
  quarantine: 'quarantine',
  'lakehouse-errors': 'undelivered to the lakehouse',
  'staging-errors': 'undelivered to the warehouse',
  'dead-letters': 'loads that were given up on',
};

/** Prints what a redrive did: a line for each kind of what was set aside, then why anything was left. */
export function printRedrive(session: Session, { counts, notes }: RedriveResult): void {
  session.printTable(
    ['what', 'found', 'redriven', 'refused again', 'not understood'],
    REDRIVE_KINDS.map((kind) => {
      const { found, redriven, refused, unknown } = counts[kind];
      return [KIND_NAMES[kind], countText(found), countText(redriven), countText(refused), countText(unknown)];
    }),
  );
  session.print('');
  for (const note of notes) session.print(session.paint('yellow', note));
  const left = leftIn(counts);
  session.print(
    left === 0
      ? session.paint('green', 'Nothing is left.')
      : session.paint('yellow', `What is left stays where it was: ${countOf(left, 'record')}.`),
  );
}

/** What is still set aside after a redrive. */
export function leftIn(counts: RedriveReport): number {
  return REDRIVE_KINDS.reduce((sum, kind) => sum + counts[kind].refused + counts[kind].unknown, 0);
}

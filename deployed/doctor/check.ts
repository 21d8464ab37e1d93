import { failureKind } from '../../adapters/aws/failure.ts';
import { messageOf } from '../../core/errors.ts';

/** `unknown`: it could not be found out. */
export type Verdict = 'ok' | 'warning' | 'wrong' | 'unknown';

/** One thing that was looked at before a deploy. */
export interface Check {
  /** `account`, `lakehouse`, `warehouse`, or the mirror's name of a table. */
  readonly subject: string;
  /** What was looked at, in a word or two. */
  readonly what: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** What to do, with the exact command where there is one; null where nothing is to be done. */
  readonly remedy: string | null;
}

export type Finding = Omit<Check, 'subject' | 'what'>;

export function ok(found: string): Finding {
  return { verdict: 'ok', found, remedy: null };
}

export function wrong(found: string, remedy: string): Finding {
  return { verdict: 'wrong', found, remedy };
}

export function warning(found: string, remedy: string): Finding {
  return { verdict: 'warning', found, remedy };
}

export function unknown(found: string, remedy: string): Finding {
  return { verdict: 'unknown', found, remedy };
}

/** Looks at one thing; what cannot be asked is `unknown`, and the other things are looked at all the same. */
export async function check(subject: string, what: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { subject, what, ...(await look()) };
  } catch (thrown) {
    return { subject, what, ...cannotAsk(thrown) };
  }
}

function cannotAsk(thrown: unknown): Finding {
  const name = thrown instanceof Error ? thrown.name : 'Error';
  const detail = `${name}: ${messageOf(thrown)}`;
  return failureKind(thrown) === 'unauthorised'
    ? unknown(`could not be asked: ${detail}`, 'Ask with credentials that allow this call, or look for yourself.')
    : unknown(`could not be asked: ${detail}`, 'Check the network and the region, then run glasshouse doctor again.');
}

/** A shell command, with its region where it is known. */
export function awsCommand(words: string, region: string | null): string {
  return region === null ? `aws ${words}` : `aws ${words} --region ${region}`;
}

import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { backoffMs } from './backoff.ts';
import type { FailureKind } from './failure.ts';
import { explainFailure, failureKind } from './failure.ts';
import type { Timing } from './timing.ts';

/** Until when something may be tried: a function must answer before its own time is over. */
export interface Deadline {
  readonly timing: Timing;
  /** Epoch milliseconds. */
  readonly atMillis: number;
}

const RETRIED: ReadonlySet<FailureKind> = new Set(['throttled', 'unreachable']);
const NEVER = new AbortController().signal;

/**
 * Makes a call, again and again with back-off while the service throttles it or cannot be reached, until the deadline.
 * `what` follows "Could not". A failure of another kind is thrown as it came, unless `alsoRetried` says otherwise.
 * @throws GlasshouseError `throttled` or `unavailable` once the next try would come after the deadline.
 */
export async function withinDeadline<T>(
  what: string,
  call: () => Promise<T>,
  deadline: Deadline,
  alsoRetried: (thrown: unknown) => boolean = () => false,
): Promise<T> {
  const { timing, atMillis } = deadline;
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (thrown) {
      const kind = failureKind(thrown);
      if (!RETRIED.has(kind) && !alsoRetried(thrown)) throw thrown;
      const delayMs = backoffMs(attempt, timing.chance());
      if (timing.now() + delayMs >= atMillis) throw tooLate(what, kind, thrown);
      await timing.wait(delayMs, NEVER);
    }
  }
}

function tooLate(what: string, kind: FailureKind, thrown: unknown): GlasshouseError {
  if (kind !== 'throttled') return explainFailure(thrown, what);
  return new GlasshouseError(
    'throttled',
    `Could not ${what} in the time there was: the service asks for fewer requests (${messageOf(thrown)}). Try again later.`,
    { cause: thrown },
  );
}

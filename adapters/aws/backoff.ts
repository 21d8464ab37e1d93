import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { failureKind } from './failure.ts';
import { hasAborted, type Timing } from './timing.ts';

/** A call that is being tried again, for a status line; `recovered` once it has succeeded. */
export type RetryStatus =
  | {
      readonly kind: 'retrying';
      readonly what: string;
      readonly reason: 'throttled' | 'unreachable';
      readonly attempt: number;
      readonly delayMs: number;
      readonly message: string;
    }
  | { readonly kind: 'recovered'; readonly what: string };

export interface Backoff {
  readonly timing: Timing;
  /** How long nobody may answer before it is an error. Throttling is waited out for ever. */
  readonly unreachableMs: number;
  readonly onStatus?: ((status: RetryStatus) => void) | undefined;
}

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

/** The delay before try number `attempt` (from 1), in milliseconds: doubles to 5 s, of which the later half is left to chance. */
export function backoffMs(attempt: number, chance: number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt - 1, 20));
  return Math.round(ceiling * (0.5 + chance / 2));
}

/**
 * Makes a call until it succeeds. Throttling is retried for ever, unreachability for `unreachableMs` (then a
 * GlasshouseError `unavailable`); anything else is thrown as it came, and so is the last failure once the signal aborts.
 */
export async function withBackoff<T>(
  what: string,
  call: () => Promise<T>,
  { timing, unreachableMs, onStatus }: Backoff,
  signal: AbortSignal,
): Promise<T> {
  let unreachableSince: number | null = null;
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await call();
      if (attempt > 1) onStatus?.({ kind: 'recovered', what });
      return result;
    } catch (thrown) {
      const reason = failureKind(thrown);
      if (signal.aborted || (reason !== 'throttled' && reason !== 'unreachable')) throw thrown;
      unreachableSince = reason === 'throttled' ? null : (unreachableSince ?? timing.now());
      if (unreachableSince !== null && timing.now() - unreachableSince >= unreachableMs) {
        throw unavailable(what, unreachableMs, thrown);
      }
      const delayMs = backoffMs(attempt, timing.chance());
      onStatus?.({ kind: 'retrying', what, reason, attempt, delayMs, message: messageOf(thrown) });
      await timing.wait(delayMs, signal);
      if (hasAborted(signal)) throw thrown;
    }
  }
}

function unavailable(what: string, unreachableMs: number, cause: unknown): GlasshouseError {
  return new GlasshouseError(
    'unavailable',
    `Could not ${what}: no answer for ${Math.round(unreachableMs / 1000)} s (${messageOf(cause)}). ` +
      'Check that the endpoint is right and running, then start again: it continues where it stopped, nothing is lost.',
    { cause },
  );
}

import { setTimeout as sleep } from 'node:timers/promises';

/** The clock and the dice, as arguments: a test brings its own. */
export interface Timing {
  /** Epoch milliseconds. */
  now(): number;
  /** A number in [0, 1). */
  chance(): number;
  /** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemTiming: Timing = {
  now: () => Date.now(),
  chance: () => Math.random(),
  wait: async (ms, signal) => {
    if (signal.aborted) return;
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  },
};

/** Wakes everyone who waits at this moment. A ring that nobody waits for is not kept, so look before you wait. */
export interface Bell {
  ring(): void;
  next(): Promise<void>;
}

export function createBell(): Bell {
  let waiting: (() => void)[] = [];
  return {
    ring: () => {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    next: () => new Promise((resolve) => waiting.push(resolve)),
  };
}

/** Lets at most `limit` calls run at once, the others in the order they came. */
export function createTurnstile(limit: number): <T>(call: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let running = 0;
  return async (call) => {
    if (running >= limit) await new Promise<void>((resolve) => queue.push(resolve));
    else running++;
    try {
      return await call();
    } finally {
      // The place is handed on without being given up, so that nobody can slip in between.
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
}

/** Asks anew: the compiler takes a signal that had not aborted before an await to be so after it. */
export function hasAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

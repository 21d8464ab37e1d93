import type { Timing } from '../../adapters/aws/timing.ts';

/** A clock that only waiting moves, and dice that always show the middle. Keeps what was waited. */
export function steppedTiming(
  startMillis = 1_790_000_000_000,
): Timing & { readonly waits: number[]; advance(ms: number): void } {
  let now = startMillis;
  const waits: number[] = [];
  return {
    waits,
    advance: (ms) => void (now += ms),
    now: () => now,
    chance: () => 0.5,
    wait: (ms) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}

import type { ProgressEvent, TargetName } from '../local/results.ts';
import type { Paint } from './colour.ts';
import { countText, durationText, rateText } from './format.ts';
import type { Output } from './host.ts';
import { cutTo } from './text-width.ts';

/** What is over sooner shows no progress. */
const QUIET_MS = 1000;
const REDRAW_MS = 100;
const PLAIN_LINE_MS = 5000;
const CLEAR_LINE = '\r\u001b[2K';
const TARGETS: readonly TargetName[] = ['lakehouse', 'warehouse'];

export interface Progress {
  update(event: ProgressEvent): void;
  /** Writes a line of its own, above the live one. */
  log(line: string): void;
  /** Takes the live line away. */
  finish(): void;
}

/** One live line on a terminal; elsewhere a plain line every five seconds at most. */
export function createProgress(output: Output, paint: Paint, now: () => number): Progress {
  const startedAt = now();
  let drawnAt = Number.NEGATIVE_INFINITY;
  let live: string | null = null;
  const clear = () => {
    if (live !== null) output.write(CLEAR_LINE);
  };
  return {
    update(event) {
      const at = now();
      const interval = output.isTerminal ? REDRAW_MS : PLAIN_LINE_MS;
      if (at - startedAt < QUIET_MS || at - drawnAt < interval) return;
      drawnAt = at;
      if (!output.isTerminal) {
        output.write(`${progressText(event)}\n`);
        return;
      }
      live = paint('dim', cutTo(progressText(event), output.columns - 1));
      output.write(CLEAR_LINE + live);
    },
    log(line) {
      clear();
      output.write(`${line}\n`);
      if (live !== null) output.write(live);
    },
    finish() {
      clear();
      live = null;
    },
  };
}

/** `replaying: 412,000 of 1,000,000 records, 41,210/s, lag lakehouse 400 ms, warehouse 900 ms, 14.0 s left` */
export function progressText(event: ProgressEvent): string {
  const total = event.total === undefined ? '' : ` of ${countText(event.total)}`;
  const lags = TARGETS.flatMap((target) => {
    const lagMs = event.lagMs[target];
    return lagMs === null ? [] : [`${target} ${durationText(lagMs)}`];
  });
  return [
    `${event.phase}: ${countText(event.records)}${total} records`,
    rateText(event.perSecond),
    ...(lags.length === 0 ? [] : [`lag ${lags.join(', ')}`]),
    ...(event.quarantined === 0 ? [] : [`${countText(event.quarantined)} quarantined`]),
    ...(event.etaMs === undefined ? [] : [`${durationText(event.etaMs)} left`]),
  ].join(', ');
}

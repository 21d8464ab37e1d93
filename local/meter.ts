import type { Captured } from '../flows/capture.ts';
import type { TypedChange } from '../flows/ports.ts';
import type { ProgressEvent, TargetName } from './results.ts';

/** What one target has applied. */
interface TargetCount {
  newestCommitMicros: number;
  /** Whether something waits for it. */
  behind: boolean;
}

/** Counts what goes through a mirror, for progress lines and the summary. */
export class Meter {
  readonly startedAtMs: number;
  records = 0;
  changes = 0;
  rescued = 0;
  readonly quarantined: Record<string, number> = {};
  private readonly applied = new Map<TargetName, TargetCount>();
  private readonly now: () => number;
  private readonly total: Meter | null;
  private window: { readonly atMs: number; readonly records: number }[] = [];

  /** `total`: a meter that counts this one's too, as of all tables together. */
  constructor(now: () => number, total: Meter | null = null) {
    this.now = now;
    this.total = total;
    this.startedAtMs = now();
  }

  onKept(captured: Captured): void {
    this.total?.onKept(captured);
    this.records += captured.changes.length + captured.quarantined.length;
    this.changes += captured.changes.length;
    this.rescued += captured.rescued;
    for (const { kind } of captured.quarantined) this.quarantined[kind] = (this.quarantined[kind] ?? 0) + 1;
    if (captured.changes.length > 0) for (const target of this.applied.values()) target.behind = true;
  }

  track(target: TargetName): void {
    this.total?.track(target);
    this.applied.set(target, { newestCommitMicros: 0, behind: false });
  }

  onApplied(target: TargetName, changes: readonly TypedChange[]): void {
    this.total?.onApplied(target, changes);
    const held = this.applied.get(target);
    if (!held) return;
    for (const { change } of changes)
      held.newestCommitMicros = Math.max(held.newestCommitMicros, change.committedAtMicros);
    held.behind = false;
  }

  event(phase: string, total?: number): ProgressEvent {
    const perSecond = this.rate();
    const left = total === undefined || perSecond === 0 ? undefined : ((total - this.records) / perSecond) * 1000;
    return {
      phase,
      records: this.records,
      perSecond,
      quarantined: this.quarantinedCount,
      lagMs: { lakehouse: this.lagOf('lakehouse'), warehouse: this.lagOf('warehouse') },
      ...(total === undefined ? {} : { total }),
      ...(left === undefined ? {} : { etaMs: Math.max(0, left) }),
    };
  }

  get quarantinedCount(): number {
    return Object.values(this.quarantined).reduce((sum, count) => sum + count, 0);
  }

  get seconds(): number {
    return (this.now() - this.startedAtMs) / 1000;
  }

  /** 0 where the target has all that was captured; null where it has nothing yet. */
  private lagOf(target: TargetName): number | null {
    const held = this.applied.get(target);
    if (held === undefined || held.newestCommitMicros === 0) return null;
    return held.behind ? Math.max(0, this.now() - held.newestCommitMicros / 1000) : 0;
  }

  /** Records a second over the last five seconds. */
  private rate(): number {
    const nowMs = this.now();
    this.window.push({ atMs: nowMs, records: this.records });
    this.window = this.window.filter((sample) => nowMs - sample.atMs <= 5000);
    const first = this.window[0];
    if (first === undefined || nowMs === first.atMs) return 0;
    return ((this.records - first.records) / (nowMs - first.atMs)) * 1000;
  }
}

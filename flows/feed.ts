import type { Change, KeyHash, TypedRow } from '../core/change.ts';
import { decodeRow } from '../core/decode-row.ts';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import { newestPerKey } from '../core/merge.ts';
import type { TableSchema } from '../core/schema.ts';
import type { Applied, ChangelogMark, Target, TypedChange } from './ports.ts';

/**
 * A change that waits for a target. Only its text is kept: typed cells are a score of objects a row, which would cost more
 * to keep than to make from the text when the target asks for them.
 */
class WaitingChange implements TypedChange {
  readonly change: Change;
  private readonly schema: TableSchema;

  constructor(change: Change, schema: TableSchema) {
    this.change = change;
    this.schema = schema;
  }

  get row(): TypedRow | null {
    return this.change.row === null ? null : decodeRow(this.change.row, this.schema);
  }
}

export interface FeedOptions {
  /** Keys that may wait for the target or be under way into it; `offer` waits while there are more. */
  readonly maxKeys: number;
  /** Keys that must wait before an apply begins by itself; 1 applies whatever comes as soon as the target is free. */
  readonly applyFrom: number;
  /** Waits before a retry: attempt (from 1) to milliseconds. */
  readonly backoffMs: (attempt: number) => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Called when the target cannot be used, and the feed goes on trying. */
  readonly onTrouble?: (message: string) => void;
  /** Whether retries are to be given up: what waits stays in the changelog. */
  readonly isStopped: () => boolean;
  /** Called after each apply, with the changes that it was given. */
  readonly onApplied?: (counts: Applied, changes: readonly TypedChange[]) => void;
}

/**
 * Brings changes to one target: keeps the newest change of each key while the target is busy, and applies them together.
 * A target that is away is tried again for as long as it takes: the changelog has everything, so nothing is lost by waiting.
 */
export class Feed {
  private readonly target: Target;
  private readonly options: FeedOptions;
  private pending = new Map<KeyHash, Change>();
  /** Keys that the target is applying. */
  private applying = 0;
  private mark: ChangelogMark;
  private schema: TableSchema | null = null;
  private running: Promise<void> | null = null;
  private failure: unknown = null;

  /** `mark`: where the target stands now. */
  constructor(target: Target, mark: ChangelogMark, options: FeedOptions) {
    this.target = target;
    this.mark = mark;
    this.options = options;
  }

  /** Takes changes in, and the mark that the target stands at once they are applied. Waits while the target is far behind. */
  async offer(changes: Iterable<Change>, schema: TableSchema, mark: ChangelogMark | null): Promise<void> {
    newestPerKey(changes, (change) => change, this.pending);
    // Two sources of a table can offer out of the order they were captured in; a row of an older schema fits a newer one.
    if (this.schema === null || schema.version > this.schema.version) this.schema = schema;
    if (mark !== null) this.mark = mark;
    if (this.pending.size >= this.options.applyFrom) this.start();
    while (this.pending.size + this.applying >= this.options.maxKeys) {
      this.start();
      await this.running;
      this.throwFailure();
    }
    this.throwFailure();
  }

  /** Applies everything that waits, and returns when the target has it. */
  async drain(): Promise<void> {
    while (this.pending.size > 0 || this.running !== null) {
      this.start();
      await this.running;
      this.throwFailure();
    }
    // An apply that failed while nobody waited has left nothing to wait for: it must be heard all the same.
    this.throwFailure();
  }

  private start(): void {
    if (this.running !== null || this.failure !== null || this.pending.size === 0) return;
    this.running = this.applyPending()
      .catch((thrown: unknown) => {
        this.failure = thrown;
      })
      .finally(() => {
        this.applying = 0;
        this.running = null;
        if (this.pending.size >= this.options.applyFrom) this.start();
      });
  }

  private async applyPending(): Promise<void> {
    const { pending, schema, mark } = this;
    if (schema === null) throw new GlasshouseError('bug', 'Changes wait for a target, but no schema came with them.');
    this.pending = new Map();
    this.applying = pending.size;
    const changes = Array.from(pending.values(), (change) => new WaitingChange(change, schema));
    const counts = await this.applyWithRetry(changes, schema, mark);
    this.options.onApplied?.(counts, changes);
  }

  private async applyWithRetry(
    changes: readonly TypedChange[],
    schema: TableSchema,
    mark: ChangelogMark,
  ): Promise<Applied> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.target.apply(changes, schema, mark);
      } catch (thrown) {
        if (this.options.isStopped() || !isPassing(thrown)) throw thrown;
        this.options.onTrouble?.(messageOf(thrown));
        await this.options.sleep(this.options.backoffMs(attempt));
      }
    }
  }

  private throwFailure(): void {
    if (this.failure !== null) throw this.failure as Error;
  }
}

/** Whether trying again can help: another writer won, or the target is away. What nobody classified is never retried. */
function isPassing(thrown: unknown): boolean {
  return (
    thrown instanceof GlasshouseError &&
    (thrown.code === 'conflict' || thrown.code === 'unavailable' || thrown.code === 'throttled')
  );
}

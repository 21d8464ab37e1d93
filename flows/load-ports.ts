import type { StagedMessage } from '../core/load-plan.ts';

/** What has become of a submission. */
export type Submission =
  | { readonly state: 'running' }
  | { readonly state: 'finished'; readonly endedAtMillis: number }
  | {
      readonly state: 'failed';
      /** As the warehouse says it. */
      readonly message: string;
      /** The statement that failed, from 0; null where that is not known. */
      readonly statement: number | null;
      readonly endedAtMillis: number;
    }
  /** Nobody remembers it: it was submitted too long ago, or never. */
  | { readonly state: 'unknown' };

/** A warehouse that takes statements and runs them by itself. Throws GlasshouseError `throttled` and `unavailable` where nothing is known to have been done. */
export interface WarehouseStatements {
  /**
   * Submits statements as one transaction, and returns what it is asked for by. A repetition with the same token (at most
   * 64 characters) is the same submission; with null every call is one of its own.
   */
  submit(statements: readonly string[], token: string | null): Promise<string>;
  /** What has become of a submission. Waits for its end, until then (epoch milliseconds) at the longest. */
  describe(id: string, untilMillis: number): Promise<Submission>;
  /** Every row of a query, its values as text. */
  query(sql: string, untilMillis: number): Promise<readonly (readonly (string | null)[])[]>;
}

/** What was taken from the queue. */
export interface Received {
  readonly messages: readonly StagedMessage[];
  /** Messages that tell of no staged object: why, each. They are left to become dead letters. */
  readonly strays: readonly string[];
  /** Whether the queue had nothing more. */
  readonly isDrained: boolean;
}

/**
 * The notices of staged objects. A notice that was received shows up again after a while unless it is removed, so every
 * object is loaded at least once; and it may come twice.
 */
export interface StagedQueue {
  /** About how many notices wait, and how many were received and neither removed nor shown again. */
  count(): Promise<{ readonly waiting: number; readonly hidden: number }>;
  /** Takes up to so many notices; they show up again after `hideSeconds`. */
  receive(limit: number, hideSeconds: number, untilMillis: number): Promise<Received>;
  /** Removes notices. Those that are gone already, or are somebody else's by now, are passed over. */
  remove(handles: readonly string[]): Promise<void>;
  /** Has notices show up again in so many seconds, passing over as `remove` does. */
  reappear(handles: readonly string[], inSeconds: number): Promise<void>;
}

/** Writes manifests for COPY, each entry mandatory. Returns the manifest's `s3://` URL; a repetition writes the same again. */
export interface Manifests {
  write(key: string, objectUrls: readonly string[]): Promise<string>;
}

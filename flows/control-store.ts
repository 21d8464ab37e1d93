import type { Lease, Progress } from '../core/control.ts';

/** What a deployed mirror remembers between runs of its functions. Each write is atomic; conditions are checked in it. */
export interface ControlStore {
  readProgress(table: string, target: 'lakehouse' | 'warehouse'): Promise<Progress | null>;
  /**
   * Writes how far a target is, if it stands where `before` says (null: nowhere yet). Throws GlasshouseError `conflict`
   * where another has written meanwhile. Repeated after a lost reply, it succeeds: what stands there is `progress` already.
   */
  writeProgress(
    table: string,
    target: 'lakehouse' | 'warehouse',
    progress: Progress,
    before: Progress | null,
  ): Promise<void>;
  /**
   * Takes a lease that nobody holds, whose time is over, or that `owner` holds already. Returns whether it was taken.
   * A lease is no proof that its last owner has stopped: what it guards must bear a second worker, and only be slower by it.
   */
  takeLease(name: string, owner: string, nowMillis: number, untilMillis: number): Promise<boolean>;
  /** Gives a lease back; does nothing where another holds it. */
  releaseLease(name: string, owner: string): Promise<void>;
  readLease(name: string): Promise<Lease | null>;
  readLoadInFlight(): Promise<LoadInFlight | null>;
  /** Null forgets it. */
  writeLoadInFlight(load: LoadInFlight | null): Promise<void>;
  readLoadSpend(day: string): Promise<LoadSpend>;
  /** Adds to what a day's loads cost. A repetition after a lost reply may count twice, which only slows the cadence. */
  addLoadSpend(day: string, spend: LoadSpend): Promise<void>;
}

/**
 * A load that was submitted: what a loader that starts anew must know of it. Once it is over it stays without tables: the
 * number that the next one follows, and when the warehouse was last woken.
 */
export interface LoadInFlight {
  /** Rises with every load: the `sequence` of the ledger's rows. */
  readonly load: number;
  /** The Data API's id of the batch; null where it was about to be submitted. */
  readonly statementId: string | null;
  readonly submittedAtMillis: number;
  readonly tables: Readonly<Record<string, TableInFlight>>;
  readonly attempts: number;
}

/** One table's part of a load. */
export interface TableInFlight {
  readonly manifestUrl: string;
  /** The staged objects that the manifest names, as `s3://…` URLs. */
  readonly objectUrls: readonly string[];
  readonly schemaVersion: number;
  /** What the queue's messages about these objects are deleted or released by. */
  readonly handles?: readonly string[];
}

export interface LoadSpend {
  readonly wakeUps: number;
  /** Seconds that the warehouse was billed for, as far as the loads know. */
  readonly billedSeconds: number;
}

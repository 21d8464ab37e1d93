import type { Commits } from './commits.ts';
import type { ActionStore, KeyValueStore } from './engine.ts';
import type { Expiry } from './expiry.ts';
import type { Streams } from './streams.ts';
import type { Tables } from './tables.ts';

/** The parts of one open embedded database. */
export interface Database {
  readonly db: KeyValueStore;
  /** dynalite's own store; what differs from it is laid over. */
  readonly engine: ActionStore;
  readonly commits: Commits;
  readonly tables: Tables;
  readonly streams: Streams;
  readonly expiry: Expiry;
  readonly now: () => number;
}

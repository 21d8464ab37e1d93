import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { type KeyValueStore, type StoreWrite } from './engine.ts';

export function put(key: string, value: string): StoreWrite {
  return { type: 'put', key, value, valueEncoding: 'utf8' };
}

export function del(key: string): StoreWrite {
  return { type: 'del', key };
}

/**
 * The one way to the store for writes. Each `submit` is atomic, and they are stored in the order in which they were
 * submitted; those that arrive while another is being stored share one batch. `read` sees what was submitted, at once.
 *
 * When a batch fails (a full disk), everything after it is refused until the store is opened again: what was planned
 * on top of the failed writes would not be true, and nothing that was acknowledged is lost by stopping.
 */
export class Commits {
  readonly #db: KeyValueStore;
  /** The writes that are not stored yet, the newest of each key. */
  readonly #ahead = new Map<string, StoreWrite>();
  #queue: StoreWrite[] = [];
  #waitingRound: Promise<void> | undefined;
  #lastRound: Promise<void> = Promise.resolve();
  #failure: GlasshouseError | undefined;

  constructor(db: KeyValueStore) {
    this.#db = db;
  }

  /** The newest value of the key, stored or on its way. */
  read(key: string): string | undefined {
    const write = this.#ahead.get(key);
    if (write !== undefined) return write.type === 'put' ? write.value : undefined;
    return this.#db.getSync(key, { valueEncoding: 'utf8' });
  }

  /** Stores the writes, all or none. Resolves when a killed process would not lose them (a power cut might). */
  async submit(writes: readonly StoreWrite[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const write of writes) {
      this.#ahead.set(write.key, write);
      this.#queue.push(write);
    }
    if (this.#waitingRound === undefined) {
      this.#waitingRound = this.#lastRound.then(() => this.#storeRound());
      // Whoever submitted gets the failure; `settled` looks for it itself.
      this.#lastRound = this.#waitingRound.catch(() => undefined);
    }
    await this.#waitingRound;
  }

  /** Resolves when everything that was submitted before is stored. */
  async settled(): Promise<void> {
    await this.#lastRound;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Refuses every later write, because of what was thrown; returns the refusal. */
  fail(thrown: unknown): GlasshouseError {
    return (this.#failure ??= new GlasshouseError(
      'unavailable',
      `The embedded DynamoDB could not store a write (${messageOf(thrown)}) and takes no more. Nothing that it ` +
        'acknowledged is lost: make room on the disk if it is full, and start it again.',
      { cause: thrown },
    ));
  }

  async #storeRound(): Promise<void> {
    const writes = this.#queue;
    this.#queue = [];
    this.#waitingRound = undefined;
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#db.batch(writes);
    } catch (thrown) {
      throw this.fail(thrown);
    }
    for (const write of writes) {
      if (this.#ahead.get(write.key) === write) this.#ahead.delete(write.key);
    }
  }
}

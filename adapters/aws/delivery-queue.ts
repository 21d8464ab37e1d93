import type { Bell } from './timing.ts';
import { createBell } from './timing.ts';

/** Something that waits to be taken, and what it weighs. */
export interface Weighed {
  readonly records: number;
  readonly bytes: number;
}

/**
 * A queue between readers and one consumer, bounded by records and bytes: who wants to add waits for room first. It may be
 * overrun by what the readers had asked for already, so by one page a reader.
 */
export class DeliveryQueue<Chunk extends Weighed> {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #arrived: Bell = createBell();
  readonly #taken: Bell = createBell();
  #chunks: Chunk[] = [];
  #records = 0;
  #bytes = 0;

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  /** Resolves when there is room, or after `wakeAll` once the signal has aborted. */
  async room(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (this.#records >= this.#maxRecords || this.#bytes >= this.#maxBytes)) {
      await this.#taken.next();
    }
  }

  push(chunk: Chunk): void {
    this.#chunks.push(chunk);
    this.#records += chunk.records;
    this.#bytes += chunk.bytes;
    this.#arrived.ring();
  }

  /** Takes the oldest chunks: as many as together have at most `maxRecords`, and at least one where there is any. */
  take(maxRecords: number): Chunk[] {
    let count = 0;
    let records = 0;
    for (const chunk of this.#chunks) {
      if (count > 0 && records + chunk.records > maxRecords) break;
      count++;
      records += chunk.records;
      this.#bytes -= chunk.bytes;
    }
    this.#records -= records;
    const taken = this.#chunks.splice(0, count);
    this.#taken.ring();
    return taken;
  }

  /** Resolves at the next `push` or `wakeAll`. Look whether there is anything before waiting. */
  arrival(): Promise<void> {
    return this.#arrived.next();
  }

  /** Wakes the consumer and all who wait for room, to look around: after an abort, a failure, a round without news. */
  wakeAll(): void {
    this.#arrived.ring();
    this.#taken.ring();
  }
}

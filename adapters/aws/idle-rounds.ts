/**
 * Tells when every open shard has been read to its tip. A round is over once each of them was asked in it and had nothing;
 * then the next begins. What was written before a round began is therefore known to have been read when it is over.
 */
export class IdleRounds {
  /** How often a shard must say that it has nothing: more than once where a page may be empty though more follows. */
  readonly #emptyPages: number;
  readonly #shards = new Map<string, { round: number; empty: number }>();
  #round = 0;

  constructor(emptyPages: number) {
    this.#emptyPages = emptyPages;
  }

  /** The number of rounds that are over. */
  get completed(): number {
    return this.#round;
  }

  open(shardId: string): void {
    this.#shards.set(shardId, { round: this.#round, empty: 0 });
  }

  close(shardId: string): void {
    this.#shards.delete(shardId);
  }

  /** A request that was begun in `round` brought records. */
  news(shardId: string): void {
    this.open(shardId);
  }

  /** A request that was begun in `round` brought nothing. */
  nothing(shardId: string, round: number): void {
    const shard = this.#shards.get(shardId);
    if (shard === undefined || round !== this.#round) return;
    if (shard.round === round) shard.empty++;
    else this.#shards.set(shardId, { round, empty: 1 });
  }

  /** Ends the round if every open shard had nothing in it, and says whether it did. */
  tryComplete(): boolean {
    for (const { round, empty } of this.#shards.values()) {
      if (round !== this.#round || empty < this.#emptyPages) return false;
    }
    this.#round++;
    return true;
  }
}

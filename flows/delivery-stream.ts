/** What became of lines that were put. */
export interface Delivery {
  /** Which lines were not taken in the time there was, rising. Empty: all are durable. */
  readonly untaken: readonly number[];
  /** Records that were refused at first and put again. */
  readonly retried: number;
}

/** One target's way out of capture: where its lines are durable and wait for being merged or loaded. */
export interface DeliveryStream {
  /** In bytes of UTF-8 without its end: a longer line must be shrunk before. */
  readonly longestLine: number;
  /**
   * Puts lines, each at least once, in no order. What is refused is put again, alone, until `untilMillis` (epoch
   * milliseconds); what was not taken by then may have been all the same, where only the reply was lost. Throws where
   * to put again would not help.
   */
  put(lines: readonly string[], untilMillis: number): Promise<Delivery>;
}

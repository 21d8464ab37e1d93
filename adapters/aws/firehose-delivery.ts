import type { FirehoseClient } from '@aws-sdk/client-firehose';
import { setMaxListeners } from 'node:events';
import { messageOf } from '../../core/errors.ts';
import type { LineRange, Packing } from '../../core/firehose-batches.ts';
import { longestLine } from '../../core/firehose-batches.ts';
import type { Delivery, DeliveryStream } from '../../flows/delivery-stream.ts';
import type { Log } from '../../flows/log.ts';
import { backoffMs } from './backoff.ts';
import { explainFailure, failureKind } from './failure.ts';
import type { EncodedLines, EncodedRecord, PutAnswer } from './firehose-request.ts';
import { encodeLines, putRecordBatch } from './firehose-request.ts';
import type { Timing } from './timing.ts';
import { createTurnstile } from './timing.ts';

export interface FirehoseDeliveryOptions {
  readonly streamName: string;
  readonly packing: Packing;
  readonly timing: Timing;
  readonly log: Log;
  /** Requests under way at once. Default: 8. */
  readonly concurrency?: number;
}

/** What was refused for good, by its kind of failure; anything else is put again. */
const PUT_AGAIN: ReadonlySet<string> = new Set(['throttled', 'unreachable']);

/** What one call of `put` has come to so far. */
interface PutState {
  readonly bytes: Buffer;
  readonly signal: AbortSignal;
  readonly untilMillis: number;
  readonly untaken: EncodedRecord[];
  retried: number;
  /** Why, in the words of the last one. */
  lastRefusal: string;
}

/** Puts lines into one Firehose stream. The client should not retry by itself (`maxAttempts: 1`): that is done here, for the refused records only. */
export class FirehoseDelivery implements DeliveryStream {
  readonly longestLine: number;
  private readonly client: FirehoseClient;
  private readonly options: FirehoseDeliveryOptions;
  private readonly turnstile: ReturnType<typeof createTurnstile>;

  /** The caller keeps the client, and destroys it. */
  constructor(client: FirehoseClient, options: FirehoseDeliveryOptions) {
    this.client = client;
    this.options = options;
    this.longestLine = longestLine(options.packing);
    this.turnstile = createTurnstile(options.concurrency ?? 8);
  }

  /** No async function: one would hold the lines for as long as it waits. */
  put(lines: readonly string[], untilMillis: number): Promise<Delivery> {
    return this.putEncoded(encodeLines(lines, this.options.packing), untilMillis);
  }

  private async putEncoded({ bytes, requests }: EncodedLines, untilMillis: number): Promise<Delivery> {
    const stop = new AbortController();
    const leftMs = Math.max(0, untilMillis - this.options.timing.now());
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(leftMs)]);
    // Every request under way listens to it.
    setMaxListeners(0, signal);
    const state: PutState = { bytes, signal, untilMillis, untaken: [], retried: 0, lastRefusal: '' };
    const puts = requests.map((request) => this.turnstile(() => this.putRequest(request, state)));
    try {
      await Promise.all(puts);
    } catch (thrown) {
      // Nothing must go on behind the back of whoever is told of the failure.
      stop.abort();
      await Promise.allSettled(puts);
      throw thrown;
    }
    const untaken = state.untaken.flatMap(linesOf).sort((a, b) => a - b);
    this.sayWhatWasRefused(state, untaken.length);
    return { untaken, retried: state.retried };
  }

  private sayWhatWasRefused({ retried, lastRefusal }: PutState, untaken: number): void {
    const { log, streamName } = this.options;
    if (retried === 0 && untaken === 0) return;
    log.warn('Firehose did not take all records at once', { stream: streamName, retried, untaken, lastRefusal });
  }

  /** Puts a request, then what was refused of it, until all is taken or the time is over. */
  private async putRequest(request: readonly EncodedRecord[], state: PutState): Promise<void> {
    const { timing } = this.options;
    let left = request;
    for (let attempt = 1; left.length > 0; attempt++) {
      if (!state.signal.aborted && timing.now() < state.untilMillis) left = await this.attempt(left, state);
      if (left.length === 0) return;
      const delayMs = backoffMs(attempt, timing.chance());
      if (state.signal.aborted || timing.now() + delayMs >= state.untilMillis) {
        state.untaken.push(...left);
        return;
      }
      state.retried += left.length;
      await timing.wait(delayMs, state.signal);
    }
  }

  /** Puts records once; those that were not taken. */
  private async attempt(records: readonly EncodedRecord[], state: PutState): Promise<readonly EncodedRecord[]> {
    const { streamName } = this.options;
    const { bytes, signal } = state;
    try {
      return refusedOf(records, await putRecordBatch(this.client, streamName, { bytes, records }, signal), state);
    } catch (thrown) {
      if (!state.signal.aborted && !PUT_AGAIN.has(failureKind(thrown)))
        throw explainFailure(thrown, `put changes to the Firehose stream ${streamName}`);
      state.lastRefusal = messageOf(thrown);
      return records;
    }
  }
}

/** What an answer does not say is taken. An answer that does not fit the request says nothing, so all of it is put again. */
function refusedOf(records: readonly EncodedRecord[], answer: PutAnswer, state: PutState): readonly EncodedRecord[] {
  const { RequestResponses: responses = [], FailedPutCount: failed } = answer;
  if (responses.length !== records.length || failed === undefined) {
    state.lastRefusal = `The answer tells of ${responses.length} records, not of ${records.length}`;
    return records;
  }
  const refused = records.filter((_, index) => {
    const response = responses[index];
    return response?.RecordId === undefined || response.ErrorCode !== undefined;
  });
  const code = responses.find((response) => response.ErrorCode !== undefined)?.ErrorCode;
  if (refused.length > 0) state.lastRefusal = code ?? 'no record id';
  if (refused.length >= failed) return refused;
  state.lastRefusal = `The answer counts ${failed} failed records and names ${refused.length}`;
  return records;
}

function linesOf({ first, end }: LineRange): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index);
}

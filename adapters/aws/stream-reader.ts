import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { ChangeSource, SourceBatch, StreamPositions } from '../../flows/ports.ts';
import type { RetryStatus } from './backoff.ts';
import { isLoopback } from './clients.ts';
import { otherStreamError } from './stream-gap.ts';
import { StreamSession } from './stream-session.ts';
import { systemTiming, type Timing } from './timing.ts';

/**
 * Reads a DynamoDB stream, on any endpoint. `batches` yields a batch without deliveries in two cases: the positions moved
 * without a record (a shard ended), or a round over all open shards brought nothing, at most once for each round. Its
 * `positions` are the same object as before where they have not moved. One `batches` at a time.
 */
export interface StreamReader extends ChangeSource {
  /**
   * True once everything that was in the stream when `batches` was called has been yielded, and nothing has come since:
   * each open shard was read to its tip, and the listing shows no shard that is not known. False again with the next record.
   */
  readonly caughtUp: boolean;
  /**
   * Rounds over all open shards that brought nothing, since `batches` was called. What was written at a moment has been
   * yielded once this is at least 2 more than it was at that moment (the next round may have begun before it).
   */
  readonly idleRounds: number;
}

/** How fast and how far ahead a stream is read. */
export interface StreamTuning {
  /** The most deliveries of one batch. Default 10,000. */
  readonly maxBatchRecords: number;
  /** How far to read ahead of the consumer; overrun by one page for each concurrent read. Default 20,000 records, 32 MiB as sent. */
  readonly maxQueuedRecords: number;
  readonly maxQueuedBytes: number;
  /** Requests at once, over all shards. Default 4. */
  readonly concurrentReads: number;
  /** The pause after a page that was not full, and what it grows to while a shard is empty. Default 25 to 200 ms on loopback, 250 ms to 1 s else. */
  readonly pollMs: number;
  readonly idlePollMs: number;
  /** The pause after a full page: DynamoDB takes 5 reads a second of a shard. Default 0 on loopback, 200 ms else. */
  readonly fullPageMs: number;
  /** How often the shards are listed while none ends. Default 10 s. */
  readonly relistMs: number;
  /** Pages without records before a shard counts as read to its tip. Default 1 on loopback; else 3, since DynamoDB may answer so before the tip. */
  readonly emptyPagesAtTip: number;
  /** How long nobody may answer before it is an error. Default 5 minutes. */
  readonly unreachableMs: number;
}

/** What the reader is doing, for a status line. */
export type ReaderStatus =
  | RetryStatus
  | { readonly kind: 'shard-started'; readonly shardId: string }
  | { readonly kind: 'shard-finished'; readonly shardId: string };

export interface StreamReaderOptions {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly tuning?: Partial<StreamTuning>;
  readonly onStatus?: (status: ReaderStatus) => void;
  /** The clock and the dice; the real ones where it is absent. */
  readonly timing?: Timing;
}

const COMMON: Omit<StreamTuning, 'pollMs' | 'idlePollMs' | 'fullPageMs' | 'emptyPagesAtTip'> = {
  maxBatchRecords: 10_000,
  maxQueuedRecords: 20_000,
  maxQueuedBytes: 32 * 1024 * 1024,
  concurrentReads: 4,
  relistMs: 10_000,
  unreachableMs: 300_000,
};
const LOOPBACK: StreamTuning = { ...COMMON, pollMs: 25, idlePollMs: 200, fullPageMs: 0, emptyPagesAtTip: 1 };
const REMOTE: StreamTuning = { ...COMMON, pollMs: 250, idlePollMs: 1_000, fullPageMs: 200, emptyPagesAtTip: 3 };

/**
 * A reader of one stream. Shards are read in parallel, each after its parent. `batches` throws a GlasshouseError:
 * `gap` where records may have been lost unread, `unavailable` where nobody answered for `unreachableMs` or a call was
 * refused, `config` where there is no such stream. It ends without an error when its signal aborts.
 */
export function createStreamReader(options: StreamReaderOptions): StreamReader {
  let session: StreamSession | null = null;
  return {
    get caughtUp() {
      return session?.caughtUp ?? false;
    },
    get idleRounds() {
      return session?.idleRounds ?? 0;
    },
    async *batches(from: StreamPositions | null, signal: AbortSignal): AsyncGenerator<SourceBatch> {
      if (from !== null && from.streamArn !== options.streamArn)
        throw otherStreamError(options.streamArn, from.streamArn);
      const reading = new StreamSession({
        client: options.client,
        streamArn: options.streamArn,
        tuning: { ...((await isLoopback(options.client)) ? LOOPBACK : REMOTE), ...options.tuning },
        timing: options.timing ?? systemTiming,
        onStatus: options.onStatus ?? (() => undefined),
        from,
      });
      session = reading;
      const stop = () => reading.stop();
      signal.addEventListener('abort', stop);
      try {
        if (!signal.aborted) reading.start();
        while (!signal.aborted) {
          const batch = await reading.next();
          if (batch === null) return;
          yield batch;
        }
      } finally {
        signal.removeEventListener('abort', stop);
        reading.stop();
        await reading.settled();
      }
    },
  };
}

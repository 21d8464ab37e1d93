import type { ChangeSource, Delivered, SourceBatch, StreamPositions } from '../../flows/ports.ts';

/** A stream of one shard whose sequence numbers are the places of its deliveries, from 1 on. */
export interface MemoryStream {
  readonly streamArn: string;
  readonly shardId: string;
  readonly deliveries: readonly Delivered[];
}

/** Delivers a stream in batches of at most `batchSize`, each with the positions that it ends at. */
export function createMemorySource(stream: MemoryStream, batchSize: number): ChangeSource {
  return {
    async *batches(from, signal) {
      for (let at = deliveredBy(stream, from); at < stream.deliveries.length; at += batchSize) {
        // A real source waits here; whoever aborts meanwhile must be heard.
        await Promise.resolve();
        if (signal.aborted) return;
        yield batchAt(stream, at, batchSize);
      }
    },
  };
}

function deliveredBy(stream: MemoryStream, from: StreamPositions | null): number {
  const position = from?.shards[stream.shardId];
  if (position === undefined) return 0;
  return 'after' in position ? Number(position.after) : stream.deliveries.length;
}

function batchAt(stream: MemoryStream, at: number, size: number): SourceBatch {
  const deliveries = stream.deliveries.slice(at, at + size);
  const after = String(at + deliveries.length);
  return { deliveries, positions: { streamArn: stream.streamArn, shards: { [stream.shardId]: { after } } } };
}

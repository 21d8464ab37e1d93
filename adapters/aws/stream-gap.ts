import { GlasshouseError } from '../../core/errors.ts';
import type { LineageGap } from './shard-lineage.ts';

const REMEDY =
  'Changes may have been missed, so the mirror cannot go on from here. Mirror the table anew: run into a new, empty folder, ' +
  'which scans the table in beside its stream.';

/** The error for a hole that a listing shows. */
export function lineageGapError(streamArn: string, gap: LineageGap): GlasshouseError {
  const where =
    gap.kind === 'shard-gone'
      ? `shard ${gap.shardId}, which was read up to sequence number ${gap.after} but not to its end, is no longer there`
      : `shard ${gap.parentShardId}, the parent of ${gap.shardId}, was trimmed before it was read (no sequence number of it was)`;
  return new GlasshouseError('gap', `The stream ${streamArn} has a gap: ${where}. ${REMEDY}`);
}

/** The error for records that were trimmed (after 24 hours) before they were read. `after`: the last sequence number that was. */
export function trimmedError(
  streamArn: string,
  shardId: string,
  after: string | null,
  cause: unknown,
): GlasshouseError {
  const where = after === null ? 'its first record' : `the record after sequence number ${after}`;
  return new GlasshouseError(
    'gap',
    `The stream ${streamArn} has a gap: ${where} in shard ${shardId} was trimmed before it was read. ${REMEDY}`,
    { cause },
  );
}

/** The error for positions of another stream: the table's stream was turned off and on, or the table made anew. */
export function otherStreamError(asked: string, held: string): GlasshouseError {
  return new GlasshouseError(
    'gap',
    `The mirror was reading the stream ${held}, but the table's stream is ${asked}: the stream was turned off and on again, ` +
      `or the table was made anew. ${REMEDY}`,
  );
}

/** The error for a stream that does not exist, to one who has read from it (`begun`) or has not. */
export function missingStreamError(streamArn: string, begun: boolean, cause: unknown): GlasshouseError {
  return begun
    ? new GlasshouseError('gap', `The stream ${streamArn} no longer exists. ${REMEDY}`, { cause })
    : new GlasshouseError(
        'config',
        `There is no stream ${streamArn}. Check the region and the endpoint, and that the table's stream is on ` +
          '(aws dynamodb describe-table shows LatestStreamArn).',
        { cause },
      );
}

/** The error for a stream that was turned off and has been read to its very end. */
export function endedStreamError(streamArn: string): GlasshouseError {
  return new GlasshouseError(
    'gap',
    `The stream ${streamArn} was turned off (or its table deleted). All that it held has been delivered; what was written ` +
      `since is not in it. Turn the table's stream on again. ${REMEDY}`,
  );
}

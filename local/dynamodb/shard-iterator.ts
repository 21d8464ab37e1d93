import { serviceError, validationError } from './service-error.ts';

/** Where a reader goes on in a shard: at the first record whose sequence number is `from` or greater. */
export interface ShardPosition {
  readonly streamArn: string;
  readonly shardId: string;
  readonly from: string;
}

/** A shard iterator may be used for so long after it was given. */
export const ITERATOR_LIFE_MS = 15 * 60 * 1000;

/** The position as the opaque text that GetShardIterator gives; the server keeps nothing of it. */
export function encodeIterator(position: ShardPosition, nowMs: number): string {
  const token = JSON.stringify([position.shardId, position.from, nowMs]);
  return `${position.streamArn}|1|${Buffer.from(token).toString('base64')}`;
}

/** Reads an iterator. Throws `ExpiredIteratorException` after 15 minutes, and a validation error when it is none of ours. */
export function decodeIterator(iterator: string, nowMs: number): ShardPosition {
  const [streamArn, version, token] = iterator.split('|');
  const parts = version === '1' && token !== undefined ? parsed(token) : undefined;
  if (streamArn === undefined || !Array.isArray(parts)) throw validationError('Invalid ShardIterator.');
  const [shardId, from, issuedMs] = parts as unknown[];
  if (
    typeof shardId !== 'string' ||
    typeof from !== 'string' ||
    !/^\d{21}$/.test(from) ||
    typeof issuedMs !== 'number'
  ) {
    throw validationError('Invalid ShardIterator.');
  }
  if (nowMs - issuedMs > ITERATOR_LIFE_MS) {
    throw serviceError(
      'ExpiredIteratorException',
      'Iterator expired: it was given more than 15 minutes ago. Get a new one.',
    );
  }
  return { streamArn, shardId, from };
}

function parsed(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, 'base64').toString());
  } catch {
    return undefined;
  }
}

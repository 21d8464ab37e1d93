import { z } from 'zod';
import { type Commits } from './commits.ts';
import { JsonText } from './json-text.ts';
import { parseRequest } from './request.ts';
import { serviceError, validationError } from './service-error.ts';
import { decodeIterator, encodeIterator } from './shard-iterator.ts';
import { type Shard } from './shards.ts';
import { sequenceAfter, type Stream, type Streams } from './streams.ts';

/** A page of GetRecords has no more records and no more text than these. */
export const PAGE_RECORDS = 1000;
export const PAGE_BYTES = 1024 * 1024;

const listStreamsRequest = z.object({
  TableName: z.string().nullish(),
  Limit: z.number().int().min(1).max(100).nullish(),
  ExclusiveStartStreamArn: z.string().nullish(),
});
const describeStreamRequest = z.object({
  StreamArn: z.string(),
  Limit: z.number().int().min(1).max(100).nullish(),
  ExclusiveStartShardId: z.string().nullish(),
  ShardFilter: z.object({ Type: z.literal('CHILD_SHARDS'), ShardId: z.string() }).nullish(),
});
const getShardIteratorRequest = z.object({
  StreamArn: z.string(),
  ShardId: z.string(),
  ShardIteratorType: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER']),
  SequenceNumber: z
    .string()
    .regex(/^\d{1,40}$/)
    .nullish(),
});
const getRecordsRequest = z.object({
  ShardIterator: z.string(),
  Limit: z.number().int().min(1).max(PAGE_RECORDS).nullish(),
});

/** What the Streams API needs of the database. */
export interface StreamsContext {
  readonly streams: Streams;
  readonly commits: Commits;
  readonly now: () => number;
}

/** ListStreams: the streams that can still be read, disabled ones and those of deleted tables included. */
export async function listStreams({ streams, commits }: StreamsContext, request: unknown): Promise<object> {
  const { TableName, Limit, ExclusiveStartStreamArn: after } = parseRequest(listStreamsRequest, request);
  const found = streams
    .list()
    .filter((each) => (!TableName || each.tableName === TableName) && (!after || each.arn > after));
  const page = found.slice(0, Limit ?? 100);
  await commits.settled();
  return {
    Streams: page.map((each) => ({ StreamArn: each.arn, StreamLabel: each.label, TableName: each.tableName })),
    LastEvaluatedStreamArn: page.length < found.length ? page.at(-1)?.arn : undefined,
  };
}

/** DescribeStream: the stream and a page of its shards, in the order of their opening. */
export async function describeStream({ streams, commits }: StreamsContext, request: unknown): Promise<object> {
  const { StreamArn, Limit, ExclusiveStartShardId, ShardFilter } = parseRequest(describeStreamRequest, request);
  const stream = streamOf(streams, StreamArn);
  const afterOrdinal = ExclusiveStartShardId ? ordinalOf(ExclusiveStartShardId) : -1;
  const found = stream.lineage.shards.filter(
    (shard) => shard.ordinal > afterOrdinal && (!ShardFilter || shard.parentId === ShardFilter.ShardId),
  );
  const page = found.slice(0, Limit ?? 100);
  const description = {
    StreamArn: stream.arn,
    StreamLabel: stream.label,
    StreamStatus: stream.disabledMs === undefined ? 'ENABLED' : 'DISABLED',
    StreamViewType: stream.viewType,
    CreationRequestDateTime: stream.createdMs / 1000,
    TableName: stream.tableName,
    KeySchema: stream.keySchema,
    Shards: page.map(shardDescription),
    LastEvaluatedShardId: page.length < found.length ? page.at(-1)?.id : undefined,
  };
  // A shard may have been closed by a write that is not stored yet: nobody is told before it is.
  await commits.settled();
  return { StreamDescription: description };
}

function shardDescription(shard: Shard): object {
  return {
    ShardId: shard.id,
    ParentShardId: shard.parentId,
    SequenceNumberRange: {
      StartingSequenceNumber: shard.startingSequence,
      EndingSequenceNumber: shard.endingSequence,
    },
  };
}

/** A shard's ordinal stands at the end of its id, so that paging goes on even after the shard was trimmed. */
function ordinalOf(shardId: string): number {
  const ordinal = Number.parseInt(shardId.split('-').at(-1) ?? '', 16);
  if (Number.isNaN(ordinal)) throw validationError(`Invalid ExclusiveStartShardId: ${shardId}`);
  return ordinal;
}

/** GetShardIterator, of the four types. Throws `TrimmedDataAccessException` where records after the position are gone. */
export async function getShardIterator({ streams, commits, now }: StreamsContext, request: unknown): Promise<object> {
  const parsed = parseRequest(getShardIteratorRequest, request);
  const stream = streamOf(streams, parsed.StreamArn);
  const shard = shardOf(stream, parsed.ShardId);
  const from = startOf(shard, parsed.ShardIteratorType, parsed.SequenceNumber ?? undefined, streams.storedSequence);
  checkUntrimmed(shard, from);
  await commits.settled();
  return { ShardIterator: encodeIterator({ streamArn: stream.arn, shardId: shard.id, from }, now()) };
}

type IteratorType = z.infer<typeof getShardIteratorRequest>['ShardIteratorType'];

function startOf(shard: Shard, type: IteratorType, sequence: string | undefined, storedSequence: string): string {
  switch (type) {
    case 'TRIM_HORIZON':
      return shard.trimmedTo === undefined ? shard.startingSequence : sequenceAfter(shard.trimmedTo);
    case 'LATEST':
      return sequenceAfter(storedSequence);
    case 'AT_SEQUENCE_NUMBER':
      return sequenceInShard(shard, type, sequence);
    case 'AFTER_SEQUENCE_NUMBER':
      return sequenceAfter(sequenceInShard(shard, type, sequence));
  }
}

function sequenceInShard(shard: Shard, type: IteratorType, sequence: string | undefined): string {
  if (sequence === undefined) {
    throw validationError(`SequenceNumber is missing: it is required with ShardIteratorType ${type}.`);
  }
  // Ours have 21 digits without leading zeros; a client may pad them.
  const number = BigInt(sequence);
  if (number < BigInt(shard.startingSequence) || (shard.endingSequence && number > BigInt(shard.endingSequence))) {
    throw validationError(`Invalid SequenceNumber ${sequence}: it is not in shard ${shard.id}.`);
  }
  return String(number);
}

/** GetRecords: up to 1,000 records and 1 MB, and where to go on; no next iterator at the end of a closed shard. */
export async function getRecords({ streams, now }: StreamsContext, request: unknown): Promise<JsonText> {
  const { ShardIterator, Limit } = parseRequest(getRecordsRequest, request);
  const position = decodeIterator(ShardIterator, now());
  const stream = streamOf(streams, position.streamArn);
  const shard = stream.lineage.shards.find((each) => each.id === position.shardId);
  if (shard === undefined) throw trimmed(position.shardId);
  checkUntrimmed(shard, position.from);
  // Looked at before the records are read, or a record that is stored meanwhile could be taken for absent for ever.
  const end =
    shard.endingSequence !== undefined && shard.endingSequence <= streams.storedSequence
      ? shard.endingSequence
      : undefined;
  const page = await streams.read(stream, shard, position.from, Limit ?? PAGE_RECORDS, PAGE_BYTES);
  const from = page.lastSequence === undefined ? position.from : sequenceAfter(page.lastSequence);
  const ended = end !== undefined && (page.exhausted || from > end);
  const next = ended ? '' : `"NextShardIterator":${JSON.stringify(encodeIterator({ ...position, from }, now()))},`;
  return new JsonText(`{${next}"Records":[${page.texts.join(',')}]}`);
}

function streamOf(streams: Streams, arn: string): Stream {
  const stream = streams.find(arn);
  if (stream === undefined)
    throw serviceError('ResourceNotFoundException', `Requested resource not found: Stream: ${arn} not found`);
  return stream;
}

function shardOf(stream: Stream, shardId: string): Shard {
  const shard = stream.lineage.shards.find((each) => each.id === shardId);
  if (shard === undefined) {
    throw serviceError(
      'ResourceNotFoundException',
      `Requested resource not found: Shard ${shardId} in stream ${stream.arn} not found`,
    );
  }
  return shard;
}

/** A reader whose next record would be the first after the trimmed ones has missed nothing, and may read on. */
function checkUntrimmed(shard: Shard, from: string): void {
  if (shard.trimmedTo !== undefined && from <= shard.trimmedTo) throw trimmed(shard.id);
}

function trimmed(shardId: string): Error {
  return serviceError(
    'TrimmedDataAccessException',
    `The operation attempted to read past the oldest stream record in a shard: shard ${shardId} was trimmed beyond it.`,
  );
}

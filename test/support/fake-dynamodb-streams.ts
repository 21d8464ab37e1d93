import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Timing } from '../../adapters/aws/timing.ts';

/** A record of the fake stream, as GetRecords writes it. */
export interface FakeRecord {
  readonly dynamodb: {
    readonly SequenceNumber: string;
    readonly Keys: { readonly pk: { readonly S: string } };
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

interface FakeShard {
  readonly id: string;
  readonly parent: string | null;
  readonly first: bigint;
  records: { readonly sequence: bigint; readonly raw: unknown }[];
  isClosed: boolean;
  isListed: boolean;
  trimmedTo: bigint;
}

interface HttpRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What the next call of an operation does instead of answering. */
export type Fault =
  | { readonly error: string; readonly status?: number }
  | { readonly network: string }
  /** An answer that is cut off after so many bytes. */
  | { readonly cutAfter: number };

type Operation = 'DescribeStream' | 'GetShardIterator' | 'GetRecords';

export const FAKE_STREAM_ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-22T19:50:03.123';

/**
 * DynamoDB Streams in memory, behind the real SDK client: it takes the SDK's requests and answers with the service's JSON.
 * It has the hard parts: listings in pages, closed shards, trimming, iterators that expire, scripted faults.
 */
export class FakeDynamoDbStreams {
  readonly client: DynamoDBStreamsClient;
  readonly calls: { operation: Operation; input: Readonly<Record<string, unknown>> }[] = [];
  status = 'ENABLED';
  /** Shards in one page of DescribeStream. */
  listingPage = 100;
  /** Iterators given before this generation have expired. */
  generation = 0;
  mostConcurrentReads = 0;
  readonly #shards = new Map<string, FakeShard>();
  readonly #faults: { operation: Operation; fault: Fault }[] = [];
  #sequence = 100_000_000_000_000_000_000n;
  #concurrentReads = 0;

  constructor(endpoint = 'http://127.0.0.1:1') {
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
    this.client = new DynamoDBStreamsClient({
      region: 'us-east-1',
      endpoint,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      maxAttempts: 1,
      requestHandler: {
        handle: (request: HttpRequest) => this.#handle(request),
        metadata: { handlerProtocol: 'http/1.1' },
      },
    });
  }

  addShard(id: string, parent: string | null = null): void {
    const first = ++this.#sequence;
    this.#shards.set(id, { id, parent, first, records: [], isClosed: false, isListed: true, trimmedTo: 0n });
  }

  /** Puts a record of `key` into a shard; gives its sequence number. */
  put(shardId: string, key: string, more: Readonly<Record<string, unknown>> = {}): string {
    const sequence = String(++this.#sequence);
    const record: FakeRecord = {
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: 1_795_000_000,
        Keys: { pk: { S: key } },
        NewImage: { pk: { S: key }, at: { N: sequence } },
        SequenceNumber: sequence,
        SizeBytes: 20,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
      eventID: sequence,
      eventName: 'MODIFY',
      eventSource: 'aws:dynamodb',
      eventVersion: '1.1',
      ...more,
    };
    this.#shard(shardId).records.push({ sequence: this.#sequence, raw: record });
    return sequence;
  }

  /** Puts anything at all where a record should be. */
  putRaw(shardId: string, raw: unknown): void {
    this.#shard(shardId).records.push({ sequence: ++this.#sequence, raw });
  }

  close(shardId: string): void {
    this.#shard(shardId).isClosed = true;
  }

  /** Trims all records that a shard has now. */
  trimRecords(shardId: string): void {
    const shard = this.#shard(shardId);
    shard.trimmedTo = shard.records.at(-1)?.sequence ?? shard.trimmedTo;
    shard.records = [];
  }

  /** Takes a shard out of the listing, or puts it back. */
  list(shardId: string, isListed: boolean): void {
    this.#shard(shardId).isListed = isListed;
  }

  fail(operation: Operation, ...faults: readonly Fault[]): void {
    for (const fault of faults) this.#faults.push({ operation, fault });
  }

  countOf(operation: Operation): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  async #handle(request: HttpRequest): Promise<{ response: object }> {
    const operation = (request.headers['x-amz-target'] ?? '').split('.')[1] as Operation;
    const input = JSON.parse(new TextDecoder().decode(request.body)) as Record<string, string>;
    this.calls.push({ operation, input });
    if (operation === 'GetRecords')
      this.mostConcurrentReads = Math.max(this.mostConcurrentReads, ++this.#concurrentReads);
    await new Promise((resolve) => setImmediate(resolve));
    if (operation === 'GetRecords') this.#concurrentReads--;
    return { response: this.#respond(operation, input) };
  }

  #respond(operation: Operation, input: Readonly<Record<string, string>>): object {
    const scripted = this.#faults.findIndex((fault) => fault.operation === operation);
    const fault = scripted < 0 ? null : (this.#faults.splice(scripted, 1)[0]?.fault ?? null);
    if (fault && 'network' in fault)
      throw Object.assign(new Error(`connect ${fault.network}`), { code: fault.network });
    const answer = fault && 'error' in fault ? { error: fault.error } : this.#answer(operation, input);
    if ('error' in answer) {
      const body = JSON.stringify({
        __type: `com.amazonaws.dynamodb.v20120810#${String(answer.error)}`,
        message: 'scripted',
      });
      return httpResponse(fault && 'status' in fault ? (fault.status ?? 400) : 400, body);
    }
    const body = JSON.stringify(answer);
    return httpResponse(200, fault && 'cutAfter' in fault ? body.slice(0, fault.cutAfter) : body);
  }

  #answer(operation: Operation, input: Readonly<Record<string, string>>): object {
    switch (operation) {
      case 'DescribeStream':
        return this.#describe(input);
      case 'GetShardIterator':
        return this.#iterator(input);
      case 'GetRecords':
        return this.#records(input);
    }
  }

  #describe({ StreamArn, ExclusiveStartShardId }: Readonly<Record<string, string>>): object {
    if (StreamArn !== FAKE_STREAM_ARN) return { error: 'ResourceNotFoundException' };
    const listed = [...this.#shards.values()].filter((shard) => shard.isListed);
    const start =
      ExclusiveStartShardId === undefined ? 0 : listed.findIndex(({ id }) => id === ExclusiveStartShardId) + 1;
    const page = listed.slice(start, start + this.listingPage);
    return {
      StreamDescription: {
        StreamArn,
        StreamStatus: this.status,
        Shards: page.map(({ id, parent, first }) => ({
          ShardId: id,
          ...(parent === null ? {} : { ParentShardId: parent }),
          SequenceNumberRange: { StartingSequenceNumber: String(first) },
        })),
        ...(start + page.length < listed.length ? { LastEvaluatedShardId: page.at(-1)?.id } : {}),
      },
    };
  }

  #iterator({ ShardId, ShardIteratorType, SequenceNumber }: Readonly<Record<string, string>>): object {
    const shard = this.#shards.get(ShardId ?? '');
    if (shard === undefined) return { error: 'ResourceNotFoundException' };
    const from =
      ShardIteratorType === 'TRIM_HORIZON'
        ? shard.trimmedTo + 1n
        : BigInt(SequenceNumber ?? '') + (ShardIteratorType === 'AFTER_SEQUENCE_NUMBER' ? 1n : 0n);
    if (from <= shard.trimmedTo) return { error: 'TrimmedDataAccessException' };
    return { ShardIterator: JSON.stringify([shard.id, String(from), this.generation]) };
  }

  #records({ ShardIterator, Limit }: Readonly<Record<string, string>>): object {
    const [shardId, from, generation] = JSON.parse(ShardIterator ?? '') as [string, string, number];
    const shard = this.#shards.get(shardId);
    if (shard === undefined) return { error: 'ResourceNotFoundException' };
    if (generation < this.generation) return { error: 'ExpiredIteratorException' };
    if (BigInt(from) <= shard.trimmedTo) return { error: 'TrimmedDataAccessException' };
    const rest = shard.records.filter(({ sequence }) => sequence >= BigInt(from));
    const page = rest.slice(0, Math.min(Number(Limit ?? 1_000), 1_000));
    const next = String((page.at(-1)?.sequence ?? BigInt(from) - 1n) + 1n);
    const isOver = shard.isClosed && page.length === rest.length;
    return {
      Records: page.map(({ raw }) => raw),
      ...(isOver ? {} : { NextShardIterator: JSON.stringify([shardId, next, this.generation]) }),
    };
  }

  #shard(id: string): FakeShard {
    const shard = this.#shards.get(id);
    if (shard === undefined) throw new Error(`The fake stream has no shard ${id}`);
    return shard;
  }
}

/** Time that passes only when somebody waits, and then at once; a wait longer than `longestMs` ends only when it is aborted. */
export function virtualTiming(longestMs = Infinity): Timing & { readonly waits: number[] } {
  let now = 1_795_000_000_000;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    chance: () => 0.5,
    wait: async (ms, signal) => {
      if (signal.aborted) return;
      waits.push(ms);
      now += ms;
      if (ms > longestMs) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      else await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function httpResponse(statusCode: number, body: string): object {
  return { statusCode, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: Buffer.from(body) };
}

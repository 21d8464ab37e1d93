import {
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
import type { GetShardIteratorCommandInput } from '@aws-sdk/client-dynamodb-streams';
import { GlasshouseError } from '../../core/errors.ts';
import { failureKind } from './failure.ts';
import { trimmedError } from './stream-gap.ts';
import { sequenceNumberOf } from './stream-record.ts';
import { sendForJson } from './wire-json.ts';

/** Where to begin in a shard. */
export type ShardStart =
  /** With the oldest record that is left; what was trimmed is no loss, for nobody has relied on it. */
  | { readonly kind: 'oldest' }
  /** With the shard's very first record, whose sequence number is given where the service says it; a loss if trimmed. */
  | { readonly kind: 'first'; readonly sequenceNumber: string | null }
  | { readonly kind: 'after'; readonly sequenceNumber: string };

type SendCall = <T>(what: string, request: () => Promise<T>) => Promise<T>;

/** One answer of GetRecords. */
export interface ShardPage {
  /** As the service wrote them, in order. */
  readonly records: readonly unknown[];
  /** The last sequence number that was read so far in the shard; null before the first record. */
  readonly readTo: string | null;
  /** The shard is closed and this was its last page. */
  readonly finished: boolean;
  readonly bytes: number;
}

export interface ShardSource {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly shardId: string;
  readonly pageRecords: number;
  readonly signal: AbortSignal;
  /** Makes a request with back-off. */
  readonly call: SendCall;
  /** The same for a request of records, of which not too many run at once. */
  readonly callForRecords: SendCall;
}

/** How often an iterator may be renewed without a page in between, before something else must be wrong. */
const MOST_RENEWALS = 5;

/** Reads one shard, page after page. Renews iterators that expired; throws a GlasshouseError `gap` for what was trimmed unread. */
export class ShardCursor {
  readonly #source: ShardSource;
  #position: ShardStart;
  #iterator: string | null = null;

  constructor(source: ShardSource, start: ShardStart) {
    this.#source = source;
    this.#position = start;
  }

  async next(): Promise<ShardPage> {
    for (let renewals = 0; ; renewals++) {
      try {
        const iterator = (this.#iterator ??= await this.#open());
        return this.#turn(await this.#request(iterator));
      } catch (thrown) {
        if (renewals >= MOST_RENEWALS || !this.#mayRenew(thrown)) throw this.#explain(thrown);
        this.#iterator = null;
      }
    }
  }

  /** An iterator that aged, that a restarted endpoint does not know, or that stood on the moving edge of what is kept. */
  #mayRenew(thrown: unknown): boolean {
    const kind = failureKind(thrown);
    return (
      kind === 'expired' ||
      (kind === 'refused' && this.#iterator !== null) ||
      (kind === 'trimmed' && this.#position.kind === 'oldest')
    );
  }

  async #request(iterator: string): Promise<{ records: readonly unknown[]; next: string | null; bytes: number }> {
    const { client, shardId, pageRecords, signal, callForRecords } = this.#source;
    const answer = await callForRecords(`read shard ${shardId}`, () => {
      const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: pageRecords });
      return sendForJson(command, () => client.send(command, { abortSignal: signal }));
    });
    const { Records: records, NextShardIterator: next } = answer.json;
    return {
      records: Array.isArray(records) ? (records as readonly unknown[]) : [],
      next: typeof next === 'string' && next !== '' ? next : null,
      bytes: answer.bytes,
    };
  }

  #turn({ records, next, bytes }: { records: readonly unknown[]; next: string | null; bytes: number }): ShardPage {
    this.#iterator = next;
    for (let index = records.length - 1; index >= 0; index--) {
      const sequenceNumber = sequenceNumberOf(records[index]);
      if (sequenceNumber === null) continue;
      this.#position = { kind: 'after', sequenceNumber };
      break;
    }
    return { records, readTo: this.#readTo(), finished: next === null, bytes };
  }

  async #open(): Promise<string> {
    const { shardId, call } = this.#source;
    const position = this.#position;
    return call(`open shard ${shardId}`, async () => {
      switch (position.kind) {
        case 'oldest':
          return this.#iteratorAt({ ShardIteratorType: 'TRIM_HORIZON' });
        case 'after':
          return this.#iteratorAt({
            ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
            SequenceNumber: position.sequenceNumber,
          });
        case 'first':
          return this.#iteratorAtFirst(position.sequenceNumber);
      }
    });
  }

  /** TRIM_HORIZON would pass over trimmed records in silence, so the shard's own first number is asked for where it is known. */
  async #iteratorAtFirst(sequenceNumber: string | null): Promise<string> {
    if (sequenceNumber !== null) {
      try {
        return await this.#iteratorAt({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', SequenceNumber: sequenceNumber });
      } catch (thrown) {
        // Some endpoints take only numbers of records that exist.
        if (failureKind(thrown) !== 'refused') throw thrown;
      }
    }
    return this.#iteratorAt({ ShardIteratorType: 'TRIM_HORIZON' });
  }

  async #iteratorAt(
    where: Pick<GetShardIteratorCommandInput, 'ShardIteratorType' | 'SequenceNumber'>,
  ): Promise<string> {
    const { client, streamArn, shardId, signal } = this.#source;
    const command = new GetShardIteratorCommand({ StreamArn: streamArn, ShardId: shardId, ...where });
    const { ShardIterator: iterator } = await client.send(command, { abortSignal: signal });
    if (iterator === undefined) {
      throw new GlasshouseError(
        'unavailable',
        `The endpoint gave no iterator for shard ${shardId}; check that it has DynamoDB Streams.`,
      );
    }
    return iterator;
  }

  #readTo(): string | null {
    return this.#position.kind === 'after' ? this.#position.sequenceNumber : null;
  }

  #explain(thrown: unknown): unknown {
    const kind = failureKind(thrown);
    if (kind !== 'trimmed' && kind !== 'missing') return thrown;
    return trimmedError(this.#source.streamArn, this.#source.shardId, this.#readTo(), thrown);
  }
}

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createStreamReader } from '../../../adapters/aws/stream-reader.ts';
import type { StreamPositions } from '../../../flows/ports.ts';
import {
  FAKE_STREAM_ARN,
  FakeDynamoDbStreams,
  type Fault,
  virtualTiming,
} from '../../support/fake-dynamodb-streams.ts';

const KEYS = 6;

type Act =
  | { readonly kind: 'write'; readonly key: number }
  | { readonly kind: 'roll' | 'split'; readonly which: number }
  | {
      readonly kind: 'fault';
      readonly operation: 'DescribeStream' | 'GetShardIterator' | 'GetRecords';
      readonly fault: Fault;
    }
  | { readonly kind: 'expire' | 'restart' | 'read' };

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), key: fc.nat(KEYS - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('roll' as const, 'split' as const), which: fc.nat(7) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('expire' as const, 'restart' as const, 'read' as const) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      operation: fc.constantFrom('DescribeStream' as const, 'GetShardIterator' as const, 'GetRecords' as const),
      fault: fc.constantFrom<Fault[]>({ error: 'LimitExceededException' }, { network: 'ECONNRESET' }, { cutAfter: 9 }),
    }),
  },
);

/** A stream that splits while it is read; a key belongs to one open shard at a time. */
class LivingStream {
  readonly fake = new FakeDynamoDbStreams();
  readonly written: { key: number; sequence: string }[] = [];
  #open: { id: string; keys: number[] }[] = [];
  #shards = 0;

  constructor() {
    this.#add(null, [0, 1, 2, 3, 4, 5]);
  }

  write(key: number): void {
    const shard = this.#open.find(({ keys }) => keys.includes(key));
    if (shard) this.written.push({ key, sequence: this.fake.put(shard.id, `k${key}`) });
  }

  end(which: number, isSplit: boolean): void {
    const shard = this.#open[which % this.#open.length];
    if (shard === undefined) return;
    this.#open = this.#open.filter((each) => each !== shard);
    this.fake.close(shard.id);
    const middle = isSplit ? Math.ceil(shard.keys.length / 2) : shard.keys.length;
    for (const keys of [shard.keys.slice(0, middle), shard.keys.slice(middle)])
      if (keys.length > 0) this.#add(shard.id, keys);
  }

  #add(parent: string | null, keys: number[]): void {
    const id = `s${this.#shards++}`;
    this.fake.addShard(id, parent);
    this.#open.push({ id, keys });
  }
}

it('every record is delivered, every key in order, through splits, faults, expired iterators and restarts from any batch', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(acts, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (script, maxBatchRecords) => {
        const stream = new LivingStream();
        const seen: { key: number; sequence: string }[] = [];
        let positions: StreamPositions | null = null;
        const rest = [...script];
        const act = (one: Act): void => {
          if (one.kind === 'write') stream.write(one.key);
          else if (one.kind === 'roll' || one.kind === 'split') stream.end(one.which, one.kind === 'split');
          else if (one.kind === 'fault') stream.fake.fail(one.operation, one.fault);
          else if (one.kind === 'expire') stream.fake.generation++;
        };
        for (let isOver = false; !isOver;) {
          const reader = createStreamReader({
            client: stream.fake.client,
            streamArn: FAKE_STREAM_ARN,
            tuning: { maxBatchRecords, maxQueuedRecords: 5, concurrentReads: 2 },
            timing: virtualTiming(),
          });
          let sinceStart = 0;
          for await (const batch of reader.batches(positions, new AbortController().signal)) {
            for (const { place } of batch.deliveries) {
              const sequence = place.kind === 'stream' ? place.sequenceNumber : '';
              const write = stream.written.find((each) => each.sequence === sequence);
              if (write) seen.push(write);
            }
            positions = batch.positions;
            sinceStart++;
            // The world goes on between two batches, until something is to be read or the reader is to be restarted.
            let next = rest.shift();
            while (next && next.kind !== 'read' && next.kind !== 'restart') {
              act(next);
              next = rest.shift();
            }
            if (next?.kind === 'restart') break;
            isOver = rest.length === 0 && next === undefined && reader.caughtUp && sinceStart > 1;
            if (isOver && seen.length >= stream.written.length) break;
            isOver = false;
          }
        }
        // Positions cover only what was yielded, and a restart from a yielded batch repeats nothing of it.
        expect(seen.map(({ sequence }) => sequence).toSorted()).toEqual(stream.written.map(({ sequence }) => sequence));
        for (let key = 0; key < KEYS; key++) {
          const ofKey = seen.filter((write) => write.key === key).map(({ sequence }) => sequence);
          expect(ofKey).toEqual(ofKey.toSorted());
        }
      },
    ),
    { numRuns: 60 },
  );
});

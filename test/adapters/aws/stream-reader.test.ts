import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createStreamReader,
  type ReaderStatus,
  type StreamReader,
  type StreamTuning,
} from '../../../adapters/aws/stream-reader.ts';
import type { SourceBatch, StreamPositions } from '../../../flows/ports.ts';
import { FAKE_STREAM_ARN, FakeDynamoDbStreams, virtualTiming } from '../../support/fake-dynamodb-streams.ts';

const ending = new AbortController();
let aborts: AbortController[] = [];
afterEach(() => {
  for (const abort of aborts) abort.abort();
  aborts = [];
});

interface Opened {
  readonly reader: StreamReader;
  readonly statuses: ReaderStatus[];
  readonly waits: readonly number[];
}

function open(fake: FakeDynamoDbStreams, tuning: Partial<StreamTuning> = {}): Opened {
  const statuses: ReaderStatus[] = [];
  const timing = virtualTiming();
  const onStatus = (status: ReaderStatus) => statuses.push(status);
  const reader = createStreamReader({ client: fake.client, streamArn: FAKE_STREAM_ARN, tuning, onStatus, timing });
  return { reader, statuses, waits: timing.waits };
}

/** Reads until the reader has caught up (or throws), and gives all batches. */
async function drain(reader: StreamReader, from: StreamPositions | null = null): Promise<SourceBatch[]> {
  const abort = new AbortController();
  aborts.push(abort);
  const batches: SourceBatch[] = [];
  for await (const batch of reader.batches(from, abort.signal)) {
    batches.push(batch);
    if (reader.caughtUp) break;
  }
  return batches;
}

const sequencesOf = (batches: readonly SourceBatch[]): string[] =>
  batches.flatMap((batch) =>
    batch.deliveries.map(({ place }) => (place.kind === 'stream' ? place.sequenceNumber : 'not of a stream')),
  );
const positionsAfter = (batches: readonly SourceBatch[]) => batches.at(-1)?.positions ?? null;

/** A with two records, closed, and its children B and C with one record each. */
function splitStream(): { fake: FakeDynamoDbStreams; sequences: string[] } {
  const fake = new FakeDynamoDbStreams();
  fake.addShard('A');
  const sequences = [fake.put('A', 'x'), fake.put('A', 'y')];
  fake.close('A');
  fake.addShard('B', 'A');
  fake.addShard('C', 'A');
  sequences.push(fake.put('B', 'x'), fake.put('C', 'y'));
  return { fake, sequences };
}

describe('what is delivered', () => {
  it('has the shape that Lambda gets: binary as base64, the time in seconds, the identity in lower camel case', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    const image = {
      pk: { S: 'x' },
      b: { B: 'AAH/' },
      bs: { BS: ['AA=='] },
      n: { N: '12345678901234567890123456789012345678' },
    };
    const sequence = fake.put('A', 'x', {
      eventName: 'REMOVE',
      userIdentity: { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' },
      dynamodb: {
        ApproximateCreationDateTime: 1_795_000_000,
        Keys: { pk: { S: 'x' } },
        OldImage: image,
        SequenceNumber: '1',
        SizeBytes: 3,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    });
    const [first] = await drain(open(fake).reader);
    expect(first?.deliveries).toEqual([
      {
        kind: 'record',
        record: {
          awsRegion: 'us-east-1',
          eventID: sequence,
          eventName: 'REMOVE',
          eventSource: 'aws:dynamodb',
          eventSourceARN: FAKE_STREAM_ARN,
          eventVersion: '1.1',
          userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
          dynamodb: {
            ApproximateCreationDateTime: 1_795_000_000,
            Keys: { pk: { S: 'x' } },
            OldImage: image,
            SequenceNumber: '1',
            SizeBytes: 3,
            StreamViewType: 'NEW_AND_OLD_IMAGES',
          },
        },
        place: { kind: 'stream', shardId: 'A', sequenceNumber: '1' },
      },
    ]);
  });

  it('gives what is no record as unreadable, at the place of the record before it, and reads on', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    const before = fake.put('A', 'x');
    fake.putRaw('A', 17);
    const after = fake.put('A', 'x');
    const batches = await drain(open(fake).reader);
    expect(batches[0]?.deliveries.map(({ kind }) => kind)).toEqual(['record', 'unreadable', 'record']);
    expect(batches[0]?.deliveries[1]).toMatchObject({ raw: '17', place: { shardId: 'A', sequenceNumber: before } });
    expect(positionsAfter(batches)?.shards).toEqual({ A: { after } });
  });

  it('merges what waits into batches of at most maxBatchRecords, with the positions of exactly what was yielded', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    const sequences = Array.from({ length: 25 }, (_, index) => fake.put('A', `k${index}`));
    const batches = await drain(open(fake, { maxBatchRecords: 10 }).reader);
    expect(sequencesOf(batches)).toEqual(sequences);
    for (const batch of batches) {
      expect(batch.deliveries.length).toBeLessThanOrEqual(10);
      const last = sequencesOf([batch]).at(-1);
      if (last !== undefined)
        expect(batch.positions).toEqual({ streamArn: FAKE_STREAM_ARN, shards: { A: { after: last } } });
    }
  });
});

describe('lineage', () => {
  it('reads a parent before its children, over a listing of many pages', async () => {
    const { fake, sequences } = splitStream();
    fake.listingPage = 1;
    const batches = await drain(open(fake).reader);
    expect(sequencesOf(batches).slice(0, 2)).toEqual(sequences.slice(0, 2));
    expect(sequencesOf(batches).toSorted()).toEqual(sequences);
    expect(positionsAfter(batches)?.shards).toEqual({ B: { after: sequences[2] }, C: { after: sequences[3] } });
  });

  it('goes on from the positions of any batch, and delivers the rest', async () => {
    const { fake, sequences } = splitStream();
    const batches = await drain(open(fake, { maxBatchRecords: 1 }).reader);
    for (const [index, { positions }] of batches.entries()) {
      const seen = sequencesOf(batches.slice(0, index + 1));
      const rest = sequencesOf(await drain(open(fake).reader, positions));
      expect([...seen, ...rest].toSorted()).toEqual(sequences);
    }
  });

  it('lets an open child of an open parent wait', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    fake.addShard('B', 'A');
    fake.put('B', 'x');
    const first = fake.put('A', 'x');
    const { reader, statuses } = open(fake);
    expect(sequencesOf(await drain(reader))).toEqual([first]);
    expect(statuses).toEqual([{ kind: 'shard-started', shardId: 'A' }]);
  });

  it('finds the children of a shard that ends while it is read, without waiting for the next listing', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    const reader = createStreamReader({
      client: fake.client,
      streamArn: FAKE_STREAM_ARN,
      // The next listing that nobody asks for would never come.
      timing: virtualTiming(5_000),
    });
    const seen: string[] = [];
    for await (const batch of reader.batches(null, ending.signal)) {
      seen.push(...sequencesOf([batch]));
      if (seen.length === 0 && reader.caughtUp && reader.idleRounds === 1) {
        fake.close('A');
        fake.addShard('B', 'A');
        fake.put('B', 'x');
      }
      if (seen.length > 0) break;
    }
    expect(seen).toHaveLength(1);
  });

  it('does not read a finished shard twice, and drops it from the positions once it is no longer listed', async () => {
    const { fake, sequences } = splitStream();
    const first = await drain(open(fake).reader);
    const again = await drain(open(fake).reader, positionsAfter(first));
    expect(sequencesOf(again)).toEqual([]);

    fake.list('A', false);
    const later = await drain(open(fake).reader, {
      streamArn: FAKE_STREAM_ARN,
      shards: { A: { finished: true }, B: { finished: true }, C: { finished: true } },
    });
    expect(sequencesOf(later)).toEqual([]);
    expect(sequencesOf(first).toSorted()).toEqual(sequences);
    expect(Object.keys(positionsAfter(later)?.shards ?? {}).toSorted()).toEqual(['B', 'C']);
  });

  it('begins, without positions, with what is left, and a restart before the first record is no gap', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    fake.addShard('B', 'A');
    fake.list('A', false);
    const batches = await drain(open(fake).reader);
    expect(positionsAfter(batches)).toEqual({ streamArn: FAKE_STREAM_ARN, shards: { A: { finished: true } } });
    const sequence = fake.put('B', 'x');
    expect(sequencesOf(await drain(open(fake).reader, positionsAfter(batches)))).toEqual([sequence]);
  });

  it('reads at most concurrentReads shards at once, and all of them in turn', async () => {
    const fake = new FakeDynamoDbStreams();
    const sequences: string[] = [];
    for (let index = 0; index < 12; index++) {
      fake.addShard(`s${index}`);
      sequences.push(fake.put(`s${index}`, 'x'));
    }
    const batches = await drain(open(fake, { concurrentReads: 3 }).reader);
    expect(sequencesOf(batches).toSorted()).toEqual(sequences);
    expect(fake.mostConcurrentReads).toBe(3);
  });
});

describe('gaps are never silent', () => {
  const from = (shards: StreamPositions['shards']): StreamPositions => ({ streamArn: FAKE_STREAM_ARN, shards });

  it('records trimmed after the position', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    const read = fake.put('A', 'x');
    fake.put('A', 'x');
    fake.trimRecords('A');
    await expect(drain(open(fake).reader, from({ A: { after: read } }))).rejects.toMatchObject({
      code: 'gap',
      message: expect.stringMatching(
        new RegExp(`sequence number ${read} in shard A was trimmed.*may have been missed.*new, empty folder`),
      ) as string,
    });
  });

  it('records trimmed from a shard that had none when the reader stopped', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    const batches = await drain(open(fake).reader);
    fake.put('A', 'x');
    fake.trimRecords('A');
    await expect(drain(open(fake).reader, positionsAfter(batches))).rejects.toMatchObject({ code: 'gap' });
  });

  it('a shard that was not finished and is gone', async () => {
    const { fake } = splitStream();
    fake.list('A', false);
    await expect(drain(open(fake).reader, from({ A: { after: '12' } }))).rejects.toMatchObject({
      code: 'gap',
      message: expect.stringContaining('shard A, which was read up to sequence number 12') as string,
    });
  });

  it('a shard that was never begun and is gone', async () => {
    const fake = new FakeDynamoDbStreams();
    for (const [id, parent] of [
      ['A', null],
      ['B', 'A'],
      ['C', 'B'],
    ] as const)
      fake.addShard(id, parent);
    fake.list('A', false);
    fake.list('B', false);
    await expect(drain(open(fake).reader, from({ A: { finished: true } }))).rejects.toMatchObject({
      code: 'gap',
      message: expect.stringContaining('shard B, the parent of C, was trimmed before it was read') as string,
    });
  });

  it('a listing that is out of date for a moment is no gap', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    const first = fake.put('A', 'x');
    const second = fake.put('A', 'x');
    fake.list('A', false);
    const { reader } = open(fake);
    const seen: string[] = [];
    const abort = new AbortController();
    aborts.push(abort);
    setImmediate(() => fake.list('A', true));
    for await (const batch of reader.batches(from({ A: { after: first } }), abort.signal)) {
      seen.push(...sequencesOf([batch]));
      if (seen.length > 0) break;
    }
    expect(seen).toEqual([second]);
  });

  it('positions of another stream', async () => {
    const fake = new FakeDynamoDbStreams();
    const other = { streamArn: FAKE_STREAM_ARN.replace('2026', '2025'), shards: {} };
    await expect(drain(open(fake).reader, other)).rejects.toMatchObject({ code: 'gap' });
    expect(fake.calls).toEqual([]);
  });

  it('a stream that was turned off: all it held is delivered, then the error', async () => {
    const { fake, sequences } = splitStream();
    for (const shard of ['B', 'C']) fake.close(shard);
    fake.status = 'DISABLED';
    const seen: string[] = [];
    const read = async () => {
      for await (const batch of open(fake).reader.batches(null, ending.signal)) seen.push(...sequencesOf([batch]));
    };
    await expect(read()).rejects.toMatchObject({
      code: 'gap',
      message: expect.stringContaining('was turned off') as string,
    });
    expect(seen.toSorted()).toEqual(sequences);
  });

  it('a stream that is not there: the configuration is wrong, or, for one who has read it, changes are lost', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.fail('DescribeStream', { error: 'ResourceNotFoundException' }, { error: 'ResourceNotFoundException' });
    await expect(drain(open(fake).reader)).rejects.toMatchObject({ code: 'config' });
    await expect(drain(open(fake).reader, from({}))).rejects.toMatchObject({ code: 'gap' });
  });

  it('what was read before the failure is yielded first', async () => {
    const { fake, sequences } = splitStream();
    const { reader } = open(fake, { maxBatchRecords: 1, maxQueuedRecords: 100 });
    const seen: string[] = [];
    const read = async () => {
      for await (const batch of reader.batches(null, ending.signal)) {
        seen.push(...sequencesOf([batch]));
        fake.fail('GetRecords', { error: 'TrimmedDataAccessException' });
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'gap' });
    expect(seen[0]).toBe(sequences[0]);
  });
});

describe('trouble on the way', () => {
  it('waits out throttling, server errors, broken connections and cut-off pages, and says so', async () => {
    const { fake, sequences } = splitStream();
    fake.fail('DescribeStream', { error: 'LimitExceededException' }, { network: 'ECONNREFUSED' });
    fake.fail('GetShardIterator', { error: 'ThrottlingException' }, { error: 'InternalServerError', status: 500 });
    fake.fail(
      'GetRecords',
      { error: 'ProvisionedThroughputExceededException' },
      { cutAfter: 40 },
      { network: 'ECONNRESET' },
    );
    const { reader, statuses } = open(fake);
    expect(sequencesOf(await drain(reader)).toSorted()).toEqual(sequences);
    const retried = statuses.flatMap((status) => (status.kind === 'retrying' ? [status.reason] : []));
    expect(retried.toSorted()).toEqual([
      'throttled',
      'throttled',
      'throttled',
      'unreachable',
      'unreachable',
      'unreachable',
      'unreachable',
    ]);
    expect(statuses.filter((status) => status.kind === 'recovered')).toHaveLength(3);
  });

  it('waits for throttling to end however long it takes', async () => {
    const { fake, sequences } = splitStream();
    fake.fail('GetRecords', ...Array.from({ length: 500 }, () => ({ error: 'LimitExceededException' })));
    expect(sequencesOf(await drain(open(fake, { unreachableMs: 1_000 }).reader)).toSorted()).toEqual(sequences);
  });

  it('gives up when nobody has answered for unreachableMs', async () => {
    const { fake } = splitStream();
    fake.fail('GetRecords', ...Array.from({ length: 200 }, () => ({ network: 'ECONNREFUSED' })));
    await expect(drain(open(fake, { unreachableMs: 60_000 }).reader)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/no answer for 60 s.*ECONNREFUSED.*nothing is lost/) as string,
    });
  });

  it('halts on what nobody has classified', async () => {
    const { fake } = splitStream();
    fake.fail('GetRecords', { error: 'SomethingNewException' });
    await expect(drain(open(fake).reader)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('gets a new iterator where it expired, from the last record that was read', async () => {
    const fake = new FakeDynamoDbStreams();
    fake.addShard('A');
    const sequences = Array.from({ length: 30 }, () => fake.put('A', 'x'));
    const { reader } = open(fake, { maxBatchRecords: 10, maxQueuedRecords: 10 });
    const seen: string[] = [];
    for await (const batch of reader.batches(null, ending.signal)) {
      seen.push(...sequencesOf([batch]));
      fake.generation++;
      if (seen.length >= 30) break;
    }
    expect(seen).toEqual(sequences);
  });
});

describe('the consumer', () => {
  it('is not run ahead of by more than the queue and one page for each concurrent read', async () => {
    const fake = new FakeDynamoDbStreams();
    for (const shard of ['A', 'B', 'C', 'D', 'E', 'F']) {
      fake.addShard(shard);
      for (let index = 0; index < 100; index++) fake.put(shard, 'x');
    }
    const { reader } = open(fake, { maxBatchRecords: 10, maxQueuedRecords: 20, concurrentReads: 2 });
    const batches = reader.batches(null, ending.signal)[Symbol.asyncIterator]();
    let taken = 0;
    for (let turn = 0; turn < 5; turn++) {
      const turned = await batches.next();
      taken += turned.done === true ? 0 : turned.value.deliveries.length;
      for (let pause = 0; pause < 50; pause++) await new Promise((resolve) => setImmediate(resolve));
      // Six pages of ten could be under way if each shard asked for one at once.
      expect(fake.countOf('GetRecords') * 10 - taken).toBeLessThanOrEqual(20 + 2 * 10);
    }
    await batches.return?.();
    expect(taken).toBeGreaterThan(0);
  });

  it('can stop at any moment: the iteration ends without an error and nothing is left running', async () => {
    const { fake } = splitStream();
    const abort = new AbortController();
    const { reader } = open(fake);
    let rounds = 0;
    for await (const batch of reader.batches(null, abort.signal)) {
      expect(batch.positions).not.toBeNull();
      if (++rounds === 4) abort.abort();
    }
    const calls = fake.calls.length;
    for (let pause = 0; pause < 50; pause++) await new Promise((resolve) => setImmediate(resolve));
    expect(fake.calls.length).toBe(calls);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  it('gets nothing from a signal that was aborted before', async () => {
    const { fake } = splitStream();
    const batches: SourceBatch[] = [];
    for await (const batch of open(fake).reader.batches(null, AbortSignal.abort())) batches.push(batch);
    expect(batches).toEqual([]);
    expect(fake.calls).toEqual([]);
  });

  it('is told when everything has been read, and that it is so no longer when a record comes', async () => {
    const { fake, sequences } = splitStream();
    const { reader } = open(fake);
    expect(reader.caughtUp).toBe(false);
    const seen: string[] = [];
    let caughtUpAt = 0;
    for await (const batch of reader.batches(null, ending.signal)) {
      seen.push(...sequencesOf([batch]));
      if (seen.length === 4 && reader.caughtUp && caughtUpAt === 0) {
        expect(batch.deliveries).toEqual([]);
        caughtUpAt = reader.idleRounds;
        fake.put('C', 'z');
      }
      if (seen.length === 5) {
        expect(reader.caughtUp).toBe(false);
        break;
      }
      // Whatever was written at a moment has been yielded two idle rounds later.
      if (caughtUpAt > 0) expect(reader.idleRounds).toBeLessThan(caughtUpAt + 2);
    }
    expect(seen.slice(0, 4).toSorted()).toEqual(sequences);
  });

  it('gets the same positions object while nothing moves', async () => {
    const { fake } = splitStream();
    const { reader } = open(fake);
    const idle: SourceBatch[] = [];
    for await (const batch of reader.batches(null, ending.signal)) {
      if (reader.caughtUp) idle.push(batch);
      if (idle.length === 3) break;
    }
    expect(idle[1]?.positions).toBe(idle[2]?.positions);
  });

  it('asks an endpoint that is not on this machine no more than five times a second, and thrice before it calls a shard read', async () => {
    const fake = new FakeDynamoDbStreams('https://streams.dynamodb.us-east-1.amazonaws.com');
    fake.addShard('A');
    for (let index = 0; index < 3_000; index++) fake.put('A', 'x');
    const { reader, waits } = open(fake);
    expect(sequencesOf(await drain(reader))).toHaveLength(3_000);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(100);
    expect(waits.filter((ms) => ms === 200)).toHaveLength(3);
    expect(fake.countOf('GetRecords')).toBe(6);
  });
});

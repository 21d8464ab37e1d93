import type { PutRecordBatchCommandInput } from '@aws-sdk/client-firehose';
import {
  FirehoseClient,
  PutRecordBatchCommand,
  ResourceNotFoundException,
  ServiceUnavailableException,
} from '@aws-sdk/client-firehose';
import { mockClient } from 'aws-sdk-client-mock';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FirehoseDelivery } from '../../../adapters/aws/firehose-delivery.ts';
import type { Timing } from '../../../adapters/aws/timing.ts';
import { systemTiming } from '../../../adapters/aws/timing.ts';
import { createMemoryLog } from '../../../adapters/memory/telemetry.ts';
import type { Packing } from '../../../core/firehose-batches.ts';
import { FIREHOSE_LIMITS } from '../../../core/firehose-batches.ts';
import { anyText } from '../../support/dynamodb.ts';
import { answerOf, createFakeFirehose } from '../../support/fake-firehose.ts';

/** A clock that stands still but for waiting. */
function steppedTiming(): Timing & { readonly waits: number[] } {
  const waits: number[] = [];
  let now = 0;
  return {
    waits,
    now: () => now,
    chance: () => 1,
    wait: (ms) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}

function opened(packing: Packing, client = new FirehoseClient({ region: 'us-east-1' }), concurrency = 1) {
  const timing = steppedTiming();
  const log = createMemoryLog();
  const options = { streamName: 'shop-orders', packing, timing, log, concurrency };
  return { delivery: new FirehoseDelivery(client, options), timing, log };
}

function recordsOf({ Records: records = [] }: PutRecordBatchCommandInput): string[] {
  return records.map(({ Data }) => Buffer.from(Data ?? []).toString('utf8'));
}

const FAR = 60_000;

describe('putting lines to Firehose', () => {
  let firehose: ReturnType<typeof mockClient>;
  beforeEach(() => (firehose = mockClient(FirehoseClient)));
  afterEach(() => firehose.restore());

  /** The lines of each request. */
  function sent(): string[][] {
    return firehose.commandCalls(PutRecordBatchCommand).map((call) => recordsOf(call.args[0].input));
  }

  it('takes 500 records at a time, and says that all are taken', async () => {
    firehose
      .on(PutRecordBatchCommand)
      .callsFake((input: PutRecordBatchCommandInput) => answerOf(recordsOf(input).map(() => true)));
    const lines = Array.from({ length: 1100 }, (_, at) => `{"line":${at}}`);
    const { delivery, log } = opened('apart');
    expect(await delivery.put(lines, FAR)).toEqual({ untaken: [], retried: 0 });
    expect(sent().map((request) => request.length)).toEqual([500, 500, 100]);
    expect(sent().flat()).toEqual(lines);
    expect(log.lines).toEqual([]);
  });

  it('puts nothing for no lines', async () => {
    expect(await opened('apart').delivery.put([], FAR)).toEqual({ untaken: [], retried: 0 });
    expect(sent()).toEqual([]);
  });

  it('puts lines for S3 together, each with its end', async () => {
    firehose.on(PutRecordBatchCommand).resolves(answerOf([true]));
    await opened('together').delivery.put(['{"a":1}', '{"b":"ü"}'], FAR);
    expect(sent()).toEqual([['{"a":1}\n{"b":"ü"}\n']]);
  });

  it('puts again only what was refused, and waits longer each time', async () => {
    firehose
      .on(PutRecordBatchCommand)
      .resolvesOnce(answerOf([true, false, true, false]))
      .resolvesOnce(answerOf([false, true]))
      .resolvesOnce(answerOf([true]));
    const { delivery, timing, log } = opened('apart');
    expect(await delivery.put(['a', 'b', 'c', 'd'], FAR)).toEqual({ untaken: [], retried: 3 });
    expect(sent()).toEqual([['a', 'b', 'c', 'd'], ['b', 'd'], ['b']]);
    expect(timing.waits).toEqual([50, 100]);
    expect(log.lines).toMatchObject([
      {
        level: 'warn',
        fields: { stream: 'shop-orders', retried: 3, untaken: 0, lastRefusal: 'ServiceUnavailableException' },
      },
    ]);
  });

  it('puts the whole request again where it was throttled or nobody answered', async () => {
    firehose
      .on(PutRecordBatchCommand)
      .rejectsOnce(new ServiceUnavailableException({ message: 'Slow down.', $metadata: {} }))
      .rejectsOnce(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
      .resolvesOnce(answerOf([true, true]));
    const { delivery } = opened('apart');
    expect(await delivery.put(['a', 'b'], FAR)).toEqual({ untaken: [], retried: 4 });
    expect(sent()).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('says what was not taken when the time is over, and has left a margin', async () => {
    firehose
      .on(PutRecordBatchCommand)
      .callsFake((input: PutRecordBatchCommandInput) =>
        answerOf(recordsOf(input).map((line) => line !== 'b' && line !== 'd')),
      );
    const { delivery, timing, log } = opened('apart');
    const { untaken } = await delivery.put(['a', 'b', 'c', 'd'], 1000);
    expect(untaken).toEqual([1, 3]);
    expect(timing.now()).toBeLessThan(1000);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { untaken: 2 } }]);
  });

  it('puts nothing any more once its time is over', async () => {
    firehose.on(PutRecordBatchCommand).resolves(answerOf([true]));
    const { delivery, timing } = opened('apart');
    await timing.wait(50, new AbortController().signal);
    expect(await delivery.put(['a'], 50)).toEqual({ untaken: [0], retried: 0 });
    expect(sent()).toEqual([]);
  });

  it('names every line of a record that was not taken', async () => {
    firehose.on(PutRecordBatchCommand).resolves(answerOf([false]));
    const { delivery } = opened('together');
    expect((await delivery.put(['a', 'b', 'c'], 500)).untaken).toEqual([0, 1, 2]);
  });

  it.each<[string, object]>([
    ['fewer answers than records', { FailedPutCount: 0, RequestResponses: [{ RecordId: '1' }] }],
    ['no answers', { FailedPutCount: 0 }],
    ['no count', { RequestResponses: [{ RecordId: '1' }, { RecordId: '2' }] }],
    [
      'a count that its answers do not bear out',
      { FailedPutCount: 1, RequestResponses: [{ RecordId: '1' }, { RecordId: '2' }] },
    ],
    ['nothing at all', {}],
  ])('takes an answer with %s for no answer', async (_, answer) => {
    firehose
      .on(PutRecordBatchCommand)
      .resolvesOnce(answer)
      .resolvesOnce(answerOf([true, true]));
    const { delivery } = opened('apart');
    expect(await delivery.put(['a', 'b'], FAR)).toEqual({ untaken: [], retried: 2 });
    expect(sent()).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('takes a record without an id for one that was refused', async () => {
    firehose
      .on(PutRecordBatchCommand)
      .resolvesOnce({ FailedPutCount: 0, RequestResponses: [{ RecordId: '1' }, {}] })
      .resolvesOnce(answerOf([true]));
    await opened('apart').delivery.put(['a', 'b'], FAR);
    expect(sent()).toEqual([['a', 'b'], ['b']]);
  });

  it('fails at once where to try again would not help, and stops the other requests', async () => {
    firehose.on(PutRecordBatchCommand).rejects(new ResourceNotFoundException({ message: 'no stream', $metadata: {} }));
    const lines = Array.from({ length: 5000 }, (_, at) => String(at));
    const { delivery } = opened('apart');
    await expect(delivery.put(lines, FAR)).rejects.toThrow(
      /Could not put changes to the Firehose stream shop-orders: ResourceNotFoundException: no stream\. Check the name/,
    );
    expect(sent().length).toBeLessThan(3);
  });
});

describe('on the wire', () => {
  it('any lines arrive as they are, in requests that Firehose accepts', async () => {
    const packing = fc.constantFrom<Packing>('apart', 'together');
    const lines = fc.array(
      fc.oneof(
        anyText,
        fc.integer({ min: 1, max: 300_000 }).map((length) => 'x'.repeat(length)),
      ),
      {
        maxLength: 40,
      },
    );
    await fc.assert(
      fc.asyncProperty(packing, lines, async (how, any) => {
        // A line has no line's end within, and is well-formed.
        const put = any.map((line) => `{${line.replaceAll('\n', ' ').toWellFormed()}}`);
        const fake = createFakeFirehose();
        expect(await opened(how, fake.client, 4).delivery.put(put, FAR)).toEqual({ untaken: [], retried: 0 });
        const arrived = fake.taken('shop-orders');
        expect(how === 'apart' ? arrived : arrived.join('').split('\n').slice(0, -1)).toEqual(put);
        for (const { bodyBytes } of fake.requests) expect(bodyBytes).toBeLessThanOrEqual(FIREHOSE_LIMITS.requestBytes);
      }),
      { numRuns: 40 },
    );
  });

  it('whatever is refused, throttled or cut off, each line is taken or named, and at least once', async () => {
    const script = fc.array(
      fc.oneof(fc.constantFrom('throttle' as const, 'break' as const), fc.infiniteStream(fc.boolean())),
      {
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(script, fc.integer({ min: 1, max: 1300 }), async (steps, count) => {
        const fake = createFakeFirehose(({ records }, call) => {
          const step = steps[call - 1] ?? null;
          if (step === null) return records.map(() => true);
          return typeof step === 'string' ? step : [...step.take(records.length)];
        });
        const lines = Array.from({ length: count }, (_, at) => `{"line":${at}}`);
        const { untaken } = await opened('apart', fake.client, 2).delivery.put(lines, 2000);
        const taken = new Set(fake.taken('shop-orders'));
        expect(lines.filter((line) => !taken.has(line))).toEqual(untaken.map((at) => lines[at]));
        // A record that was taken is never put again, unless its request brought no answer.
        if (!steps.includes('break')) expect(fake.taken('shop-orders')).toHaveLength(taken.size);
      }),
      { numRuns: 60 },
    );
  });

  it('an answer that is no JSON is no answer', async () => {
    const fake = createFakeFirehose((_, call) => (call === 1 ? 'garble' : [true]));
    expect(await opened('apart', fake.client).delivery.put(['a'], FAR)).toEqual({ untaken: [], retried: 1 });
    expect(fake.requests.map(({ records }) => records)).toEqual([['a'], ['a']]);
  });

  it('a request that brings no answer is given up when the time is over', async () => {
    const fake = createFakeFirehose(({ records }) => (records.includes('hangs') ? 'hang' : records.map(() => true)));
    const options = {
      streamName: 'shop-orders',
      packing: 'apart',
      timing: systemTiming,
      log: createMemoryLog(),
    } as const;
    const lines = ['hangs', ...Array.from({ length: 600 }, (_, at) => String(at))];
    const { untaken } = await new FirehoseDelivery(fake.client, options).put(lines, Date.now() + 300);
    // Its 500 records may have been taken all the same: nobody knows.
    expect(untaken).toEqual(Array.from({ length: 500 }, (_, at) => at));
  });
});

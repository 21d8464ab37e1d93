import { FirehoseClient } from '@aws-sdk/client-firehose';
import { Readable } from 'node:stream';
import { FirehoseDelivery } from '../adapters/aws/firehose-delivery.ts';
import { systemTiming } from '../adapters/aws/timing.ts';
import { createMemoryLog, createMemoryMetrics } from '../adapters/memory/telemetry.ts';
import { createMemoryQuarantine } from '../adapters/memory/quarantine.ts';
import { createMemorySchemaRegistry } from '../adapters/memory/schema-registry.ts';
import { countText } from '../cli/format.ts';
import { parseStreamRecord } from '../core/dynamodb/stream-record.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { Packing } from '../core/firehose-batches.ts';
import { DEFAULT_SCHEMA_LIMITS } from '../core/schema.ts';
import { epochOf } from '../core/version.ts';
import { Capture } from '../flows/capture.ts';
import { deliverBatch } from '../flows/deliver-batch.ts';
import { rowStyleFor } from '../flows/deliver-changes.ts';
import { bundleFigures } from './capture-bundle.ts';
import type { Task } from './child-task.ts';
import { runInChild } from './child-task.ts';
import type { Measurement } from './figure.ts';
import { figureOf } from './figure.ts';
import { collectGarbage } from './garbage.ts';
import { BENCH_KEY_ATTRIBUTES, CAPTURED_AT_MICROS, schemaOfRecords } from './record-schema.ts';
import { BENCH_TABLE, generateChanges } from './records.ts';
import { type LambdaRecord, unmarshallLine } from './unmarshall-line.ts';

interface CaptureRounds {
  readonly records: number;
  readonly rounds: number;
  readonly both: boolean;
}

/** Records a second of each round, ours and the floor's. */
interface CaptureRates {
  readonly ours: readonly number[];
  readonly floor: readonly number[];
}

const WARM_UP_ROUNDS = 6;
const FAR_AWAY_MS = 600_000;

/** One batch after the other through what the function's handler calls, all of it ours and the SDK's but the network. */
export const captureTask: Task<CaptureRounds, CaptureRates> = {
  name: 'capture',
  async run({ records: count, rounds, both }) {
    const records = [...generateChanges({ changes: count, keys: Math.ceil(count / 5), seed: 1 })] as LambdaRecord[];
    const deliver = deliverer(records, both);
    const epoch = epochOf(parseStreamRecord(records[0], null).version);
    const rates = { ours: [] as number[], floor: [] as number[] };
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      const floor = await rateOf(count, () => {
        for (const record of records) unmarshallLine(record, epoch, CAPTURED_AT_MICROS);
        return Promise.resolve();
      });
      const ours = await rateOf(count, deliver);
      if (round < 0) continue;
      rates.floor.push(floor);
      rates.ours.push(ours);
    }
    return rates;
  },
};

/** Delivers the records as one batch; throws where any of them is not taken. */
function deliverer(records: readonly LambdaRecord[], both: boolean): () => Promise<void> {
  const answering = createAnsweringFirehose();
  const log = createMemoryLog();
  const stream = (streamName: string, packing: Packing) =>
    new FirehoseDelivery(answering.client, { streamName, packing, timing: systemTiming, log });
  const ways = {
    table: 'orders',
    lakehouse: stream('bench-orders-lakehouse', 'apart'),
    warehouse: both ? stream('bench-orders-warehouse', 'together') : null,
  };
  const table = {
    table: 'orders',
    sourceTable: BENCH_TABLE,
    key: BENCH_KEY_ATTRIBUTES,
    declared: {},
    limits: DEFAULT_SCHEMA_LIMITS,
  };
  const schema = schemaOfRecords(records);
  const parts = {
    ...ways,
    capture: Capture.of(table, createMemorySchemaRegistry(), schema, rowStyleFor(ways)),
    quarantine: createMemoryQuarantine(),
    oversized: { bucket: 'bench', put: () => Promise.resolve() },
    log,
    nowMillis: Date.now,
  };
  return async () => {
    const before = answering.taken();
    const metrics = createMemoryMetrics();
    const { batchItemFailures } = await deliverBatch({ ...parts, metrics }, records, Date.now() + FAR_AWAY_MS);
    const taken = answering.taken() - before;
    if (batchItemFailures.length > 0 || metrics.total('CapturedChanges') !== records.length || taken < records.length)
      throw new GlasshouseError('bug', `Of ${records.length} records ${taken} were taken.`);
  };
}

async function rateOf(records: number, work: () => Promise<void>): Promise<number> {
  collectGarbage();
  const startedAtMs = performance.now();
  await work();
  return records / ((performance.now() - startedAtMs) / 1000);
}

/** A client of Firehose whose requests are answered at once, in the place of the network. */
function createAnsweringFirehose(): { readonly client: FirehoseClient; readonly taken: () => number } {
  const answers = new Map<number, Buffer>();
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  let taken = 0;
  const handle = ({ body }: { readonly body: Uint8Array }) => {
    const count = recordsIn(body);
    const answer = answers.get(count) ?? answerOf(count);
    answers.set(count, answer);
    taken += count;
    return Promise.resolve({ response: { statusCode: 200, headers, body: Readable.from([answer]) } });
  };
  const client = new FirehoseClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    maxAttempts: 1,
    requestHandler: { handle } as never,
  });
  return { client, taken: () => taken };
}

/** An opening brace begins each record, and base64 has none; one begins the whole. */
function recordsIn(body: Uint8Array): number {
  let count = -1;
  for (let at = body.indexOf(OPENING_BRACE); at !== -1; at = body.indexOf(OPENING_BRACE, at + 1)) count++;
  return count;
}

const OPENING_BRACE = 123;
/** As long as Firehose's. */
const RECORD_ID = 'r'.repeat(224);

function answerOf(count: number): Buffer {
  const responses = new Array<object>(count).fill({ RecordId: RECORD_ID });
  return Buffer.from(JSON.stringify({ FailedPutCount: 0, Encrypted: true, RequestResponses: responses }));
}

export const captureMeasurement: Measurement = {
  name: 'capture',
  async measure(size, report) {
    const params = size === 'full' ? { records: 10_000, rounds: 15 } : { records: 1000, rounds: 2 };
    report(`${params.rounds} rounds over batches of ${countText(params.records)} records, to one target and to both`);
    const one = await runInChild(captureTask, { ...params, both: false });
    const both = await runInChild(captureTask, { ...params, both: true });
    const goal = { of: 'measured', is: 'at least', value: 60_000 } as const;
    const figureFor = (name: string, what: string, { result }: typeof one) =>
      figureOf(
        { name, what, unit: 'changes/s', goal },
        { measured: result.ours, floor: { what: 'unmarshall and JSON.stringify', measured: result.floor } },
      );
    return [
      figureFor('capture.lakehouse', 'the capture function, to the lakehouse, one core', one),
      figureFor('capture.both', 'the capture function, to both targets, one core', both),
      ...(await bundleFigures(size, report)),
    ];
  },
};

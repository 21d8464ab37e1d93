import { openControlBucket } from '../adapters/aws/control-bucket.ts';
import { openDynamoDb } from '../adapters/aws/clients.ts';
import { DynamoDbSchemaRegistry } from '../adapters/aws/dynamodb-schema-registry.ts';
import { openFirehose } from '../adapters/aws/firehose-client.ts';
import { FirehoseDelivery } from '../adapters/aws/firehose-delivery.ts';
import { createTelemetry } from '../adapters/aws/telemetry.ts';
import { systemTiming } from '../adapters/aws/timing.ts';
import { readEnvironment, wholeNumberOf } from '../core/environment.ts';
import type { Packing } from '../core/firehose-batches.ts';
import type { Capture } from '../flows/capture.ts';
import { deliverBatch, spanOfRecords } from '../flows/deliver-batch.ts';
import { rowStyleFor } from '../flows/deliver-changes.ts';
import { openCapture } from '../flows/open-capture.ts';

/** Kept back of an invocation's time for what follows the last put. */
const MARGIN_MS = 3_000;

const env = readEnvironment('capture', process.env);
const { log, metrics, traced, handler: instrumented } = createTelemetry('capture', env.MIRROR);
const registry = new DynamoDbSchemaRegistry(traced(openDynamoDb({})), env.CONTROL_TABLE);
const firehose = traced(openFirehose());
const streamTo = (streamName: string, packing: Packing) =>
  streamName === '' ? null : new FirehoseDelivery(firehose, { streamName, packing, timing: systemTiming, log });
const ways = {
  table: env.TABLE,
  lakehouse: streamTo(env.LAKEHOUSE_STREAM, 'apart'),
  warehouse: streamTo(env.WAREHOUSE_STREAM, 'together'),
  ...openControlBucket(env.CONTROL_BUCKET, traced),
};
const limits = { maxColumns: wholeNumberOf('MAX_COLUMNS', env.MAX_COLUMNS, 1) };
const table = { table: env.TABLE, sourceTable: env.SOURCE_TABLE, limits };
let opened: Capture | null = null;

export const handler = instrumented(async (event: { readonly Records: readonly unknown[] }, { endsAtMillis }) => {
  opened ??= await openCapture(table, registry, rowStyleFor(ways));
  const parts = { ...ways, capture: opened, metrics, log, nowMillis: Date.now };
  return deliverBatch(parts, event.Records, endsAtMillis - MARGIN_MS);
}, spanOfRecords);

import { openDynamoDb } from '../adapters/aws/clients.ts';
import { DynamoDbSchemaRegistry } from '../adapters/aws/dynamodb-schema-registry.ts';
import { openFirehose } from '../adapters/aws/firehose-client.ts';
import { firehoseStreams } from '../adapters/aws/redrive-streams.ts';
import { createS3RedriveShelf } from '../adapters/aws/s3-redrive-shelf.ts';
import { openS3Stores } from '../adapters/aws/s3-quarantine.ts';
import { createDeadLetters } from '../adapters/aws/sqs-dead-letters.ts';
import { openStaged } from '../adapters/aws/staged-objects.ts';
import { createTelemetry } from '../adapters/aws/telemetry.ts';
import { readEnvelopeFile } from '../adapters/parquet/envelope-file.ts';
import { readEnvironment } from '../core/environment.ts';
import { parseRedriveInput } from '../core/redrive-page.ts';
import type { RedriveTableNote } from '../core/redrive-page.ts';
import { openRedriveTable } from '../flows/open-redrive-table.ts';
import { pageTimes, redrivePage } from '../flows/redrive.ts';

const env = readEnvironment('redrive', process.env);
const { log, metrics, traced, handler: instrumented } = createTelemetry('redrive', env.MIRROR);
const registry = new DynamoDbSchemaRegistry(traced(openDynamoDb({})), env.CONTROL_TABLE);
const { s3: plainS3, sqs: plainSqs } = openStaged();
const [s3, sqs] = [traced(plainS3), traced(plainSqs)];
const shelf = (bucket: string) => (bucket === '' ? null : createS3RedriveShelf(s3, bucket));
const queues = { deadLetterUrl: env.DEAD_LETTER_URL, queueUrl: env.QUEUE_URL };
const parts = {
  control: createS3RedriveShelf(s3, env.CONTROL_BUCKET),
  lake: shelf(env.LAKE_BUCKET),
  staging: shelf(env.STAGING_BUCKET),
  deadLetters: env.DEAD_LETTER_URL === '' ? null : createDeadLetters(sqs, queues),
  ...{ readEnvelopes: readEnvelopeFile, metrics, nowMillis: Date.now },
};
const stores = openS3Stores(env.CONTROL_BUCKET, traced);
const streamOf = firehoseStreams(traced(openFirehose()), env, log);

export const handler = instrumented(async (event: unknown, { endsAtMillis }) => {
  const times = pageTimes(Date.now, endsAtMillis);
  const ways = { ...stores, registry, metrics, streamOf, untilMillis: times.untilMillis };
  const openTable = (note: RedriveTableNote) => openRedriveTable(ways, note);
  return redrivePage({ ...parts, ...times, quarantine: stores.quarantine, openTable }, parseRedriveInput(event));
});

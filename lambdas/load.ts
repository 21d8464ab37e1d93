import { openDynamoDb } from '../adapters/aws/clients.ts';
import { ControlTable } from '../adapters/aws/control-table.ts';
import { DynamoDbSchemaRegistry } from '../adapters/aws/dynamodb-schema-registry.ts';
import { openRedshiftData, redshiftStatements } from '../adapters/aws/redshift-data.ts';
import { openStaged, stagedManifests, stagedQueue } from '../adapters/aws/staged-objects.ts';
import { createTelemetry } from '../adapters/aws/telemetry.ts';
import type { LoadInput } from '../core/contract.ts';
import { readEnvironment } from '../core/environment.ts';
import { loadSettings } from '../flows/load-settings.ts';
import { createLoader } from '../flows/load-tables.ts';

const env = readEnvironment('load', process.env);
const telemetry = createTelemetry('load', env.MIRROR);
const { settings, address } = loadSettings(env);
const dynamoDb = telemetry.traced(openDynamoDb({}));
const staged = openStaged();
const sqs = telemetry.traced(staged.sqs);
const ports = {
  statements: redshiftStatements({ client: telemetry.traced(openRedshiftData()), address }),
  queue: stagedQueue({ client: sqs, queueUrl: env.QUEUE_URL, bucket: env.STAGING_BUCKET }),
  manifests: stagedManifests(telemetry.traced(staged.s3), env.STAGING_BUCKET),
  control: new ControlTable(dynamoDb, env.CONTROL_TABLE),
  registry: new DynamoDbSchemaRegistry(dynamoDb, env.CONTROL_TABLE),
  metrics: telemetry.metrics,
  log: telemetry.log,
  now: () => Date.now(),
};
const loader = createLoader(ports, settings);

export const handler = telemetry.handler(async ({ tables }: LoadInput, { requestId, endsAtMillis }) => {
  const report = await loader.run({ owner: requestId, deadlineMillis: endsAtMillis, tables });
  telemetry.log.info('Looked for what is staged', { ...report });
  return report;
});

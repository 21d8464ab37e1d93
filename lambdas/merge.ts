import { openDynamoDb } from '../adapters/aws/clients.ts';
import { ControlTable } from '../adapters/aws/control-table.ts';
import { DynamoDbSchemaRegistry } from '../adapters/aws/dynamodb-schema-registry.ts';
import { openGlue } from '../adapters/aws/glue-access.ts';
import { GlueTables } from '../adapters/aws/glue-tables.ts';
import { machineArnBeside, mergeMachine, openStepFunctions } from '../adapters/aws/merge-machine.ts';
import { S3LakeFiles, openS3 } from '../adapters/aws/s3-iceberg.ts';
import { createTelemetry } from '../adapters/aws/telemetry.ts';
import { functionName } from '../core/aws-names.ts';
import type { MergeInput } from '../core/contract.ts';
import { readEnvironment } from '../core/environment.ts';
import { runMergeStep } from '../flows/merge-table.ts';

const env = readEnvironment('merge', process.env);
const telemetry = createTelemetry('merge', env.MIRROR);
const dynamoDb = telemetry.traced(openDynamoDb({}));
const stepFunctions = telemetry.traced(openStepFunctions());
const glue = {
  client: telemetry.traced(openGlue()),
  place: { database: env.DATABASE, bucket: env.LAKE_BUCKET },
  caller: `the role of the function ${functionName(env.MIRROR, 'merge')}`,
};
const ports = {
  database: env.DATABASE,
  control: new ControlTable(dynamoDb, env.CONTROL_TABLE),
  registry: new DynamoDbSchemaRegistry(dynamoDb, env.CONTROL_TABLE),
  files: new S3LakeFiles(glue, telemetry.traced(openS3())),
  tables: new GlueTables(glue),
  metrics: telemetry.metrics,
  log: telemetry.log,
  now: () => Date.now(),
};

export const handler = telemetry.handler(
  async (input: MergeInput, { functionArn }) => {
    const machine = mergeMachine(stepFunctions, machineArnBeside(functionArn, env.MERGE_MACHINE_NAME));
    return runMergeStep({ ...ports, machine }, input);
  },
  ({ step, ...rest }) => ({ step, ...('table' in rest ? { table: rest.table } : {}) }),
);

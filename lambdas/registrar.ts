import { athenaStatements, openAthena } from '../adapters/aws/athena-statements.ts';
import { openDynamoDb } from '../adapters/aws/clients.ts';
import { cloudFormationAnswers } from '../adapters/aws/cloudformation-answers.ts';
import { DynamoDbSchemaRegistry } from '../adapters/aws/dynamodb-schema-registry.ts';
import { openGlue } from '../adapters/aws/glue-access.ts';
import { GlueOptimizers } from '../adapters/aws/glue-optimizers.ts';
import { GlueTables } from '../adapters/aws/glue-tables.ts';
import { dynamoDbKeys } from '../adapters/aws/source-keys.ts';
import { createTelemetry } from '../adapters/aws/telemetry.ts';
import { functionName } from '../core/aws-names.ts';
import { readEnvironment, wholeNumberOf } from '../core/environment.ts';
import { athenaViewStatements } from '../core/sql/lake-views.ts';
import { answerRegistration, type ResourceRequest } from '../flows/register-answer.ts';
import type { LakeParts } from '../flows/register-table.ts';

const env = readEnvironment('registrar', process.env);
const telemetry = createTelemetry('registrar', env.MIRROR);
const dynamoDb = telemetry.traced(openDynamoDb({}));
const registry = new DynamoDbSchemaRegistry(dynamoDb, env.CONTROL_TABLE);
const register = { registry, source: dynamoDbKeys(dynamoDb), lake: env.DATABASE === '' ? null : openLake() };
const parts = { mirror: env.MIRROR, register, answers: cloudFormationAnswers(), log: telemetry.log };

function openLake(): LakeParts {
  const place = { database: env.DATABASE, bucket: env.LAKE_BUCKET };
  const caller = `the role of the function ${functionName(env.MIRROR, 'lake-registrar')}`;
  const glue = { client: telemetry.traced(openGlue()), place, caller, patienceMs: 60_000, settleMs: 45_000 };
  const athena = { client: telemetry.traced(openAthena()), workgroup: env.WORKGROUP, database: env.DATABASE };
  const snapshotDays = wholeNumberOf('SNAPSHOT_DAYS', env.SNAPSHOT_DAYS, 1);
  return {
    catalog: new GlueTables(glue),
    upkeep: new GlueOptimizers(glue, { roleArn: env.OPTIMIZER_ROLE_ARN, snapshotDays }),
    statements: athenaStatements(athena, 120_000),
    viewStatements: (table, schema) => athenaViewStatements(table, env.DATABASE, schema),
  };
}

export const handler = telemetry.handler((request: ResourceRequest, { endsAtMillis }) =>
  answerRegistration(request, parts, endsAtMillis - Date.now()),
);

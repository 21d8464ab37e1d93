import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeDeliveryStreamCommand } from '@aws-sdk/client-firehose';
import { GetDatabaseCommand } from '@aws-sdk/client-glue';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { failureKind } from '../../adapters/aws/failure.ts';
import { captureFunctionName, deliveryStreamName, deploymentParameter, functionName } from '../../core/aws-names.ts';
import type { Mirror } from '../../core/config.ts';
import type { Deployment } from '../../core/contract.ts';
import { messageOf } from '../../core/errors.ts';
import type { Clients } from '../../deployed/clients.ts';

/** A thing of a mirror that costs or stands in the way, and how it is asked after. */
interface Part {
  readonly name: string;
  /** Throws what the service says where it is not there. Resolves to false where the answer itself says so. */
  readonly ask: () => Promise<unknown>;
}

/** How services say that something is not there. */
const MISSING = /NotFound|NoSuch|DoesNotExist|ParameterNotFound/;

/**
 * What is left of a mirror that was destroyed, as people would look for it. What cannot be asked after is told too. The key
 * is not among it: it waits 30 days to be deleted, and costs nothing meanwhile; nor are the CDK's own bucket and roles.
 * @param deployment what the mirror said of itself while it stood; null where it never came so far
 */
export async function leftOf(clients: Clients, mirror: Mirror, deployment: Deployment | null): Promise<string[]> {
  const asked = await Promise.all(partsOf(clients, mirror, deployment).map(leftPart));
  return asked.flatMap((one) => (one === null ? [] : [one]));
}

async function leftPart({ name, ask }: Part): Promise<string | null> {
  try {
    return (await ask()) === false ? null : name;
  } catch (thrown) {
    const isMissing = thrown instanceof Error && (failureKind(thrown) === 'missing' || MISSING.test(thrown.name));
    return isMissing ? null : `${name} (could not be asked after: ${messageOf(thrown)})`;
  }
}

function partsOf(clients: Clients, mirror: Mirror, deployment: Deployment | null): Part[] {
  const { name, targets } = mirror;
  const lambda = (FunctionName: string): Part => ({
    name: `function ${FunctionName}`,
    ask: () => clients.lambda().send(new GetFunctionConfigurationCommand({ FunctionName })),
  });
  const buckets = [deployment?.controlBucket, deployment?.lakehouse?.bucket, deployment?.warehouse?.bucket];
  const tables = [...mirror.tables.map((table) => table.from), deployment?.controlTable];
  const targetNames = (['lakehouse', 'warehouse'] as const).filter((target) => Boolean(targets[target]));
  const streams = mirror.tables.flatMap((table) =>
    targetNames.map((target) => deliveryStreamName(name, table.name, target)),
  );
  return [
    {
      name: `parameter ${deploymentParameter(name)}`,
      ask: () => clients.ssm().send(new GetParameterCommand({ Name: deploymentParameter(name) })),
    },
    {
      name: `alarms glasshouse-${name}-…`,
      ask: async () => {
        const command = new DescribeAlarmsCommand({ AlarmNamePrefix: `glasshouse-${name}-` });
        return ((await clients.cloudwatch().send(command)).MetricAlarms ?? []).length > 0;
      },
    },
    ...mirror.tables.map((table) => lambda(captureFunctionName(name, table.name))),
    lambda(functionName(name, 'redrive')),
    lambda(functionName(name, 'registrar')),
    ...(targets.lakehouse ? [lambda(functionName(name, 'merge'))] : []),
    ...(targets.warehouse ? [lambda(functionName(name, 'load'))] : []),
    ...streams.map((stream) => ({
      name: `Firehose stream ${stream}`,
      ask: () => clients.firehose().send(new DescribeDeliveryStreamCommand({ DeliveryStreamName: stream })),
    })),
    ...(targets.lakehouse
      ? [
          {
            name: `Glue database ${mirror.aws.lakehouse.database}`,
            ask: () => clients.glue().send(new GetDatabaseCommand({ Name: mirror.aws.lakehouse.database })),
          },
        ]
      : []),
    ...present(tables).map((table) => ({
      name: `DynamoDB table ${table}`,
      ask: () => clients.dynamodb().send(new DescribeTableCommand({ TableName: table })),
    })),
    ...present(buckets).map((bucket) => ({
      name: `bucket ${bucket}`,
      ask: () => clients.s3().send(new HeadBucketCommand({ Bucket: bucket })),
    })),
  ];
}

function present(names: readonly (string | undefined)[]): string[] {
  return names.flatMap((name) => (name === undefined ? [] : [name]));
}

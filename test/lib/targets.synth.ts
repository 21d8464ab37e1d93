import { rmSync } from 'node:fs';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MirrorConfig } from '../../core/config.ts';
import type { RedshiftConfig } from '../../core/config/aws-config.ts';
import { emptyBundles, resourcesOf, templatesOf } from '../support/deployment.ts';

const ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Orders';
const CONFIG: MirrorConfig = {
  name: 'my_shop',
  tables: { orders: { aws: { arn: ARN, streamArn: `${ARN}/stream/2026-11-22T09:00:00.000` } } },
  targets: { lakehouse: true },
  aws: { region: 'eu-central-1' },
};
const COPY_ROLE = 'arn:aws:iam::111122223333:role/redshift-copy';

let bundles: string;
beforeAll(() => void (bundles = emptyBundles()));
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

function stackOf(part: string, config: MirrorConfig): Template {
  const template = templatesOf(config, bundles).templates[part];
  if (!template) throw new Error(`There is no stack ${part}.`);
  return template;
}
const statementsOf = (template: Template): string =>
  JSON.stringify(resourcesOf(template, 'AWS::IAM::Policy').map(({ properties }) => properties.PolicyDocument));

describe('the lakehouse', () => {
  let template: Template;
  beforeAll(() => void (template = stackOf('Lakehouse', CONFIG)));

  it('is appended to by Firehose, and by nothing else of Firehose', () => {
    template.hasResourceProperties('AWS::KinesisFirehose::DeliveryStream', {
      DeliveryStreamName: 'glasshouse-my_shop-orders-lakehouse',
      DeliveryStreamType: 'DirectPut',
      DeliveryStreamEncryptionConfigurationInput: { KeyType: 'CUSTOMER_MANAGED_CMK' },
      IcebergDestinationConfiguration: {
        AppendOnly: true,
        BufferingHints: { IntervalInSeconds: 15, SizeInMBs: 64 },
        RetryOptions: { DurationInSeconds: 7200 },
        DestinationTableConfigurationList: [
          { DestinationDatabaseName: 'my_shop', DestinationTableName: 'orders__changes' },
        ],
        S3Configuration: { ErrorOutputPrefix: 'errors/orders/!{firehose:error-output-type}/' },
      },
    });
  });

  it('has its tables before Firehose looks for them', () => {
    const [stream] = resourcesOf(template, 'AWS::KinesisFirehose::DeliveryStream');
    const [made] = resourcesOf(template, 'Custom::GlasshouseTable');
    const [database] = resourcesOf(template, 'AWS::Glue::Database');
    expect(made?.properties).toMatchObject({ part: 'lake', table: 'orders', key: '', maxColumns: '500' });
    expect(stream?.dependsOn).toContain(made?.id);
    expect(made?.dependsOn).toContain(database?.id);
  });

  it('limits what a query may read, and takes no settings from who asks', () => {
    template.hasResourceProperties('AWS::Athena::WorkGroup', {
      Name: 'glasshouse-my_shop',
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 100 * 1024 ** 3,
        EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS' } },
      },
    });
  });

  it('is looked at every minute, without repeating a look that failed', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      Target: { Input: '{"step":"look","tables":["orders"]}', RetryPolicy: { MaximumRetryAttempts: 0 } },
    });
    const { aws } = CONFIG;
    const slower = stackOf('Lakehouse', { ...CONFIG, aws: { ...aws, lakehouse: { mergeEveryMinutes: 15 } } });
    slower.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(15 minutes)' });
  });

  it('asks Lake Formation for grants only where it governs', () => {
    template.resourceCountIs('AWS::LakeFormation::PrincipalPermissions', 0);
    expect(statementsOf(template)).not.toContain('lakeformation:');
    const governed = stackOf('Lakehouse', { ...CONFIG, aws: { ...CONFIG.aws, lakehouse: { lakeFormation: true } } });
    // Registrar, optimizer, merge, machine and one stream: the database and its tables.
    governed.resourceCountIs('AWS::LakeFormation::PrincipalPermissions', 10);
    governed.hasResourceProperties('AWS::LakeFormation::PrincipalPermissions', {
      Permissions: ['SELECT', 'INSERT', 'DELETE', 'ALTER', 'DESCRIBE'],
      Resource: { Table: { DatabaseName: 'my_shop', TableWildcard: {} } },
    });
    const [made] = resourcesOf(governed, 'Custom::GlasshouseTable');
    expect(made?.dependsOn?.filter((id) => id.startsWith('LakehousePermissions'))).toHaveLength(10);
  });

  it('runs its merges in a machine that is logged, traced and encrypted, without the data of its executions', () => {
    template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'glasshouse-my_shop-merge',
      StateMachineType: 'STANDARD',
      TracingConfiguration: { Enabled: true },
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
      EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY' },
    });
  });
});

describe('the warehouse', () => {
  const warehouseOf = (redshift: RedshiftConfig, part = 'Warehouse') =>
    stackOf(part, {
      ...CONFIG,
      targets: { warehouse: { schema: 'shop' } },
      aws: { region: 'eu-central-1', redshift },
    });
  const addressOf = (template: Template): string => {
    const [loader] = resourcesOf(template, 'AWS::Lambda::Function');
    return JSON.stringify((loader?.properties.Environment as { Variables: { REDSHIFT: unknown } }).Variables.REDSHIFT);
  };

  it("stages gzipped lines, and queues each object without a function of the CDK's", () => {
    const template = warehouseOf({});
    template.hasResourceProperties('AWS::KinesisFirehose::DeliveryStream', {
      ExtendedS3DestinationConfiguration: {
        Prefix: 'staged/orders/',
        ErrorOutputPrefix: 'errors/orders/!{firehose:error-output-type}/',
        CompressionFormat: 'GZIP',
        BufferingHints: { IntervalInSeconds: 60, SizeInMBs: 64 },
      },
    });
    const [bucket] = resourcesOf(template, 'AWS::S3::Bucket');
    expect(bucket?.properties.NotificationConfiguration).toMatchObject({
      QueueConfigurations: [
        { Event: 's3:ObjectCreated:*', Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'staged/' }] } } },
      ],
    });
    // S3 tries the queue when the bucket is made.
    expect(bucket?.dependsOn?.some((id) => id.startsWith('WarehouseStagingQueuePolicy'))).toBe(true);
    expect(resourcesOf(template, 'AWS::Lambda::Function')).toHaveLength(1);
    template.hasResourceProperties('AWS::SQS::Queue', {
      RedrivePolicy: { maxReceiveCount: 10, deadLetterTargetArn: Match.anyValue() },
      VisibilityTimeout: 900,
      KmsMasterKeyId: Match.anyValue(),
    });
    template.hasResourceProperties('AWS::Scheduler::Schedule', { ScheduleExpression: 'rate(1 minute)' });
  });

  it('is a new Redshift Serverless that nobody reaches from outside', () => {
    const template = warehouseOf({
      baseCapacity: 16,
      subnetIds: ['subnet-0123456789abcdef0'],
      securityGroupIds: ['sg-0123456789abcdef0'],
    });
    template.hasResourceProperties('AWS::RedshiftServerless::Namespace', {
      NamespaceName: 'glasshouse-my-shop',
      DbName: 'glasshouse',
      AdminUserPassword: {
        'Fn::Join': Match.arrayWith([Match.arrayWith([Match.stringLikeRegexp('resolve:secretsmanager')])]),
      },
    });
    template.hasResourceProperties('AWS::RedshiftServerless::Workgroup', {
      BaseCapacity: 16,
      PubliclyAccessible: false,
      SubnetIds: ['subnet-0123456789abcdef0'],
      SecurityGroupIds: ['sg-0123456789abcdef0'],
    });
    expect(addressOf(template)).toContain('\\"workgroup\\":\\"glasshouse-my-shop\\"');
    expect(addressOf(template)).toContain('\\"baseCapacity\\":16');
    expect(statementsOf(template)).toContain('secretsmanager:GetSecretValue');
  });

  it('forces no network on anybody', () => {
    const [workgroup] = resourcesOf(warehouseOf({}), 'AWS::RedshiftServerless::Workgroup');
    expect(workgroup?.properties).not.toHaveProperty('SubnetIds');
    expect(workgroup?.properties).not.toHaveProperty('SecurityGroupIds');
  });

  it('is a new cluster with one node or more', () => {
    const one = warehouseOf({ newCluster: { nodeType: 'ra3.large', nodes: 1 } });
    one.hasResource('AWS::Redshift::Cluster', {
      DeletionPolicy: 'Retain',
      Properties: {
        ClusterType: 'single-node',
        Encrypted: true,
        ManageMasterPassword: true,
        PubliclyAccessible: false,
      },
    });
    const more = warehouseOf({
      newCluster: { nodeType: 'ra3.large', nodes: 3 },
      subnetIds: ['subnet-0123456789abcdef0'],
    });
    more.hasResourceProperties('AWS::Redshift::Cluster', { ClusterType: 'multi-node', NumberOfNodes: 3 });
    more.hasResourceProperties('AWS::Redshift::ClusterSubnetGroup', { SubnetIds: ['subnet-0123456789abcdef0'] });
    expect(addressOf(one)).toContain('\\"cluster\\":\\"glasshouse-my-shop\\"');
  });

  it('is a workgroup that is there, whose role reads what is staged without being changed', () => {
    const template = warehouseOf({ serverless: { workgroup: 'analytics', copyRoleArn: COPY_ROLE } });
    template.resourceCountIs('AWS::RedshiftServerless::Namespace', 0);
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: 's3:GetObject', Principal: { AWS: COPY_ROLE }, Effect: 'Allow' }),
        ]),
      },
    });
    expect(statementsOf(template)).toContain('redshift-serverless:GetCredentials');
    expect(addressOf(template)).toContain('\\"baseCapacity\\":128');
    const control = warehouseOf({ serverless: { workgroup: 'analytics', copyRoleArn: COPY_ROLE } }, 'Control');
    const [key] = resourcesOf(control, 'AWS::KMS::Key');
    expect(JSON.stringify(key?.properties.KeyPolicy)).toContain(`"Principal":{"AWS":"${COPY_ROLE}"}`);
  });

  it('is a cluster that is there, by temporary credentials or by a secret', () => {
    const cluster = { identifier: 'analytics', copyRoleArn: COPY_ROLE };
    const byUser = statementsOf(warehouseOf({ cluster: { ...cluster, dbUser: 'loader' } }));
    expect(byUser).toContain('redshift:GetClusterCredentials');
    expect(byUser).toContain('dbuser:analytics/loader');
    expect(byUser).not.toContain('secretsmanager:');
    const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:loader-AbCdEf';
    const bySecret = statementsOf(warehouseOf({ cluster: { ...cluster, secretArn } }));
    expect(bySecret).toContain(`"Action":"secretsmanager:GetSecretValue","Effect":"Allow","Resource":"${secretArn}"`);
    expect(bySecret).not.toContain('GetClusterCredentials');
  });
});

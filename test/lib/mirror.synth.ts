import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { AttributeType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { IConstruct } from 'constructs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MirrorConfig } from '../../core/config.ts';
import type { FunctionRole } from '../../core/contract.ts';
import { ENVIRONMENT } from '../../core/contract.ts';
import { Mirror } from '../../lib/mirror.ts';
import { emptyBundles, resourcesOf, templatesOf, testApp } from '../support/deployment.ts';

const ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table/prod-Orders';
const STREAM = `${ARN}/stream/2026-11-22T09:00:00.000`;
const TABLE_KEY = 'arn:aws:kms:eu-central-1:444455556666:key/1';
const CONFIG: MirrorConfig = {
  name: 'shop',
  tables: {
    orders: { aws: { arn: ARN, streamArn: STREAM, kmsKeyArn: TABLE_KEY }, columns: { total: 'decimal(38,2)' } },
    carts: { from: 'prod-Carts', key: { cart_id: 'S', at: 'N' }, ttl: 'expires_at', aws: { create: true } },
  },
  targets: { lakehouse: true, warehouse: { schema: 'shop' } },
  aws: { region: 'eu-central-1' },
};

let bundles: string;
let both: ReturnType<typeof templatesOf>;
beforeAll(() => {
  bundles = emptyBundles();
  both = templatesOf(CONFIG, bundles);
});
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

const part = (name: string): Template => {
  const template = both.templates[name];
  if (!template) throw new Error(`There is no stack ${name}.`);
  return template;
};
const all = () => Object.values(both.templates).flatMap((template) => resourcesOf(template));

describe('the stacks of a mirror', () => {
  it('are those of its targets, and no other', () => {
    const only = (targets: MirrorConfig['targets']) =>
      Object.keys(templatesOf({ ...CONFIG, targets }, bundles).templates).sort();
    expect(Object.keys(both.templates).sort()).toEqual(['Capture', 'Control', 'Lakehouse', 'Monitoring', 'Warehouse']);
    expect(only({ lakehouse: true })).toEqual(['Capture', 'Control', 'Lakehouse', 'Monitoring']);
    expect(only({ warehouse: true })).toEqual(['Capture', 'Control', 'Monitoring', 'Warehouse']);
  });

  it('give a function no stream of a target that is not there', () => {
    const { templates } = templatesOf({ ...CONFIG, targets: { warehouse: true } }, bundles);
    templates.Capture?.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'glasshouse-shop-orders-capture',
      Environment: {
        Variables: Match.objectLike({ LAKEHOUSE_STREAM: '', WAREHOUSE_STREAM: 'glasshouse-shop-orders-warehouse' }),
      },
    });
    templates.Capture?.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'glasshouse-shop-redrive',
      Environment: { Variables: Match.objectLike({ LAKE_BUCKET: '' }) },
    });
  });

  it('leave each other no exports, which would keep a table from being removed, and keep their order', () => {
    const text = JSON.stringify(Object.values(both.templates).map((template) => template.toJSON() as unknown));
    expect(text).toContain('Fn::GetStackOutput');
    expect(text).not.toContain('Fn::ImportValue');
    const order = (scope: IConstruct | undefined) =>
      (scope as Stack).dependencies.map((stack) => stack.stackName).sort();
    expect(order(both.mirror.captures[0]?.node.scope)).toEqual(['ShopControl', 'ShopLakehouse', 'ShopWarehouse']);
    expect(order(both.mirror.lakehouse?.node.scope)).toEqual(['ShopControl']);
    expect(order(both.mirror.warehouse?.node.scope)).toEqual(['ShopControl']);
  });

  it('tell the command line where everything is', () => {
    part('Capture').hasResourceProperties('AWS::SSM::Parameter', {
      Name: '/glasshouse/shop/deployment',
      Type: 'String',
    });
    const record = JSON.stringify(resourcesOf(part('Capture'), 'AWS::SSM::Parameter')[0]?.properties);
    for (const text of ['glasshouse-shop', 'controlTable', 'redriveFunction', 'deadLetterUrl', 'mergeFunction']) {
      expect(record).toContain(text);
    }
  });

  it('have links and the next commands as outputs', () => {
    const outputs = JSON.stringify(part('Monitoring').findOutputs('*'));
    for (const text of [
      '/cloudwatch/home?region=eu-central-1#dashboards/dashboard/glasshouse-shop',
      '/athena/home',
      'SELECT * FROM \\\\\\"shop\\\\\\".\\\\\\"orders_live\\\\\\"'.replaceAll('\\\\\\"', '\\"'),
      '/sqlworkbench/home',
      'npx glasshouse verify --deployed --mirror shop --region eu-central-1',
    ]) {
      expect(outputs).toContain(text);
    }
  });
});

describe('what holds data', () => {
  /** A renamed one would replace a user's table or bucket. */
  const STATEFUL = {
    Control: {
      ControlKey0C1FD132: 'AWS::KMS::Key',
      ControlTable70B6FEE0: 'AWS::DynamoDB::Table',
      ControlAccessLogs1EEFD3FB: 'AWS::S3::Bucket',
      ControlBucket70649F86: 'AWS::S3::Bucket',
      SourcecartsTable06A4CAAB: 'AWS::DynamoDB::Table',
    },
    Lakehouse: {
      LakehouseLakeBucket470A75E4: 'AWS::S3::Bucket',
      LakehouseLakeDatabaseF83AACCB: 'AWS::Glue::Database',
    },
    Warehouse: {
      WarehouseStagingBucketF300C3C3: 'AWS::S3::Bucket',
      WarehouseRedshiftAdmin042BF3A8: 'AWS::SecretsManager::Secret',
      WarehouseRedshiftNamespace3E7EBA18: 'AWS::RedshiftServerless::Namespace',
    },
    Capture: {},
    Monitoring: {},
  } as const;
  const TYPES = new Set(Object.values(STATEFUL).flatMap((names) => Object.values(names) as string[]));
  const statefulOf = (template: Template) => resourcesOf(template).filter(({ type }) => TYPES.has(type));

  it('keeps its names for ever', () => {
    for (const [name, pinned] of Object.entries(STATEFUL)) {
      expect(Object.fromEntries(statefulOf(part(name)).map(({ id, type }) => [id, type]))).toEqual(pinned);
    }
  });

  it('is retained', () => {
    const policies = Object.values(both.templates).flatMap((template) =>
      statefulOf(template).map((one) => [one.id, one.deletionPolicy, one.replacePolicy]),
    );
    expect(policies.filter(([, deletion, replace]) => deletion !== 'Retain' || replace !== 'Retain')).toEqual([]);
  });

  it('goes with its stack where the configuration says so', () => {
    const { templates } = templatesOf({ ...CONFIG, aws: { ...CONFIG.aws, onDestroy: 'delete' } }, bundles);
    const kept = Object.values(templates).flatMap((template) =>
      statefulOf(template).filter(({ deletionPolicy }) => deletionPolicy !== 'Delete'),
    );
    expect(kept.map(({ id }) => id)).toEqual([]);
    const buckets = Object.values(templates).flatMap((template) => resourcesOf(template, 'AWS::S3::Bucket'));
    const emptied = Object.values(templates).flatMap((template) =>
      resourcesOf(template, 'Custom::S3AutoDeleteObjects'),
    );
    expect(emptied).toHaveLength(buckets.length);
  });

  it("is encrypted with the mirror's key, and open to nobody", () => {
    const buckets = all().filter(({ type, id }) => type === 'AWS::S3::Bucket' && !id.includes('AccessLogs'));
    expect(buckets).toHaveLength(3);
    for (const { properties } of buckets) {
      expect(JSON.stringify(properties.BucketEncryption)).toContain('aws:kms');
      expect(properties).toMatchObject({
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        VersioningConfiguration: { Status: 'Enabled' },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      });
    }
    const policies = all().filter(({ type }) => type === 'AWS::S3::BucketPolicy');
    expect(policies).toHaveLength(4);
    for (const { properties } of policies) {
      expect(JSON.stringify(properties)).toContain('{"Bool":{"aws:SecureTransport":"false"}}');
    }
    const logs = all().filter(({ type }) => type === 'AWS::Logs::LogGroup');
    expect(logs.filter(({ properties }) => !properties.KmsKeyId || properties.RetentionInDays !== 30)).toEqual([]);
  });

  it('expires nothing that rows point to', () => {
    const rules = all()
      .filter(({ type }) => type === 'AWS::S3::Bucket')
      .flatMap(({ properties }) => (properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] }).Rules)
      .filter((rule) => 'ExpirationInDays' in rule)
      .map((rule) => rule.Prefix ?? 'everything');
    // Everything: the bucket of access logs.
    expect(new Set(rules)).toEqual(new Set(['everything', 'redriven/', 'athena-results/', 'staged/', 'manifests/']));
  });
});

describe('the functions', () => {
  const functions = () =>
    all().filter(({ type, properties }) => type === 'AWS::Lambda::Function' && 'FunctionName' in properties);

  it('are arm64 on the newest Node, with their modules as they are, traced, and encrypted', () => {
    expect(functions().map(({ properties }) => properties.FunctionName)).toEqual([
      'glasshouse-shop-registrar',
      'glasshouse-shop-lake-registrar',
      'glasshouse-shop-merge',
      'glasshouse-shop-load',
      'glasshouse-shop-orders-capture',
      'glasshouse-shop-carts-capture',
      'glasshouse-shop-redrive',
    ]);
    for (const { properties } of functions()) {
      expect(properties).toMatchObject({
        Architectures: ['arm64'],
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        TracingConfig: { Mode: 'Active' },
      });
      expect(properties.KmsKeyArn).toBeDefined();
    }
  });

  it('find in their environment what the contract says, and nothing besides', () => {
    const OURS = ['NODE_OPTIONS', 'POWERTOOLS_SERVICE_NAME', 'POWERTOOLS_METRICS_NAMESPACE'];
    for (const { properties } of functions()) {
      const { Variables: variables } = properties.Environment as { Variables: Record<string, unknown> };
      const role = variables.POWERTOOLS_SERVICE_NAME as FunctionRole;
      expect(Object.keys(variables).sort()).toEqual([...OURS, ...ENVIRONMENT[role]].sort());
    }
  });

  it('have no managed policy of AWS', () => {
    const managed = all().flatMap(({ properties }) => (properties.ManagedPolicyArns as unknown[] | undefined) ?? []);
    expect(managed).toEqual([]);
  });
});

describe('capture', () => {
  it('reads a stream from its beginning, gives up before the stream forgets, and then keeps the records', () => {
    part('Capture').hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: STREAM,
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 10_000,
      MaximumBatchingWindowInSeconds: 1,
      ParallelizationFactor: 1,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      MaximumRecordAgeInSeconds: 82_800,
      MaximumRetryAttempts: 10_000,
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
      MetricsConfig: { Metrics: ['EventCount'] },
    });
  });

  it('may decrypt a table that a key of another account encrypts', () => {
    const policies = JSON.stringify(
      resourcesOf(part('Capture'), 'AWS::IAM::Policy').map(({ properties }) => properties),
    );
    expect(policies).toContain(`{"Action":"kms:Decrypt","Effect":"Allow","Resource":"${TABLE_KEY}"}`);
  });
});

describe('source tables', () => {
  it("that are new have a stream, backups, a time of expiry and the mirror's key", () => {
    part('Control').hasResource('AWS::DynamoDB::Table', {
      Properties: {
        TableName: 'prod-Carts',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [
          { AttributeName: 'cart_id', KeyType: 'HASH' },
          { AttributeName: 'at', KeyType: 'RANGE' },
        ],
        StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
        SSESpecification: { SSEType: 'KMS' },
        DeletionProtectionEnabled: true,
      },
    });
  });

  it('of the same app need no ARN', () => {
    const stack = new Stack(testApp(bundles), 'Mine');
    const table = new Table(stack, 'Orders', {
      partitionKey: { name: 'id', type: AttributeType.STRING },
      stream: StreamViewType.NEW_IMAGE,
      encryptionKey: new Key(stack, 'Key'),
    });
    new Mirror(stack, 'Shop', {
      config: { name: 'shop', tables: { orders: {} }, targets: { lakehouse: true } },
      tables: { orders: table },
      bundles,
    });
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Orders'), 'StreamArn'] },
    });
    template.resourceCountIs('AWS::KinesisFirehose::DeliveryStream', 1);
  });
});

describe('mistakes are told at synthesis, with the remedy', () => {
  const make = (config: MirrorConfig) => () => templatesOf(config, bundles);

  it.each([
    ['no place on AWS', { orders: {} }, /tables\.orders\.aws is missing.*create: true/s],
    ['a new table without a key', { orders: { aws: { create: true } } }, /tables\.orders\.key is missing.*key: \{/s],
    [
      'a stream of another region',
      {
        orders: {
          aws: {
            arn: ARN.replace('eu-central-1', 'eu-west-1'),
            streamArn: STREAM.replace('eu-central-1', 'eu-west-1'),
          },
        },
      },
      /is in eu-west-1, and the mirror is deployed to eu-central-1.*aws\.region/s,
    ],
  ] as const)('%s', (_, tables, message) => {
    expect(make({ ...CONFIG, tables })).toThrow(message);
  });

  it('a configuration that is not valid', () => {
    expect(make({ ...CONFIG, targets: {} })).toThrow(/targets has no target|has no target/);
  });

  it('a bundle that was not built', () => {
    expect(() => templatesOf(CONFIG, join(bundles, 'nowhere'))).toThrow(
      /the bundle of the registrar function, is missing; run `npm run build`/,
    );
  });

  it('a table of the app that the configuration does not know, or that has no stream', () => {
    const stack = new Stack(testApp(bundles), 'Mine');
    const table = new Table(stack, 'Orders', { partitionKey: { name: 'id', type: AttributeType.STRING } });
    const config: MirrorConfig = { name: 'shop', tables: { orders: {} }, targets: { lakehouse: true } };
    expect(() => new Mirror(stack, 'A', { config, tables: { order: table }, bundles })).toThrow(
      /names order, .* are orders/,
    );
    expect(() => new Mirror(stack, 'B', { config, tables: { orders: table }, bundles })).toThrow(
      /has no stream.*NEW_AND_OLD_IMAGES/s,
    );
  });
});

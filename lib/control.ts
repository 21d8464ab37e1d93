import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { PREFIXES } from '../core/aws-names.ts';
import type { MirrorContext, SealedContext } from './mirror-context.ts';
import { dataRemovalPolicy } from './mirror-context.ts';
import { mirrorBucket } from './mirror-bucket.ts';
import type { MirrorFunction } from './mirror-function.ts';
import { allowKeyUse, mirrorKey } from './mirror-key.ts';
import { OBJECTS_BELOW, explainWildcards } from './wildcards.ts';
import type { FunctionRole } from '../core/contract.ts';

const ACCESS_LOG_DAYS = 90;

/** What the functions of a mirror share: the key, what they remember, what is set aside, and where alarms go. */
export class Control extends Construct {
  /** The context of every other part. */
  readonly context: SealedContext;
  readonly key: Key;
  /** Schemas, progress, leases: `core/control.ts`. */
  readonly table: Table;
  /** Quarantine, large values, batches that Lambda gave up on. */
  readonly bucket: Bucket;
  /** A line for each request to a bucket of the mirror. */
  readonly accessLogs: Bucket;
  /** Takes the alarms. */
  readonly alarms: Topic;

  constructor(scope: Construct, id: string, context: MirrorContext) {
    super(scope, id);
    this.key = mirrorKey(this, 'Key', context);
    this.context = { ...context, key: this.key };
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: context.mirror.aws.onDestroy === 'retain',
      removalPolicy: dataRemovalPolicy(context.mirror),
    });
    this.accessLogs = accessLogBucket(this, context);
    this.bucket = mirrorBucket(this, 'Bucket', this.context, {
      accessLogs: this.accessLogs,
      logPrefix: 'control/',
      // What is under `oversized/` and `quarantine/` stays for ever: rows point to the one, and the other waits for a person.
      lifecycleRules: [
        { id: 'forget-what-was-redriven', prefix: PREFIXES.redriven, expiration: Duration.days(ACCESS_LOG_DAYS) },
      ],
    });
    this.alarms = new Topic(this, 'Alarms', {
      displayName: `Glasshouse: ${context.mirror.name}`,
      masterKey: this.key,
      enforceSSL: true,
    });
    this.alarms.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.alarms.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
    const mail = context.mirror.aws.alarmEmail;
    if (mail !== null) {
      new Subscription(this, 'Mail', { topic: this.alarms, protocol: SubscriptionProtocol.EMAIL, endpoint: mail });
    }
  }

  /** Lets a function do with the control table what `actions` name, such as `dynamodb:GetItem`. */
  grantTable(fn: MirrorFunction<FunctionRole>, actions: readonly string[]): void {
    fn.allow(actions, [this.table.tableArn]);
    allowKeyUse(this.key, fn.role, { via: ['dynamodb'], write: false });
  }

  /** Lets a function do with the objects below some prefixes of the bucket what `actions` name, such as `s3:PutObject`. */
  grantObjects(fn: MirrorFunction<FunctionRole>, actions: readonly string[], prefixes: readonly string[]): void {
    const objects = prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}*`));
    fn.allow(actions, objects);
    explainWildcards(fn.role, objects, OBJECTS_BELOW);
    allowKeyUse(this.key, fn.role, { via: ['s3'], write: true });
  }
}

/** S3 writes these logs only where its own key encrypts them. */
function accessLogBucket(scope: Construct, context: MirrorContext): Bucket {
  const removalPolicy = dataRemovalPolicy(context.mirror);
  const bucket = new Bucket(scope, 'AccessLogs', {
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    removalPolicy,
    autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY,
    lifecycleRules: [{ id: 'forget-old-logs', expiration: Duration.days(ACCESS_LOG_DAYS) }],
  });
  bucket.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('logging.s3.amazonaws.com')],
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('*')],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
  return bucket;
}

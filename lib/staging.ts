import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { ArnPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { PREFIXES } from '../core/aws-names.ts';
import type { FunctionRole } from '../core/contract.ts';
import type { Control } from './control.ts';
import { mirrorBucket } from './mirror-bucket.ts';
import type { MirrorFunction } from './mirror-function.ts';
import { allowKeyUse } from './mirror-key.ts';
import { OBJECTS_BELOW, explainWildcards } from './wildcards.ts';

/** Longer than a message can wait in the queue and in its dead letters together, so that none names an object that is gone. */
const STAGED_DAYS = 45;
const MESSAGE_DAYS = 14;
/** A load takes a message for as long as a run of the loader; one that dies gives it back then. */
const VISIBILITY_MINUTES = 15;
/** So often a message is tried before it is a dead letter. */
const MAX_RECEIVES = 10;

/** What waits for the warehouse: the bucket that Firehose writes to, and the queue that names each object in it. */
export class Staging extends Construct {
  readonly bucket: Bucket;
  readonly queue: Queue;
  readonly deadLetters: Queue;
  private readonly control: Control;

  constructor(scope: Construct, id: string, control: Control) {
    super(scope, id);
    this.control = control;
    const queue = {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: control.key,
      enforceSSL: true,
      retentionPeriod: Duration.days(MESSAGE_DAYS),
    };
    this.deadLetters = new Queue(this, 'DeadLetters', queue);
    this.queue = new Queue(this, 'Queue', {
      ...queue,
      visibilityTimeout: Duration.minutes(VISIBILITY_MINUTES),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
    this.bucket = mirrorBucket(this, 'Bucket', control.context, {
      accessLogs: control.accessLogs,
      logPrefix: 'staging/',
      lifecycleRules: [PREFIXES.staged, PREFIXES.manifests, PREFIXES.redriven].map((prefix) => ({
        id: `forget-${prefix.slice(0, -1)}`,
        prefix,
        expiration: Duration.days(STAGED_DAYS),
      })),
    });
    this.announceObjects();
  }

  /** Each new object under `staged/` is named in the queue. CloudFormation does it, with no function of the CDK's own. */
  private announceObjects(): void {
    const { account } = Stack.of(this);
    const granted = this.queue.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('s3.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.queue.queueArn],
        // Not by the bucket's ARN: the bucket is made after this policy, since S3 tries the queue at once.
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
    const bucket = this.bucket.node.defaultChild as CfnBucket;
    bucket.notificationConfiguration = {
      queueConfigurations: [
        {
          event: 's3:ObjectCreated:*',
          queue: this.queue.queueArn,
          filter: { s3Key: { rules: [{ name: 'prefix', value: PREFIXES.staged }] } },
        },
      ],
    };
    if (granted.policyDependable) bucket.node.addDependency(granted.policyDependable);
  }

  /** Lets Redshift's role read what is staged. */
  grantCopy(role: Role): void {
    for (const statement of this.copyStatements()) {
      role.addToPolicy(statement);
      explainWildcards(role, statement.resources, OBJECTS_BELOW);
    }
    allowKeyUse(this.control.key, role, { via: ['s3'], write: false });
  }

  /** Lets a role that is not ours read what is staged, by the bucket's own policy. */
  grantCopyTo(roleArn: string): void {
    for (const statement of this.copyStatements(new ArnPrincipal(roleArn))) this.bucket.addToResourcePolicy(statement);
  }

  private copyStatements(principal?: IPrincipal): PolicyStatement[] {
    const principals = principal ? { principals: [principal] } : {};
    return [
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['s3:GetObject'],
        resources: [PREFIXES.staged, PREFIXES.manifests].map((prefix) => this.bucket.arnForObjects(`${prefix}*`)),
        ...principals,
      }),
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['s3:ListBucket', 's3:GetBucketLocation'],
        resources: [this.bucket.bucketArn],
        ...principals,
      }),
    ];
  }

  /** Lets a function do something with the objects below prefixes of the bucket. */
  grantObjects(fn: MirrorFunction<FunctionRole>, actions: readonly string[], prefixes: readonly string[]): void {
    const objects = prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}*`));
    fn.allow(actions, objects);
    explainWildcards(fn.role, objects, OBJECTS_BELOW);
    allowKeyUse(this.control.key, fn.role, { via: ['s3'], write: true });
  }

  /** Lets a function do something with the queue, its dead letters, or both. */
  grantQueues(fn: MirrorFunction<FunctionRole>, actions: readonly string[], queues: readonly Queue[]): void {
    fn.allow(
      actions,
      queues.map((queue) => queue.queueArn),
    );
    allowKeyUse(this.control.key, fn.role, { via: ['sqs'], write: actions.includes('sqs:SendMessage') });
  }
}

/** The ARN of what Redshift calls a database or a user of a cluster. */
export function clusterPartArn(scope: Construct, part: 'dbuser' | 'dbname' | 'cluster', name: string): string {
  return Stack.of(scope).formatArn({
    service: 'redshift',
    resource: part,
    resourceName: name,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

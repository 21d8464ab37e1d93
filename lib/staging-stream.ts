import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { Construct } from 'constructs';
import { PREFIXES, deliveryStreamName } from '../core/aws-names.ts';
import type { MirrorTable } from '../core/config.ts';
import type { Control } from './control.ts';
import { DeliveryLog } from './delivery-log.ts';
import { allowKeyUse } from './mirror-key.ts';
import type { Staging } from './staging.ts';
import { OBJECTS_BELOW, explainWildcards } from './wildcards.ts';

const BUFFER_MB = 64;

export interface StagingStreamProps {
  readonly control: Control;
  readonly staging: Staging;
  readonly table: MirrorTable;
}

/** Firehose into staging, for one table: gzipped lines under `staged/<table>/`. */
export class StagingStream extends Construct {
  readonly streamName: string;
  readonly streamArn: string;

  constructor(scope: Construct, id: string, props: StagingStreamProps) {
    super(scope, id);
    const { control, staging, table } = props;
    const { mirror, key } = control.context;
    this.streamName = deliveryStreamName(mirror.name, table.name, 'warehouse');
    const log = new DeliveryLog(this, 'Log', control.context, this.streamName);
    const role = this.deliveryRole(props, log);
    const stream = new CfnDeliveryStream(this, 'Stream', {
      deliveryStreamName: this.streamName,
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'CUSTOMER_MANAGED_CMK', keyArn: key.keyArn },
      extendedS3DestinationConfiguration: {
        roleArn: role.roleArn,
        bucketArn: staging.bucket.bucketArn,
        // Firehose adds the hour, `2026/11/22/17/`, and the object's name.
        prefix: `${PREFIXES.staged}${table.name}/`,
        errorOutputPrefix: `${PREFIXES.stagingErrors}${table.name}/!{firehose:error-output-type}/`,
        compressionFormat: 'GZIP',
        bufferingHints: { intervalInSeconds: mirror.aws.redshift.bufferSeconds, sizeInMBs: BUFFER_MB },
        encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: key.keyArn } },
        cloudWatchLoggingOptions: log.options,
      },
    });
    stream.node.addDependency(role, log);
    this.streamArn = stream.attrArn;
  }

  private deliveryRole({ control, staging, table }: StagingStreamProps, log: DeliveryLog): Role {
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('firehose.amazonaws.com'),
      description: `Stages the changes of ${table.name} for the warehouse`,
    });
    const allow = (actions: string[], resources: string[]) =>
      role.addToPolicy(new PolicyStatement({ effect: Effect.ALLOW, actions, resources }));
    const objects = [PREFIXES.staged, PREFIXES.stagingErrors].map((prefix) =>
      staging.bucket.arnForObjects(`${prefix}${table.name}/*`),
    );
    allow(['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'], objects);
    explainWildcards(role, objects, OBJECTS_BELOW);
    allow(['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [staging.bucket.bucketArn]);
    allowKeyUse(control.key, role, { via: ['s3'], write: true });
    log.grantWrite(role);
    return role;
  }
}

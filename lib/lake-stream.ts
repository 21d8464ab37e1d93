import { Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { Construct } from 'constructs';
import { PREFIXES, deliveryStreamName } from '../core/aws-names.ts';
import type { MirrorTable } from '../core/config.ts';
import { changelogName } from '../core/lake-tables.ts';
import type { Control } from './control.ts';
import { DeliveryLog } from './delivery-log.ts';
import type { Lake } from './lake.ts';

/** The longest that Firehose takes: what it gives up on must be redriven. */
const RETRY_SECONDS = 7200;
const BUFFER_MB = 64;

export interface LakeStreamProps {
  readonly control: Control;
  readonly lake: Lake;
  readonly table: MirrorTable;
}

/** Firehose into the changelog of one table: it appends, and nothing else. Its changelog must be there before it. */
export class LakeStream extends Construct {
  readonly streamName: string;
  readonly streamArn: string;
  readonly role: Role;
  readonly resource: CfnDeliveryStream;

  constructor(scope: Construct, id: string, props: LakeStreamProps) {
    super(scope, id);
    const { control, lake, table } = props;
    const { mirror, key } = control.context;
    const changelog = changelogName(table.name);
    const log = new DeliveryLog(this, 'Log', control.context, deliveryStreamName(mirror.name, table.name, 'lakehouse'));
    this.role = deliveryRole(this, props, changelog, log);
    this.resource = new CfnDeliveryStream(this, 'Stream', {
      deliveryStreamName: deliveryStreamName(mirror.name, table.name, 'lakehouse'),
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'CUSTOMER_MANAGED_CMK', keyArn: key.keyArn },
      icebergDestinationConfiguration: {
        roleArn: this.role.roleArn,
        // Only inserts: Firehose keeps no order, so what is newest is decided by the merge.
        appendOnly: true,
        catalogConfiguration: { catalogArn: Stack.of(this).formatArn({ service: 'glue', resource: 'catalog' }) },
        destinationTableConfigurationList: [
          { destinationDatabaseName: lake.database, destinationTableName: changelog },
        ],
        bufferingHints: { intervalInSeconds: mirror.aws.lakehouse.bufferSeconds, sizeInMBs: BUFFER_MB },
        retryOptions: { durationInSeconds: RETRY_SECONDS },
        s3BackupMode: 'FailedDataOnly',
        cloudWatchLoggingOptions: log.options,
        s3Configuration: {
          roleArn: this.role.roleArn,
          bucketArn: lake.bucket.bucketArn,
          prefix: `${PREFIXES.lakeErrors}${table.name}/`,
          errorOutputPrefix: `${PREFIXES.lakeErrors}${table.name}/!{firehose:error-output-type}/`,
          compressionFormat: 'UNCOMPRESSED',
          encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: key.keyArn } },
          cloudWatchLoggingOptions: log.options,
        },
      },
    });
    // Firehose tries the role at once.
    this.resource.node.addDependency(this.role, log);
    this.streamName = deliveryStreamName(mirror.name, table.name, 'lakehouse');
    this.streamArn = this.resource.attrArn;
  }
}

function deliveryRole(scope: Construct, props: LakeStreamProps, changelog: string, log: DeliveryLog): Role {
  const { lake, table } = props;
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('firehose.amazonaws.com'),
    description: `Appends to ${lake.database}.${changelog}`,
  });
  lake.grantTables(role, {
    table: changelog,
    glue: ['glue:GetTable', 'glue:GetDatabase', 'glue:UpdateTable'],
    objects: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject', 's3:DeleteObject'],
    bucket: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
  });
  lake.grantObjects(
    role,
    ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
    [`${PREFIXES.lakeErrors}${table.name}/`],
  );
  log.grantWrite(role);
  return role;
}

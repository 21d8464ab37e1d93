import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PREFIXES, deliveryStreamName, functionName } from '../core/aws-names.ts';
import type { Control } from './control.ts';
import type { Lakehouse } from './lakehouse.ts';
import { LONGEST_RUN, MirrorFunction } from './mirror-function.ts';
import type { Warehouse } from './warehouse.ts';
import { explainWildcards } from './wildcards.ts';

export interface RedriveProps {
  readonly control: Control;
  readonly lakehouse: Lakehouse | null;
  readonly warehouse: Warehouse | null;
}

const READ_AND_MOVE = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];

/** Sends through again what was set aside, by whomever. `glasshouse redrive` calls it, page by page. */
export class Redrive extends Construct {
  readonly function: MirrorFunction<'redrive'>;

  constructor(scope: Construct, id: string, props: RedriveProps) {
    super(scope, id);
    const { control, lakehouse, warehouse } = props;
    const { mirror } = control.context;
    this.function = new MirrorFunction(this, 'Function', control.context, {
      role: 'redrive',
      functionName: functionName(mirror.name, 'redrive'),
      description: `Sends through again what the mirror ${mirror.name} has set aside`,
      environment: {
        MIRROR: mirror.name,
        CONTROL_TABLE: control.table.tableName,
        CONTROL_BUCKET: control.bucket.bucketName,
        LAKE_BUCKET: lakehouse?.lake.bucket.bucketName ?? '',
        STAGING_BUCKET: warehouse?.staging.bucket.bucketName ?? '',
        QUEUE_URL: warehouse?.staging.queue.queueUrl ?? '',
        DEAD_LETTER_URL: warehouse?.staging.deadLetters.queueUrl ?? '',
      },
      timeout: LONGEST_RUN,
      memoryMb: 1769,
    });
    this.grant(props);
  }

  private grant({ control, lakehouse, warehouse }: RedriveProps): void {
    const fn = this.function;
    const everyStream = deliveryStreamName(control.context.mirror.name, '*', 'lakehouse').replace(/-lakehouse$/, '');
    const streams = [
      Stack.of(this).formatArn({ service: 'firehose', resource: 'deliverystream', resourceName: everyStream }),
    ];
    fn.allow(['firehose:PutRecordBatch'], streams);
    explainWildcards(fn.role, streams, 'All streams of the mirror: a list of them could pass the size of a policy.');
    control.grantTable(fn, ['dynamodb:Query', 'dynamodb:PutItem']);
    fn.allow(['s3:ListBucket'], [control.bucket.bucketArn]);
    control.grantObjects(fn, READ_AND_MOVE, [PREFIXES.quarantine, PREFIXES.failedBatches]);
    control.grantObjects(fn, ['s3:PutObject'], [PREFIXES.redriven, PREFIXES.oversized]);
    if (lakehouse) {
      lakehouse.lake.grantBucket(fn.role, ['s3:ListBucket']);
      lakehouse.lake.grantObjects(fn.role, READ_AND_MOVE, [PREFIXES.lakeErrors]);
      lakehouse.lake.grantObjects(fn.role, ['s3:PutObject'], [PREFIXES.redriven]);
      // Firehose's other kind of error names data files that it could not commit: they are read where they lie.
      lakehouse.lake.grantObjects(fn.role, ['s3:GetObject'], [PREFIXES.tables]);
    }
    if (warehouse) {
      const { staging } = warehouse;
      fn.allow(['s3:ListBucket'], [staging.bucket.bucketArn]);
      staging.grantObjects(fn, READ_AND_MOVE, [PREFIXES.stagingErrors]);
      staging.grantObjects(fn, ['s3:PutObject'], [PREFIXES.redriven]);
      staging.grantQueues(fn, ['sqs:ReceiveMessage', 'sqs:DeleteMessage'], [staging.deadLetters]);
      staging.grantQueues(fn, ['sqs:SendMessage'], [staging.queue]);
    }
  }
}

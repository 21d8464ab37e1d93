import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PREFIXES, functionName } from '../core/aws-names.ts';
import type { LoadInput } from '../core/contract.ts';
import type { Control } from './control.ts';
import { LONGEST_RUN, MirrorFunction } from './mirror-function.ts';
import { Redshift } from './redshift.ts';
import { RegularCall } from './regular-call.ts';
import type { SourceTable } from './source-table.ts';
import { StagingStream } from './staging-stream.ts';
import { Staging } from './staging.ts';

export interface WarehouseProps {
  readonly control: Control;
  readonly sources: readonly SourceTable[];
  /** The schema of the views that users query. */
  readonly viewSchema: string;
}

/** The warehouse target: changes are staged in S3, and a loader brings those of all tables into Redshift at once. */
export class Warehouse extends Construct {
  readonly staging: Staging;
  readonly redshift: Redshift;
  /** By table. */
  readonly streams: ReadonlyMap<string, StagingStream>;
  readonly function: MirrorFunction<'load'>;
  readonly viewSchema: string;

  constructor(scope: Construct, id: string, props: WarehouseProps) {
    super(scope, id);
    const { control, sources } = props;
    this.viewSchema = props.viewSchema;
    this.staging = new Staging(this, 'Staging', control);
    this.redshift = new Redshift(this, 'Redshift', control.context, this.staging);
    this.streams = new Map(
      sources.map(({ table }) => [
        table.name,
        new StagingStream(this, `Stream-${table.name}`, { control, staging: this.staging, table }),
      ]),
    );
    this.function = this.makeLoader(control);
    const input: LoadInput = { tables: sources.map(({ table }) => table.name) };
    new RegularCall(this, 'Load', control.context, { fn: this.function, everyMinutes: 1, input });
  }

  private makeLoader(control: Control): MirrorFunction<'load'> {
    const { mirror } = control.context;
    const { staging, redshift } = this;
    const fn = new MirrorFunction(this, 'Loader', control.context, {
      role: 'load',
      functionName: functionName(mirror.name, 'load'),
      description: `Loads what is staged into the warehouse of the mirror ${mirror.name}`,
      environment: {
        MIRROR: mirror.name,
        CONTROL_TABLE: control.table.tableName,
        STAGING_BUCKET: staging.bucket.bucketName,
        QUEUE_URL: staging.queue.queueUrl,
        COPY_ROLE_ARN: redshift.copyRoleArn,
        REDSHIFT: Stack.of(this).toJsonString(redshift.address),
        VIEW_SCHEMA: this.viewSchema,
        OBJECTIVE_SECONDS: String(mirror.freshness.objectiveSeconds),
        DAILY_BUDGET_USD: String(mirror.aws.redshift.dailyBudgetUsd),
      },
      timeout: LONGEST_RUN,
      memoryMb: 512,
    });
    control.grantTable(fn, [
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'dynamodb:DeleteItem',
      'dynamodb:Query',
    ]);
    staging.grantObjects(fn, ['s3:PutObject'], [PREFIXES.manifests]);
    staging.grantQueues(
      fn,
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
      [staging.queue],
    );
    redshift.grantStatements(fn);
    return fn;
  }
}

import { Duration } from 'aws-cdk-lib';
import { EventSourceMapping, MetricType, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { PREFIXES, captureFunctionName } from '../core/aws-names.ts';
import type { Control } from './control.ts';
import { MirrorFunction } from './mirror-function.ts';
import type { SourceTable } from './source-table.ts';
import { streamArns } from './table-streams.ts';
import type { TableStreams } from './table-streams.ts';

/** A stream forgets after 24 hours: an hour before, what cannot be captured goes to S3. */
const MAX_RECORD_AGE = Duration.hours(23);
/** The most that Lambda takes; the age ends the tries before. */
const RETRIES = 10_000;

export interface TableCaptureProps {
  readonly control: Control;
  readonly source: SourceTable;
  readonly streams: TableStreams;
}

/** Captures one table: a function behind its stream. */
export class TableCapture extends Construct {
  readonly function: MirrorFunction<'capture'>;
  readonly mapping: EventSourceMapping;

  constructor(scope: Construct, id: string, props: TableCaptureProps) {
    super(scope, id);
    const { control, source, streams } = props;
    const { mirror } = control.context;
    const { table } = source;
    this.function = new MirrorFunction(this, 'Function', control.context, {
      role: 'capture',
      functionName: captureFunctionName(mirror.name, table.name),
      description: `Captures the changes of ${table.from} for the mirror ${mirror.name}`,
      environment: {
        MIRROR: mirror.name,
        TABLE: table.name,
        SOURCE_TABLE: source.tableName,
        MAX_COLUMNS: String(table.maxColumns),
        CONTROL_TABLE: control.table.tableName,
        CONTROL_BUCKET: control.bucket.bucketName,
        LAKEHOUSE_STREAM: streams.lakehouse?.streamName ?? '',
        WAREHOUSE_STREAM: streams.warehouse?.streamName ?? '',
      },
      timeout: Duration.minutes(5),
      memoryMb: mirror.aws.capture.memoryMb,
    });
    this.function.allow(['firehose:PutRecordBatch'], streamArns(streams));
    control.grantTable(this.function, ['dynamodb:Query', 'dynamodb:PutItem']);
    control.grantObjects(
      this.function,
      ['s3:PutObject'],
      [`${PREFIXES.quarantine}${table.name}/`, `${PREFIXES.oversized}${table.name}/`],
    );
    source.grantStream(this.function);
    this.mapping = this.readStream(props);
  }

  private readStream({ control, source }: TableCaptureProps): EventSourceMapping {
    const { capture } = control.context.mirror.aws;
    // Lambda itself puts the batches that it gives up on, with the function's rights.
    control.grantObjects(this.function, ['s3:PutObject'], [PREFIXES.failedBatches]);
    this.function.allow(['s3:ListBucket'], [control.bucket.bucketArn]);
    return new EventSourceMapping(this, 'Mapping', {
      target: this.function.function,
      eventSourceArn: source.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: capture.batchSize,
      maxBatchingWindow: Duration.seconds(capture.windowSeconds),
      parallelizationFactor: capture.parallelization,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      maxRecordAge: MAX_RECORD_AGE,
      retryAttempts: RETRIES,
      // S3 keeps the records; a queue or a topic would keep only where they were.
      supportS3OnFailureDestination: true,
      onFailure: { bind: () => ({ destination: control.bucket.bucketArn }) },
      metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
    });
  }
}

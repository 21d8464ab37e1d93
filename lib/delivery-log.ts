import { RemovalPolicy } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { LogStream } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { SealedContext } from './mirror-context.ts';
import { mirrorLogGroup } from './mirror-log-group.ts';

/** What Firehose says of a delivery stream's errors. */
export class DeliveryLog extends Construct {
  /** The logging options of its destinations. */
  readonly options: CfnDeliveryStream.CloudWatchLoggingOptionsProperty;
  private readonly group: LogGroup;

  constructor(scope: Construct, id: string, context: SealedContext, streamName: string) {
    super(scope, id);
    this.group = mirrorLogGroup(this, context, `/aws/kinesisfirehose/${streamName}`);
    const stream = new LogStream(this, 'Delivery', {
      logGroup: this.group,
      logStreamName: 'delivery',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.options = { enabled: true, logGroupName: this.group.logGroupName, logStreamName: stream.logStreamName };
  }

  grantWrite(role: Role): void {
    role.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['logs:PutLogEvents'],
        resources: [this.group.logGroupArn],
      }),
    );
  }
}

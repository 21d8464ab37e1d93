import { RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { SealedContext } from './mirror-context.ts';

/**
 * A log group of a mirror. It goes with its stack: it has no rows in it, and one that was left behind would stand in the
 * way of the next deploy, since its name is fixed.
 */
export function mirrorLogGroup(scope: Construct, context: SealedContext, logGroupName: string): LogGroup {
  return new LogGroup(scope, 'Logs', {
    logGroupName,
    retention: retentionOf(context.mirror.aws.logRetentionDays),
    encryptionKey: context.key,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

const RETENTIONS = new Map<number, RetentionDays>(
  Object.values(RetentionDays).flatMap((days) => (typeof days === 'string' ? [] : [[days, days] as const])),
);

/** The configuration takes no other days than CloudWatch does. */
function retentionOf(days: number): RetentionDays {
  return RETENTIONS.get(days) ?? RetentionDays.ONE_MONTH;
}

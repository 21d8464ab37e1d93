import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { FunctionRole } from '../core/contract.ts';
import type { SealedContext } from './mirror-context.ts';
import type { MirrorFunction } from './mirror-function.ts';

export interface RegularCallProps {
  readonly fn: MirrorFunction<FunctionRole>;
  readonly everyMinutes: number;
  /** What the function is given, as JSON. */
  readonly input: unknown;
}

/**
 * Calls a function every so many minutes. A call that fails is not repeated, and lands in no queue of dead letters: the
 * next one does its work too.
 */
export class RegularCall extends Construct {
  constructor(scope: Construct, id: string, context: SealedContext, props: RegularCallProps) {
    super(scope, id);
    const { fn, everyMinutes, input } = props;
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Calls ${fn.node.path} regularly`,
    });
    role.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['lambda:InvokeFunction'],
        resources: [fn.function.functionArn],
      }),
    );
    role.addToPolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: ['kms:Decrypt'], resources: [context.key.keyArn] }),
    );
    const schedule = new CfnSchedule(this, 'Schedule', {
      scheduleExpression: everyMinutes === 1 ? 'rate(1 minute)' : `rate(${everyMinutes} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      kmsKeyArn: context.key.keyArn,
      target: {
        arn: fn.function.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify(input),
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });
    schedule.node.addDependency(role);
    // Lambda, too, repeats a call that failed: here it must not.
    fn.function.configureAsyncInvoke({ retryAttempts: 0 });
  }
}

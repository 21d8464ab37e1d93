import type { EventSourceMapping, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Mirror as ValidMirror } from '../core/config.ts';
import type { RedshiftAddress } from '../core/contract.ts';

/** What of a mirror is worth watching. */
export interface MonitoringProps {
  readonly mirror: ValidMirror;
  /** Takes the alarms. */
  readonly topic: ITopic;
  readonly tables: readonly WatchedTable[];
  readonly redrive: LambdaFunction;
  readonly lakehouse: {
    readonly merge: LambdaFunction;
    readonly machine: StateMachine;
    readonly workgroup: string;
    readonly database: string;
  } | null;
  readonly warehouse: {
    readonly load: LambdaFunction;
    readonly queue: IQueue;
    readonly deadLetters: IQueue;
    readonly redshift: RedshiftAddress;
  } | null;
}

export interface WatchedTable {
  readonly name: string;
  readonly capture: LambdaFunction;
  readonly mapping: EventSourceMapping;
  /** Names of the Firehose streams; null where the mirror has no such target. */
  readonly streams: { readonly lakehouse: string | null; readonly warehouse: string | null };
}

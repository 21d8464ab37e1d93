import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GlasshouseError } from '../../core/errors.ts';
import type { MergeMachine } from '../../flows/merge-ports.ts';
import { quietly } from './clients.ts';
import { explainFailure } from './failure.ts';
import { isNamed } from './glue-failure.ts';
import type { Timing } from './timing.ts';
import { systemTiming } from './timing.ts';
import { withinDeadline } from './within-deadline.ts';

const PATIENCE_MS = 20_000;

/** A client of Step Functions in the environment's region; the caller destroys it. */
export function openStepFunctions(): SFNClient {
  return quietly(() => new SFNClient({}));
}

/**
 * The ARN of a state machine beside a function: of its partition, region and account.
 * @throws GlasshouseError `bug` where the function's is no ARN.
 */
export function machineArnBeside(functionArn: string, machineName: string): string {
  const [prefix, partition, service, region, account] = functionArn.split(':');
  if (
    prefix !== 'arn' ||
    service !== 'lambda' ||
    partition === undefined ||
    region === undefined ||
    account === undefined
  ) {
    throw new GlasshouseError('bug', `${JSON.stringify(functionArn)} is no ARN of a function.`);
  }
  return `arn:${partition}:states:${region}:${account}:stateMachine:${machineName}`;
}

/** Starts executions of the state machine that merges a table. The caller keeps the client, and destroys it. */
export function mergeMachine(client: SFNClient, machineArn: string, timing: Timing = systemTiming): MergeMachine {
  return {
    async start(table, name) {
      const what = `start the merge of ${table}`;
      const command = new StartExecutionCommand({
        stateMachineArn: machineArn,
        name,
        input: JSON.stringify({ table }),
      });
      try {
        const deadline = { timing, atMillis: timing.now() + PATIENCE_MS };
        await withinDeadline(what, () => client.send(command), deadline);
      } catch (thrown) {
        if (isNamed(thrown, 'ExecutionAlreadyExists')) return;
        throw explainFailure(thrown, what);
      }
    },
  };
}

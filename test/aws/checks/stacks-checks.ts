import { DescribeAlarmHistoryCommand, DescribeAlarmsCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeDeliveryStreamCommand } from '@aws-sdk/client-firehose';
import { deliveryStreamName } from '../../../core/aws-names.ts';
import type { World } from '../world.ts';
import { failedBatchCheck } from './broken-capture.ts';
import type { Check, Verdict } from './check.ts';
import { byHand, disturbs, inLakehouse, open, verdictOf } from './check.ts';
import { optimizerRuns } from './registrar-checks.ts';
import { byArrival, byDeploy } from './seen.ts';

const LOOK_EVERY_MS = 5_000;
const LOOKS = 12;

export const STACKS_CHECKS = {
  'stack-references': byDeploy('its stacks read each other’s outputs.'),
  'stack-references-removal': byHand(
    'deploy a mirror of two tables, remove one from the configuration, and deploy again in one run.',
  ),
  'other-account-stream': byHand(
    'needs a second account: deploy with the ARNs of its table and the policy of docs/deploy.md on its stream, write a row there, and look for it here.',
  ),
  'firehose-15-seconds': inLakehouse(bufferingInterval),
  'firehose-role': byArrival('lakehouse', 'Firehose appended with its role.'),
  'athena-role': byArrival(
    'lakehouse',
    'The state machine merged, and the registrar made the views, with their roles.',
  ),
  'optimizers-role': inLakehouse(optimizerRuns),
  'control-table-key': byArrival('lakehouse', 'What was taken in was written to the control table.'),
  'failed-batch-put': disturbs(failedBatchCheck),
  'data-api-secret': byArrival('warehouse', 'The loader signs in by the secret.'),
  'existing-redshift-copy': byHand(
    'deploy with aws.redshift.serverless naming a workgroup that is there, write a row, and look for it in Redshift.',
  ),
  'staging-notices': byArrival('warehouse', 'Each load begins with a notice in the queue.'),
  'alarm-topic': disturbs(alarmReachesTopic),
  'scheduler-key': byArrival('lakehouse', 'Merges were started by nothing but their schedule.'),
  'lake-formation-grants': byHand(
    'needs an account that Lake Formation governs: deploy with aws.lakehouse.lakeFormation, write, and query all three of order, order_live, order_history.',
  ),
} as const satisfies Readonly<Record<string, Check>>;

async function bufferingInterval({ clients, mirror, table }: World): Promise<Verdict> {
  const DeliveryStreamName = deliveryStreamName(mirror.name, table.name, 'lakehouse');
  const { DeliveryStreamDescription: stream } = await clients
    .firehose()
    .send(new DescribeDeliveryStreamCommand({ DeliveryStreamName }));
  const hints = stream?.Destinations?.[0]?.IcebergDestinationDescription?.BufferingHints;
  const wanted = mirror.aws.lakehouse.bufferSeconds;
  return verdictOf(
    hints?.IntervalInSeconds === wanted,
    `The stream buffers for ${hints?.IntervalInSeconds ?? '?'} s; ${wanted} s were asked for.`,
  );
}

/** Sets an alarm off, and reads in its history whether the topic took the message. */
async function alarmReachesTopic({ clients, mirror, timing, signal }: World): Promise<Verdict> {
  const cloudwatch = clients.cloudwatch();
  const AlarmNamePrefix = `glasshouse-${mirror.name}-`;
  const { MetricAlarms: [alarm] = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix }));
  const AlarmName = alarm?.AlarmName;
  if (AlarmName === undefined) return open(`There is no alarm whose name begins with ${AlarmNamePrefix}.`);
  const StateReason = 'npm run test:aws: does the topic take it?';
  // An alarm that is on already would not change.
  for (const StateValue of ['OK', 'ALARM'] as const)
    await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue, StateReason }));
  for (let look = 1; look <= LOOKS; look++) {
    const history = new DescribeAlarmHistoryCommand({ AlarmName, HistoryItemType: 'Action' });
    const { AlarmHistoryItems: [item] = [] } = await cloudwatch.send(history);
    const summary = item?.HistorySummary;
    if (summary !== undefined) return verdictOf(summary.startsWith('Successfully'), `${AlarmName}: ${summary}.`);
    await timing.wait(LOOK_EVERY_MS, signal);
    signal.throwIfAborted();
  }
  return open(`${AlarmName} was set off, and its history shows no action within a minute.`);
}

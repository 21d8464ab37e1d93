import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { PutRecordBatchCommand } from '@aws-sdk/client-firehose';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { gunzipSync } from 'node:zlib';
import { createS3RedriveShelf } from '../../../adapters/aws/s3-redrive-shelf.ts';
import { PREFIXES, deliveryStreamName } from '../../../core/aws-names.ts';
import { parseEnvelopeLine } from '../../../core/envelope.ts';
import { METRIC_NAMESPACE } from '../../../core/metric-names.ts';
import type { MetricName } from '../../../core/metric-names.ts';
import type { Warehouse, World } from '../world.ts';
import { checkpointCheck, coldStartCheck } from './broken-capture.ts';
import type { Check, Verdict } from './check.ts';
import { broken, byHand, disturbs, holds, inWarehouse, looks, open, verdictOf } from './check.ts';
import { harmlessLine } from './harmless-line.ts';
import { byArrival } from './seen.ts';

/** A record of Firehose's greatest size: 1,000 KiB. */
const LARGEST_RECORD = 1_024_000;
const MOST_REQUESTS = 60;
const REQUESTS_AT_ONCE = 12;
const MOST_STAGED_OBJECTS = 20;

export const CAPTURE_CHECKS = {
  'firehose-request-size': inWarehouse(largestRequest),
  'firehose-iceberg-no-newline': byArrival('lakehouse', 'They were put as JSON objects without line ends.'),
  'staged-lines-whole': inWarehouse(stagedLines),
  'refused-record-answer': disturbs(refusedRecords),
  'keys-rise-in-a-batch': looks(staleSequences),
  'checkpoint-at-lowest-failure': disturbs(checkpointCheck),
  'cold-start-time': disturbs(coldStartCheck),
  'xray-segments-close': byHand(
    'open the trace map of the capture function in the CloudWatch console (with --keep), and look at one trace: it has both calls of Firehose, and none is in progress.',
  ),
} as const satisfies Readonly<Record<string, Check>>;

async function largestRequest(world: World): Promise<Verdict> {
  const answer = await world.clients.firehose().send(putLargest(world, ['size-1', 'size-2', 'size-3']));
  const taken = (answer.RequestResponses ?? []).filter((one) => one.RecordId !== undefined).length;
  return verdictOf(taken === 3, `Of one request of three records of ${LARGEST_RECORD} bytes, ${taken} were taken.`);
}

function putLargest({ mirror, table, timing }: World, keys: readonly string[]): PutRecordBatchCommand {
  return new PutRecordBatchCommand({
    DeliveryStreamName: deliveryStreamName(mirror.name, table.name, 'warehouse'),
    Records: keys.map((key) => ({ Data: Buffer.from(harmlessLine(key, LARGEST_RECORD, timing.now())) })),
  });
}

async function stagedLines(world: World, { bucket }: Warehouse): Promise<Verdict> {
  const s3 = world.clients.s3();
  const keys = await createS3RedriveShelf(s3, bucket).keys(`${PREFIXES.staged}${world.table.name}/`, null);
  let lines = 0;
  for (const key of keys.slice(0, MOST_STAGED_OBJECTS)) {
    const { Body: body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const text = textOf(Buffer.from((await body?.transformToByteArray()) ?? []));
    for (const line of text.split('\n').filter((one) => one !== '')) {
      try {
        parseEnvelopeLine(line);
        lines += 1;
      } catch {
        return broken(`Line ${lines + 1} of those read is no whole envelope, in s3://${bucket}/${key}.`);
      }
    }
  }
  return lines === 0
    ? open('Nothing is staged.')
    : holds(`All ${lines} lines of ${keys.length} staged objects are whole.`);
}

/** S3 gives what it has; some clients have unpacked it already. */
function textOf(bytes: Buffer): string {
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
}

/** More than a stream takes a second, until it refuses a part of a request. */
async function refusedRecords(world: World): Promise<Verdict> {
  if (world.deployment.warehouse === null) return open('This mirror has no warehouse: run without --lakehouse-only.');
  const firehose = world.clients.firehose();
  let whole = 0;
  for (let sent = 0; sent < MOST_REQUESTS; sent += REQUESTS_AT_ONCE) {
    const requests = Array.from({ length: REQUESTS_AT_ONCE }, (_, n) =>
      putLargest(world, [`flood-${sent + n}`, 'flood']),
    );
    const answers = await Promise.allSettled(requests.map((request) => firehose.send(request)));
    whole += answers.filter((answer) => answer.status === 'rejected').length;
    const partly = answers
      .flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      .find((answer) => (answer.FailedPutCount ?? 0) > 0);
    if (partly === undefined) continue;
    const refused = (partly.RequestResponses ?? []).filter((one) => one.ErrorCode !== undefined);
    const isTold = refused.length === partly.FailedPutCount && refused.every((one) => !one.RecordId);
    const codes = [...new Set(refused.map((one) => one.ErrorCode))].join(', ');
    return verdictOf(
      isTold,
      `${refused.length} of ${partly.FailedPutCount ?? 0} refused records have a code: ${codes}.`,
    );
  }
  return open(
    `No request of ${MOST_REQUESTS} was refused in part (${whole} were as a whole): the stream's quota is high.`,
  );
}

async function staleSequences({ clients, mirror, table, seen, timing }: World): Promise<Verdict> {
  const sumOf = async (name: MetricName): Promise<number> => {
    const Dimensions = [
      { Name: 'mirror', Value: mirror.name },
      { Name: 'table', Value: table.name },
    ];
    const command = new GetMetricDataCommand({
      StartTime: new Date(seen.sinceMillis - 60_000),
      EndTime: new Date(timing.now() + 60_000),
      MetricDataQueries: [
        {
          Id: 'm0',
          MetricStat: {
            Metric: { Namespace: METRIC_NAMESPACE, MetricName: name, Dimensions },
            Period: 3600,
            Stat: 'Sum',
          },
        },
      ],
    });
    const { MetricDataResults: results = [] } = await clients.cloudwatch().send(command);
    return results.flatMap((one) => one.Values ?? []).reduce((sum, value) => sum + value, 0);
  };
  const captured = await sumOf('CapturedChanges');
  if (captured === 0) return open('CloudWatch has no metrics of capture yet: run again.');
  const stale = await sumOf('StaleSequences');
  return verdictOf(stale === 0, `${stale} of ${captured} changes had a sequence number that did not rise.`);
}

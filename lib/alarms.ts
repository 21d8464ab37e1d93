import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { allowedSeconds } from './allowed-freshness.ts';
import { firehoseMetric, mappingMetric, ownMetric, sumOf, targetsOf } from './mirror-metrics.ts';
import type { TargetName } from './mirror-metrics.ts';
import type { MonitoringProps, WatchedTable } from './monitoring-props.ts';
import type { Article } from './runbook.ts';
import { runbookLink } from './runbook.ts';

const HOUR_MS = 3_600_000;
/** Firehose tries for two hours; a quarter of an hour is far from what it needs, and leaves time to look. */
const FIREHOSE_LATE_SECONDS = 900;

/** When an alarm goes off: a metric above a threshold in so many of so many periods. */
interface AlarmRule {
  readonly article: Article;
  /** What of the mirror it watches, as a part of its name; absent for the whole mirror. */
  readonly of?: string;
  readonly metric: IMetric;
  /** Above this. */
  readonly threshold: number;
  /** Periods of the metric: `[3, 5]` is three of five. */
  readonly periods: readonly [breaching: number, of: number];
  /** Whether silence is bad news: of what is reported in each period. Default: no. */
  readonly silenceIsBad?: boolean;
  readonly says: string;
}

/** The alarms of a mirror. Each tells the topic when it goes off and when it is over. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const action = new SnsAction(props.topic);
    this.alarms = rulesOf(props).map((rule) => {
      const name = [rule.article, rule.of].filter((part) => part !== undefined).join('-');
      const alarm = new Alarm(this, name, {
        alarmName: `glasshouse-${props.mirror.name}-${name}`,
        alarmDescription: `${rule.says} ${runbookLink(rule.article)}`,
        metric: rule.metric,
        threshold: rule.threshold,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        datapointsToAlarm: rule.periods[0],
        evaluationPeriods: rule.periods[1],
        treatMissingData: rule.silenceIsBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      });
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
      return alarm;
    });
  }
}

/** What each alarm watches. */
function rulesOf(props: MonitoringProps): AlarmRule[] {
  return [
    ...props.tables.flatMap((table) => [
      ...freshnessRules(props, table),
      ...captureRules(props, table),
      ...firehoseRules(table),
    ]),
    ...mergeRules(props),
    ...loadRules(props),
    ...errorRules(props),
  ];
}

function freshnessRules(props: MonitoringProps, table: WatchedTable): AlarmRule[] {
  const { freshness, aws } = props.mirror;
  const { objectiveSeconds } = freshness;
  return targetsOf(props).map((target) => ({
    article: 'freshness' as const,
    of: `${table.name}-${target}`,
    ...oftenAs(
      ownMetric(props, 'Freshness', { table: table.name, target }, 'Maximum'),
      target === 'lakehouse' ? aws.lakehouse.mergeEveryMinutes : 1,
    ),
    threshold: allowedSeconds(props.mirror, target, props.warehouse?.redshift.baseCapacity ?? null),
    // A target that nobody reports on is not known to be fresh.
    silenceIsBad: true,
    says: `The newest change that a reader of ${table.name} sees in the ${target} is older than the objective of ${objectiveSeconds} s${noteOf(props, target)}.`,
  }));
}

/** Says so where the settings allow less than the objective asks for. */
function noteOf(props: MonitoringProps, target: TargetName): string {
  const allowed = allowedSeconds(props.mirror, target, props.warehouse?.redshift.baseCapacity ?? null);
  return allowed > props.mirror.freshness.objectiveSeconds ? `, and than the ${allowed} s that the settings allow` : '';
}

/** Looks at a metric as often as it is reported: where nothing can be there yet, nothing is missing. */
function oftenAs(metric: Metric, everyMinutes: number): Pick<AlarmRule, 'metric' | 'periods'> {
  if (everyMinutes === 1) return { metric, periods: [5, 10] };
  return { metric: metric.with({ period: Duration.minutes(everyMinutes) }), periods: [2, 3] };
}

function captureRules(props: MonitoringProps, table: WatchedTable): AlarmRule[] {
  const { name } = table;
  const own = (metric: 'QuarantinedRecords' | 'StaleSequences') => ownMetric(props, metric, { table: name }, 'Sum');
  const age = table.capture.metric('IteratorAge', { statistic: 'Maximum', period: Duration.minutes(5) });
  return [
    {
      article: 'capture-late',
      of: name,
      metric: age,
      threshold: HOUR_MS,
      periods: [2, 3],
      says: `Capture of ${name} is more than an hour behind its stream, which forgets after 24.`,
    },
    {
      article: 'capture-at-risk',
      of: name,
      metric: age,
      threshold: 6 * HOUR_MS,
      periods: [1, 1],
      says: `Capture of ${name} is more than six hours behind its stream, which forgets after 24.`,
    },
    {
      article: 'failed-batches',
      of: name,
      metric: sumOf(
        [mappingMetric(table, 'OnFailureDestinationDeliveredEventCount'), mappingMetric(table, 'DroppedEventCount')],
        `${name}: records that Lambda gave up on`,
      ),
      threshold: 0,
      periods: [1, 1],
      says: `Lambda gave up on records of ${name} and put them into the control bucket.`,
    },
    {
      article: 'quarantine',
      of: name,
      metric: own('QuarantinedRecords'),
      threshold: 0,
      periods: [1, 1],
      says: `Records of ${name} could not be captured and were set aside.`,
    },
    {
      article: 'stale-sequences',
      of: name,
      metric: own('StaleSequences'),
      threshold: 0,
      periods: [1, 1],
      says: `A key of ${name} came with a sequence number that did not rise.`,
    },
  ];
}

function firehoseRules(table: WatchedTable): AlarmRule[] {
  const { lakehouse, warehouse } = table.streams;
  return [
    ...(lakehouse === null ? [] : deliveryRules(table.name, 'lakehouse', lakehouse)),
    ...(warehouse === null ? [] : deliveryRules(table.name, 'warehouse', warehouse)),
  ];
}

function deliveryRules(table: string, target: 'lakehouse' | 'warehouse', stream: string): AlarmRule[] {
  const of = `${table}-${target}`;
  const kind = target === 'lakehouse' ? 'DeliveryToIceberg' : 'DeliveryToS3';
  const late = firehoseMetric(stream, `${kind}.DataFreshness`, 'Maximum', of);
  const throttled = firehoseMetric(stream, 'ThrottledRecords', 'Sum', of);
  return [
    {
      article: 'firehose-failures',
      of,
      metric: target === 'lakehouse' ? rowsNotAppended(stream, of) : objectsNotPut(stream, of),
      threshold: 0,
      periods: [1, 1],
      says: `Firehose could not deliver changes of ${table} to the ${target}.`,
    },
    {
      article: 'firehose-late',
      of,
      metric: late,
      threshold: FIREHOSE_LATE_SECONDS,
      periods: [2, 3],
      says: `Changes of ${table} have waited in Firehose for the ${target} for more than ${FIREHOSE_LATE_SECONDS / 60} minutes.`,
    },
    {
      article: 'firehose-throttled',
      of,
      metric: throttled,
      threshold: 0,
      periods: [3, 3],
      says: `Firehose has refused changes of ${table} for the ${target} for a quarter of an hour: they come faster than its limit.`,
    },
  ];
}

function rowsNotAppended(stream: string, label: string): IMetric {
  return firehoseMetric(stream, 'DeliveryToIceberg.FailedRowCount', 'Sum', label);
}

/** The share of Firehose's requests to S3 that failed; none where it made none. */
function objectsNotPut(stream: string, label: string): IMetric {
  const success = firehoseMetric(stream, 'DeliveryToS3.Success', 'Minimum', label);
  return new MathExpression({
    expression: '1 - FILL(success, 1)',
    usingMetrics: { success },
    period: Duration.minutes(5),
    label,
  });
}

function mergeRules(props: MonitoringProps): AlarmRule[] {
  const { lakehouse } = props;
  if (!lakehouse) return [];
  const period = Duration.minutes(5);
  return [
    {
      article: 'merge-failures',
      metric: sumOf(
        [lakehouse.machine.metricFailed({ period }), lakehouse.machine.metricTimedOut({ period })],
        'merges that failed',
      ),
      threshold: 0,
      periods: [2, 3],
      says: 'Merges into the lakehouse fail again and again.',
    },
  ];
}

function loadRules(props: MonitoringProps): AlarmRule[] {
  const { warehouse } = props;
  if (!warehouse) return [];
  return [
    ...props.tables.map((table) => ({
      article: 'load-failures' as const,
      of: table.name,
      metric: ownMetric(props, 'LoadFailures', { table: table.name, target: 'warehouse' }, 'Sum').with({
        period: Duration.minutes(5),
      }),
      threshold: 0,
      periods: [2, 3] as const,
      says: `Loads of ${table.name} into the warehouse fail again and again.`,
    })),
    {
      article: 'dead-letters',
      metric: warehouse.deadLetters.metricApproximateNumberOfMessagesVisible({
        statistic: 'Maximum',
        period: Duration.minutes(5),
      }),
      threshold: 0,
      periods: [1, 1],
      says: 'Staged objects could not be loaded after ten tries.',
    },
  ];
}

function errorRules(props: MonitoringProps): AlarmRule[] {
  const functions: readonly (readonly [name: string, fn: LambdaFunction])[] = [
    ...props.tables.map((table) => [`${table.name}-capture`, table.capture] as const),
    ...(props.lakehouse ? [['merge', props.lakehouse.merge] as const] : []),
    ...(props.warehouse ? [['load', props.warehouse.load] as const] : []),
    ['redrive', props.redrive] as const,
  ];
  const period = Duration.minutes(5);
  return functions.map(([of, fn]) => ({
    article: 'function-errors' as const,
    of,
    metric: sumOf([fn.metricErrors({ period }), fn.metricThrottles({ period })], `${of}: errors and throttles`),
    threshold: 0,
    periods: [3, 3] as const,
    says: `The function ${of} has failed or was throttled for a quarter of an hour.`,
  }));
}

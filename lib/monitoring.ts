import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  MathExpression,
  Metric,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Alarm, IMetric, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { dashboardName } from '../core/aws-names.ts';
import { PRICES, REDSHIFT_RPU_HOUR_USD } from '../core/cost/prices.ts';
import { Alarms } from './alarms.ts';
import { added, firehoseMetric, ownMetric, targetsOf } from './mirror-metrics.ts';
import type { MonitoringProps } from './monitoring-props.ts';

const WIDE = 24;
const HALF = 12;
const DAY = Duration.days(1);
const GIGABYTE = 1e9;
const TERABYTE = 1e12;
/** What one widget shows of alarms. */
const MOST_ALARMS = 100;

/** The dashboard and the alarms of a mirror. The dashboard answers: is it fresh, is it right, what was set aside, what does today cost. */
export class Monitoring extends Construct {
  readonly dashboard: Dashboard;
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    this.alarms = new Alarms(this, 'Alarms', props).alarms;
    this.dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: dashboardName(props.mirror.name),
      defaultInterval: Duration.hours(3),
    });
    for (let from = 0; from < this.alarms.length; from += MOST_ALARMS) {
      const alarms = this.alarms.slice(from, from + MOST_ALARMS);
      this.dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms, width: WIDE, height: 4 }));
    }
    this.dashboard.addWidgets(...freshWidgets(props));
    this.dashboard.addWidgets(...rightWidgets(props));
    this.dashboard.addWidgets(...asideWidgets(props));
    this.dashboard.addWidgets(...costWidgets(props));
  }
}

function eachTarget(props: MonitoringProps, name: 'Freshness'): Metric[] {
  return targetsOf(props).flatMap((target) =>
    props.tables.map((table) => ownMetric(props, name, { table: table.name, target }, 'Maximum')),
  );
}

function freshWidgets(props: MonitoringProps): IWidget[] {
  const { objectiveSeconds } = props.mirror.freshness;
  const freshness = eachTarget(props, 'Freshness');
  return [
    new SingleValueWidget({
      title: 'Is it fresh? Seconds behind the source',
      metrics: freshness,
      width: HALF,
      height: 6,
    }),
    new GraphWidget({
      title: 'Freshness, in seconds',
      left: freshness,
      leftAnnotations: [{ value: objectiveSeconds, label: `objective: ${objectiveSeconds} s` }],
      leftYAxis: { min: 0 },
      width: HALF,
    }),
  ];
}

function rightWidgets(props: MonitoringProps): IWidget[] {
  const { lakehouse, warehouse } = props;
  const period = Duration.minutes(5);
  const trouble: IMetric[] = [
    ...props.tables.map((table) => ownMetric(props, 'StaleSequences', { table: table.name }, 'Sum')),
    ...(lakehouse ? [lakehouse.machine.metricFailed({ period, label: 'merges that failed' })] : []),
    ...(warehouse
      ? props.tables.map((table) => ownMetric(props, 'LoadFailures', { table: table.name, target: 'warehouse' }, 'Sum'))
      : []),
  ];
  return [
    new GraphWidget({
      title: 'Is it right? All of this should be nothing',
      left: trouble,
      leftYAxis: { min: 0 },
      width: HALF,
    }),
    new GraphWidget({
      title: 'Changes: captured, merged, loaded',
      left: [
        ...props.tables.map((table) =>
          named(ownMetric(props, 'CapturedChanges', { table: table.name }, 'Sum'), 'captured'),
        ),
        ...targetsOf(props).flatMap((target) =>
          props.tables.map((table) =>
            ownMetric(
              props,
              target === 'lakehouse' ? 'MergedChanges' : 'LoadedChanges',
              { table: table.name, target },
              'Sum',
            ),
          ),
        ),
      ],
      leftYAxis: { min: 0 },
      width: HALF,
    }),
  ];
}

function named(metric: Metric, what: string): Metric {
  return metric.with({ label: `${metric.label ?? ''}: ${what}` });
}

function asideWidgets(props: MonitoringProps): IWidget[] {
  const perTable = (name: 'QuarantinedRecords' | 'RescuedRows' | 'OversizedValues', what: string): Metric[] =>
    props.tables.map((table) => named(ownMetric(props, name, { table: table.name }, 'Sum'), what));
  const waiting: IMetric[] = props.warehouse
    ? [
        props.warehouse.queue.metricApproximateNumberOfMessagesVisible({ label: 'staged objects' }),
        props.warehouse.deadLetters.metricApproximateNumberOfMessagesVisible({ label: 'dead letters' }),
      ]
    : [];
  return [
    new GraphWidget({
      title: 'What was set aside',
      left: [
        ...perTable('QuarantinedRecords', 'quarantined'),
        ...perTable('RescuedRows', 'rows with rescued values'),
        ...perTable('OversizedValues', 'values in S3'),
      ],
      leftYAxis: { min: 0 },
      width: HALF,
    }),
    new GraphWidget({
      title: 'What waits: age of the stream (ms), objects',
      left: props.tables.map((table) =>
        table.capture.metric('IteratorAge', { statistic: 'Maximum', label: `${table.name}: stream` }),
      ),
      right: waiting,
      leftYAxis: { min: 0 },
      rightYAxis: { min: 0 },
      width: HALF,
    }),
  ];
}

/** Dollars of the last day, of what moves with the load. Storage, keys and alarms stand in `glasshouse cost`. */
function costWidgets(props: MonitoringProps): IWidget[] {
  return [
    new SingleValueWidget({
      title: 'What did the last day cost? US dollars, by the list prices of us-east-1',
      metrics: [...redshiftDollars(props), ...athenaDollars(props), ...firehoseDollars(props), ...lambdaDollars(props)],
      width: 18,
      height: 6,
    }),
    new TextWidget({
      markdown: `Without storage, keys, logs and free tiers: \`npx glasshouse cost\` counts those too.\n\nWhat to do about an alarm: \`docs/operations.md\`.`,
      width: 6,
      height: 6,
    }),
  ];
}

function redshiftDollars(props: MonitoringProps): IMetric[] {
  const baseCapacity = props.warehouse?.redshift.baseCapacity ?? null;
  if (baseCapacity === null) return [];
  const seconds = props.tables.map((table) =>
    ownMetric(props, 'LoadBilledSeconds', { table: table.name, target: 'warehouse' }, 'Sum').with({ period: DAY }),
  );
  return dollars('Redshift', seconds, (baseCapacity * REDSHIFT_RPU_HOUR_USD) / 3600);
}

function athenaDollars(props: MonitoringProps): IMetric[] {
  if (!props.lakehouse) return [];
  const scanned = new Metric({
    namespace: 'AWS/Athena',
    metricName: 'ProcessedBytes',
    dimensionsMap: { WorkGroup: props.lakehouse.workgroup },
    statistic: 'Sum',
    period: DAY,
  });
  return dollars('Athena', [scanned], PRICES.athenaScan.usd / TERABYTE);
}

function firehoseDollars(props: MonitoringProps): IMetric[] {
  return targetsOf(props).flatMap((target) => {
    const bytes = props.tables.flatMap((table) => {
      const stream = table.streams[target];
      return stream === null ? [] : [firehoseMetric(stream, 'IncomingBytes', 'Sum', stream).with({ period: DAY })];
    });
    const price = target === 'lakehouse' ? PRICES.firehoseIceberg : PRICES.firehoseS3;
    return dollars(`Firehose, ${target}`, bytes, price.usd / GIGABYTE);
  });
}

function lambdaDollars(props: MonitoringProps): IMetric[] {
  const megabytes = props.mirror.aws.capture.memoryMb;
  const durations = props.tables.map((table) => table.capture.metricDuration({ statistic: 'Sum', period: DAY }));
  return dollars('Capture', durations, ((megabytes / 1024) * PRICES.lambdaGbSeconds.usd) / 1000);
}

/** Metrics added up, times a price. */
function dollars(label: string, metrics: readonly IMetric[], price: number): IMetric[] {
  if (metrics.length === 0) return [];
  const { expression, usingMetrics } = added(metrics, label);
  return [new MathExpression({ expression: `(${expression}) * ${decimal(price)}`, usingMetrics, period: DAY, label })];
}

/** CloudWatch takes `2.3e-8` for a name. */
function decimal(price: number): string {
  return price.toFixed(18).replace(/0+$/, '');
}

import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../core/metric-names.ts';
import { METRIC_NAMESPACE } from '../core/metric-names.ts';
import type { MonitoringProps, WatchedTable } from './monitoring-props.ts';

export type TargetName = 'lakehouse' | 'warehouse';
type Statistic = 'Sum' | 'Maximum' | 'Minimum';

/** The targets that a mirror has. */
export function targetsOf(props: MonitoringProps): readonly TargetName[] {
  return [...(props.lakehouse ? (['lakehouse'] as const) : []), ...(props.warehouse ? (['warehouse'] as const) : [])];
}

/** One of the mirror's own metrics, as its functions write it. */
export function ownMetric(
  props: MonitoringProps,
  name: MetricName,
  of: { readonly table: string; readonly target?: TargetName },
  statistic: Statistic,
): Metric {
  const { target } = of;
  return new Metric({
    namespace: METRIC_NAMESPACE,
    metricName: name,
    dimensionsMap: { mirror: props.mirror.name, table: of.table, ...(target ? { target } : {}) },
    statistic,
    period: Duration.minutes(1),
    label: target ? `${of.table}: ${target}` : of.table,
  });
}

/** One of Firehose's metrics of a stream. */
export function firehoseMetric(streamName: string, name: string, statistic: Statistic, label: string): Metric {
  return new Metric({
    namespace: 'AWS/Firehose',
    metricName: name,
    dimensionsMap: { DeliveryStreamName: streamName },
    statistic,
    period: Duration.minutes(5),
    label,
  });
}

/** One of the counts of a table's event source mapping. */
export function mappingMetric(table: WatchedTable, name: string): Metric {
  return new Metric({
    namespace: 'AWS/Lambda',
    metricName: name,
    dimensionsMap: { EventSourceMappingUUID: table.mapping.eventSourceMappingId },
    statistic: 'Sum',
    period: Duration.minutes(5),
    label: `${table.name}: ${name}`,
  });
}

/** The sum of metrics, of which some may have nothing to say. At most ten: CloudWatch's alarms take no more. */
export function sumOf(metrics: readonly IMetric[], label: string): MathExpression {
  const { expression, usingMetrics } = added(metrics, label);
  return new MathExpression({ expression, usingMetrics, period: Duration.minutes(5), label });
}

/** The terms of a sum. Their ids have the label in them: within one widget, an id may stand for one metric only. */
export function added(
  metrics: readonly IMetric[],
  label: string,
): { readonly expression: string; readonly usingMetrics: Readonly<Record<string, IMetric>> } {
  const prefix = `m_${label.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`;
  const terms = metrics.map((metric, index) => [`${prefix}_${index}`, metric] as const);
  return {
    expression: terms.map(([id]) => `FILL(${id}, 0)`).join(' + '),
    usingMetrics: Object.fromEntries(terms),
  };
}

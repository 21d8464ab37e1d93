import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { explainFailure } from '../adapters/aws/failure.ts';
import { captureFunctionName } from '../core/aws-names.ts';
import { METRIC_NAMESPACE } from '../core/metric-names.ts';
import type { MetricName } from '../core/metric-names.ts';
import type { Clients } from './clients.ts';

/** What CloudWatch tells of a mirror's tables lately, by table; one that it says nothing of is not in it. */
export interface RecentMetrics {
  /** The greatest of the last 15 minutes. */
  readonly iteratorAgeMs: ReadonlyMap<string, number>;
  /** The sum of the last 24 hours. */
  readonly rescuedRows: ReadonlyMap<string, number>;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** What one request of CloudWatch may ask. */
const MOST_QUERIES = 500;

/** Asks for all tables of a mirror at once. */
export async function recentMetrics(
  clients: Clients,
  mirror: string,
  tables: readonly string[],
  nowMillis: number,
): Promise<RecentMetrics> {
  const age = (table: string): Metric => ({
    Namespace: 'AWS/Lambda',
    MetricName: 'IteratorAge',
    Dimensions: [{ Name: 'FunctionName', Value: captureFunctionName(mirror, table) }],
  });
  const rescuedName: MetricName = 'RescuedRows';
  const rescued = (table: string): Metric => ({
    Namespace: METRIC_NAMESPACE,
    MetricName: rescuedName,
    Dimensions: [
      { Name: 'mirror', Value: mirror },
      { Name: 'table', Value: table },
    ],
  });
  const lately = { nowMillis, sinceMillis: nowMillis - 15 * MINUTE_MS };
  const today = { nowMillis, sinceMillis: nowMillis - DAY_MS };
  return {
    iteratorAgeMs: await valuesOf(clients, tables, { metric: age, stat: 'Maximum', seconds: 900, ...lately }),
    rescuedRows: await valuesOf(clients, tables, { metric: rescued, stat: 'Sum', seconds: 86_400, ...today }),
  };
}

type Metric = NonNullable<NonNullable<MetricDataQuery['MetricStat']>['Metric']>;

interface Question {
  readonly metric: (table: string) => Metric;
  readonly stat: 'Sum' | 'Maximum';
  readonly seconds: number;
  readonly sinceMillis: number;
  readonly nowMillis: number;
}

async function valuesOf(clients: Clients, tables: readonly string[], question: Question): Promise<Map<string, number>> {
  const { metric, stat, seconds, sinceMillis, nowMillis } = question;
  const values = new Map<string, number>();
  for (let at = 0; at < tables.length; at += MOST_QUERIES) {
    const asked = tables.slice(at, at + MOST_QUERIES);
    const command = new GetMetricDataCommand({
      StartTime: new Date(sinceMillis),
      EndTime: new Date(nowMillis),
      MetricDataQueries: asked.map((table, index) => ({
        Id: `m${index}`,
        MetricStat: { Metric: metric(table), Period: seconds, Stat: stat },
      })),
    });
    const { MetricDataResults: results = [] } = await send(clients, command);
    for (const [index, table] of asked.entries()) {
      const found = results.find((result) => result.Id === `m${index}`)?.Values ?? [];
      // A period that begins on the clock makes two of them.
      if (found.length > 0) values.set(table, stat === 'Sum' ? found.reduce((a, b) => a + b) : Math.max(...found));
    }
  }
  return values;
}

async function send(clients: Clients, command: GetMetricDataCommand) {
  try {
    return await clients.cloudwatch().send(command);
  } catch (thrown) {
    throw explainFailure(thrown, 'ask CloudWatch for the metrics of the mirror');
  }
}

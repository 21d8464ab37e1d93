import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MirrorConfig } from '../../core/config.ts';
import { METRICS, METRIC_NAMESPACE } from '../../core/metric-names.ts';
import { mirrorStacks } from '../../lib/mirror-stacks.ts';
import type { Article } from '../../lib/runbook.ts';
import { ARTICLES, runbookLink } from '../../lib/runbook.ts';
import type { DeployedResource } from '../support/deployed-world.ts';
import { ACCOUNT, REGION, deployedResources } from '../support/deployed-world.ts';
import { emptyBundles } from '../support/deployment.ts';

/** Of an alarm or of a widget: a metric, or an expression over some. */
interface Watched {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

type Json = Readonly<Record<string, unknown>>;

const TABLES = ['orders', 'carts'];
const BOTH: MirrorConfig['targets'] = { lakehouse: true, warehouse: { schema: 'shop' } };

let bundles: string;
beforeAll(() => void (bundles = emptyBundles()));
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

function monitored(
  targets: MirrorConfig['targets'],
  options: { readonly tables?: readonly string[]; readonly mergeEveryMinutes?: number } = {},
): { readonly alarms: readonly DeployedResource[]; readonly widgets: readonly Json[]; readonly topics: string[] } {
  const { tables = TABLES, mergeEveryMinutes = 1 } = options;
  const arn = (table: string) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${table}`;
  const app = new App();
  const config: MirrorConfig = {
    name: 'shop',
    tables: Object.fromEntries(
      tables.map((table) => [table, { aws: { arn: arn(table), streamArn: `${arn(table)}/stream/1` } }]),
    ),
    targets,
    freshness: { objectiveSeconds: 90 },
    aws: { account: ACCOUNT, region: REGION, lakehouse: { mergeEveryMinutes } },
  };
  mirrorStacks(app, config, { bundles });
  const resources = deployedResources(app.synth());
  const of = (type: string) => resources.filter((one) => one.type === type);
  const dashboard = of('AWS::CloudWatch::Dashboard')[0]?.properties.DashboardBody as string;
  return {
    alarms: of('AWS::CloudWatch::Alarm'),
    widgets: (JSON.parse(dashboard) as { widgets: readonly Json[] }).widgets,
    topics: of('AWS::SNS::Topic').map(({ id }) => `arn:aws:sns:${REGION}:${ACCOUNT}:${id}`),
  };
}

const articleOf = ({ properties }: DeployedResource): Article | undefined =>
  ARTICLES.find((article) => String(properties.AlarmDescription).endsWith(runbookLink(article)));

/** The metrics of an alarm: its own, or those of its expression. */
function metricsOf({ properties }: DeployedResource): Watched[] {
  const single = properties.MetricName === undefined ? [] : [properties];
  const queries = (properties.Metrics ?? []) as { readonly MetricStat?: { readonly Metric: Json } }[];
  return [...single, ...queries.flatMap(({ MetricStat: stat }) => (stat ? [stat.Metric] : []))].map((metric) => ({
    namespace: String(metric.Namespace),
    name: String(metric.MetricName),
    dimensions: Object.fromEntries(
      (metric.Dimensions as { Name: string; Value: string }[]).map(({ Name, Value }) => [Name, Value]),
    ),
  }));
}

/** The metrics of a widget, which names each by its namespace, its name and then its dimensions. */
function shownBy(widget: Json): Watched[] {
  const { metrics = [] } = widget.properties as { readonly metrics?: readonly (readonly unknown[])[] };
  return metrics.flatMap((row) => {
    const [namespace, name, ...rest] = row.filter((part) => typeof part === 'string');
    if (namespace === undefined || name === undefined) return [];
    const pairs = rest.flatMap((key, at) => (at % 2 === 0 ? [[key, rest[at + 1] ?? ''] as const] : []));
    return [{ namespace, name, dimensions: Object.fromEntries(pairs) }];
  });
}

/** The metrics that the flows write, with their dimensions, as `Freshness mirror table target`. */
function written(): Set<string> {
  const folder = join(import.meta.dirname, '../../flows');
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  return new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/metrics\s*\.add\(\s*'(\w+)',[^;]*?\{ ([^}]*) \},?\s*\)/g)].map(
        ([, name = '', fields = '']) => {
          const keys = fields.split(', ').map((field) => field.split(':')[0] ?? '');
          return [name, ...['mirror', ...keys].sort()].join(' ');
        },
      ),
    ),
  );
}

describe('the alarms of a mirror with both targets', () => {
  let all: ReturnType<typeof monitored>;
  beforeAll(() => void (all = monitored(BOTH)));

  it('have each article of the runbook, and each ends with the link to its own', () => {
    expect(all.alarms.filter((alarm) => articleOf(alarm) === undefined)).toEqual([]);
    expect([...new Set(all.alarms.map(articleOf))].sort()).toEqual([...ARTICLES].sort());
  });

  it('are named for the mirror, their article and what they watch', () => {
    const names = all.alarms.map(({ properties }) => String(properties.AlarmName));
    expect(new Set(names).size).toBe(names.length);
    for (const alarm of all.alarms) {
      expect(String(alarm.properties.AlarmName)).toMatch(
        new RegExp(`^glasshouse-shop-${articleOf(alarm) ?? '?'}(-|$)`),
      );
    }
    expect(names).toEqual(
      expect.arrayContaining([
        'glasshouse-shop-freshness-orders-lakehouse',
        'glasshouse-shop-freshness-carts-warehouse',
        'glasshouse-shop-firehose-late-orders-warehouse',
        'glasshouse-shop-dead-letters',
        'glasshouse-shop-function-errors-merge',
      ]),
    );
  });

  it('tell the topic when they go off and when they are over', () => {
    for (const { properties } of all.alarms) {
      expect(properties.AlarmActions).toEqual(all.topics);
      expect(properties.OKActions).toEqual(all.topics);
    }
  });

  it('go off above the objective, and where nobody says how fresh a target is; silence of the others is good', () => {
    const [freshness, others] = [true, false].map((is) =>
      all.alarms.filter((alarm) => (articleOf(alarm) === 'freshness') === is),
    );
    expect(freshness).toHaveLength(4);
    for (const { properties } of freshness ?? []) {
      expect(properties).toMatchObject({
        ComparisonOperator: 'GreaterThanThreshold',
        // $10 a day wake 8 RPU every 432 s; beside that, a minute of staging and a minute of work.
        Threshold: String(properties.AlarmName).endsWith('-warehouse') ? 552 : 90,
        TreatMissingData: 'breaching',
      });
    }
    expect(others?.filter(({ properties }) => properties.TreatMissingData !== 'notBreaching')).toEqual([]);
    const late = all.alarms.filter((alarm) => /^capture-(late|at-risk)$/.test(articleOf(alarm) ?? ''));
    expect(late.map(({ properties }) => Number(properties.Threshold) / 3_600_000).sort()).toEqual([1, 1, 6, 6]);
  });

  it('watch what the functions write, by exactly the dimensions that they write', () => {
    const known = written();
    expect(known).toContain('Freshness mirror table target');
    const own = [...all.alarms.flatMap(metricsOf), ...all.widgets.flatMap(shownBy)].filter(
      ({ namespace }) => namespace === METRIC_NAMESPACE,
    );
    const asked = own.map(({ name, dimensions }) => [name, ...Object.keys(dimensions).sort()].join(' '));
    expect([...new Set(asked)].filter((one) => !known.has(one))).toEqual([]);
    expect(own.filter(({ name }) => !(name in METRICS))).toEqual([]);
    expect(new Set(own.map(({ dimensions }) => dimensions.mirror))).toEqual(new Set(['shop']));
  });

  it('ask CloudWatch for no more than it takes', () => {
    for (const { properties } of all.alarms) {
      expect(String(properties.AlarmName).length).toBeLessThanOrEqual(255);
      expect(String(properties.AlarmDescription).length).toBeLessThanOrEqual(1024);
      expect((properties.Metrics as unknown[] | undefined)?.length ?? 1).toBeLessThanOrEqual(10);
    }
  });
});

it.each([
  [1, 60, [5, 10]],
  [15, 900, [2, 3]],
  [1440, 86_400, [2, 3]],
])('a lakehouse that is merged every %i minutes is expected to be heard of as often', (minutes, seconds, periods) => {
  const { alarms } = monitored({ lakehouse: true }, { tables: ['orders'], mergeEveryMinutes: minutes });
  const [freshness] = alarms.filter((alarm) => articleOf(alarm) === 'freshness');
  const { Metrics: queries, DatapointsToAlarm, EvaluationPeriods } = freshness?.properties ?? {};
  const [query] = queries as { readonly MetricStat: { readonly Period: number } }[];
  expect([query?.MetricStat.Period, DatapointsToAlarm, EvaluationPeriods]).toEqual([seconds, ...periods]);
});

describe.each([
  ['a lakehouse', { lakehouse: true }, ['load-failures', 'dead-letters']],
  ['a warehouse', { warehouse: { schema: 'shop' } }, ['merge-failures']],
] as const)('a mirror with only %s', (_, targets, absent) => {
  it('has no alarm and no widget of the other target', () => {
    const { alarms, widgets } = monitored(targets);
    const other = 'lakehouse' in targets ? 'warehouse' : 'lakehouse';
    expect(ARTICLES.filter((article) => !alarms.some((alarm) => articleOf(alarm) === article))).toEqual(absent);
    expect(alarms.filter(({ properties }) => String(properties.AlarmName).endsWith(other))).toEqual([]);
    expect(widgets.flatMap(shownBy).filter(({ dimensions }) => dimensions.target === other)).toEqual([]);
  });
});

describe('the dashboard', () => {
  it('answers whether it is fresh, whether it is right, what was set aside and what the day cost', () => {
    const titles = monitored(BOTH).widgets.map(({ properties }) => (properties as { title?: string }).title ?? '');
    for (const question of [/^Is it fresh\?/, /^Is it right\?/, /set aside/, /What did the last day cost\?/]) {
      expect(titles.filter((title) => question.test(title))).toHaveLength(1);
    }
  });

  it('has an id for one metric only within a widget, and no more in one than CloudWatch takes', () => {
    const many = Array.from({ length: 12 }, (_, at) => `table_${at}`);
    const { alarms, widgets } = monitored(BOTH, { tables: many });
    expect(alarms.length).toBeGreaterThan(100);
    let alarmsShown = 0;
    for (const { properties } of widgets) {
      const { alarms: shown = [], metrics = [] } = properties as {
        readonly alarms?: readonly unknown[];
        readonly metrics?: readonly (readonly unknown[])[];
      };
      const options = metrics.map(
        (row) => (row.at(-1) ?? {}) as { readonly id?: string; readonly expression?: string },
      );
      const ids = options.flatMap(({ id }) => (id === undefined ? [] : [id]));
      alarmsShown += shown.length;
      expect(shown.length).toBeLessThanOrEqual(100);
      expect(metrics.length).toBeLessThanOrEqual(500);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { expression = '' } of options) expect(expression.length).toBeLessThanOrEqual(2048);
    }
    expect(alarmsShown).toBe(alarms.length);
  });

  it('counts what every table costs', () => {
    const many = Array.from({ length: 12 }, (_, at) => `table_${at}`);
    const shown = monitored({ warehouse: { schema: 'shop' } }, { tables: many }).widgets.flatMap(shownBy);
    expect(shown.filter(({ name }) => name === 'LoadBilledSeconds')).toHaveLength(many.length);
    expect(shown.filter(({ name }) => name === 'IncomingBytes')).toHaveLength(many.length);
  });
});

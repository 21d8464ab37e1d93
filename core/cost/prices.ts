/**
 * Unit prices in US dollars of the region us-east-1, as AWS listed them when this file was last gone over. They leave out
 * free tiers and taxes, and are here so that an estimate can be made with no account and no network: before a decision
 * that hangs on one of them, look it up at https://aws.amazon.com/pricing/.
 */
export const PRICES_REGION = 'us-east-1';
/** When the prices were gone over. */
export const PRICES_DATE = '2026-11-22';

export interface Price {
  readonly usd: number;
  /** What one of them is. */
  readonly per: string;
  /** Where it was read; `seen second-hand` where only copies of the page were at hand. */
  readonly source: string;
}

const page = (service: string): string => `aws.amazon.com/${service}/pricing, seen second-hand`;

export const PRICES = {
  lambdaRequests: { usd: 0.2, per: 'million requests', source: page('lambda') },
  /** On arm64, of the first tier. */
  lambdaGbSeconds: { usd: 0.000_013_333_4, per: 'GB-second', source: page('lambda') },
  /** Lambda's own reads of a stream cost nothing. */
  streamReads: { usd: 0, per: 'million reads by Lambda', source: 'DynamoDB guide, cost optimisation of streams' },
  /** Without rounding up; the first 250 TB a month. */
  firehoseIceberg: { usd: 0.075, per: 'GB', source: 'aws.amazon.com/firehose/pricing, quoted in 2025' },
  /** Every record rounded up to 5 KB; the first 500 TB a month. */
  firehoseS3: { usd: 0.029, per: 'GB', source: page('firehose') },
  s3Puts: { usd: 0.005, per: 'thousand', source: page('s3') },
  s3Gets: { usd: 0.0004, per: 'thousand', source: page('s3') },
  s3Storage: { usd: 0.023, per: 'GB-month', source: page('s3') },
  /** At least 10 MB a query. */
  athenaScan: { usd: 5, per: 'TB', source: page('athena') },
  stepTransitions: { usd: 0.025, per: 'thousand', source: page('step-functions') },
  schedules: { usd: 1, per: 'million', source: page('eventbridge') },
  sqsRequests: { usd: 0.4, per: 'million', source: page('sqs') },
  dynamoReads: { usd: 0.125, per: 'million units', source: page('dynamodb') },
  dynamoWrites: { usd: 0.625, per: 'million units', source: page('dynamodb') },
  /** By the second, at least 60 s a wake-up. */
  redshiftRpuHour: { usd: 0.375, per: 'RPU-hour', source: page('redshift') },
  redshiftStorage: { usd: 0.024, per: 'GB-month', source: page('redshift') },
  kmsRequests: { usd: 0.03, per: 'ten thousand', source: page('kms') },
  kmsKey: { usd: 1, per: 'key and month', source: page('kms') },
  logs: { usd: 0.5, per: 'GB', source: page('cloudwatch') },
  metric: { usd: 0.3, per: 'metric and month', source: page('cloudwatch') },
  alarm: { usd: 0.1, per: 'alarm and month', source: page('cloudwatch') },
  dashboard: { usd: 3, per: 'dashboard and month', source: page('cloudwatch') },
  glueDpuHour: { usd: 0.44, per: 'DPU-hour', source: page('glue') },
} as const satisfies Readonly<Record<string, Price>>;

export type PriceName = keyof typeof PRICES;

/** What one hour of one Redshift Processing Unit costs: the loader spaces its wake-ups by it. */
export const REDSHIFT_RPU_HOUR_USD = PRICES.redshiftRpuHour.usd;

/** A node of a provisioned Redshift, an hour, on demand. */
export const REDSHIFT_NODE_HOUR_USD: Readonly<Record<string, number>> = {
  'ra3.large': 0.543,
  'ra3.xlplus': 1.086,
  'ra3.4xlarge': 3.26,
  'ra3.16xlarge': 13.04,
};

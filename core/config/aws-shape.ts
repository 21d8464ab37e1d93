import { z } from 'zod';
import type { MirrorAws, MirrorRedshift, MirrorTableAws, OnDestroy, RedshiftPlace } from './aws-config.ts';
import { isText, isWhole, strict, value, when } from './shape-parts.ts';

const REGION = /^[a-z]{2,}(-[a-z]+)+-\d+$/;
const TABLE_ARN = /^arn:[^:]+:dynamodb:[^:]+:\d{12}:table\/[A-Za-z0-9_.-]{3,255}$/;
const STREAM_ARN = /^(arn:[^:]+:dynamodb:[^:]+:\d{12}:table\/[^/]+)\/stream\/.+$/;
const LAKE_NAME = /^[a-z][a-z0-9_]{0,127}$/;
/** Of a new workgroup, in RPU, and what AWS gives to one that somebody else made. */
const OWN_BASE_CAPACITY = 8;
const AWS_BASE_CAPACITY = 128;
/** What CloudWatch takes. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653];

const whole = (least: number, most: number) =>
  value<number>((input) => isWhole(input, least, most), `must be a whole number from ${least} to ${most}`).optional();
const arn = (service: string, example: string) =>
  value<string>(
    (input) => typeof input === 'string' && new RegExp(`^arn:[^:]+:${service}:[^:]*:\\d{12}:.+$`).test(input),
    `is no ARN of ${service}; write one such as "${example}"`,
  );
const text = (message: string) => value<string>(isText, message);

const capture = strict(
  {
    parallelization: whole(1, 10),
    batchSize: whole(1, 10_000),
    windowSeconds: whole(0, 300),
    memoryMb: whole(256, 10_240),
  },
  '{ parallelization: 1 }',
).refine((input) => (input.batchSize ?? 10_000) <= 10 || (input.windowSeconds ?? 1) >= 1, {
  path: ['windowSeconds'],
  when,
  error: 'must be at least 1 for batches of more than 10 records: Lambda asks for it',
});

const lakehouse = strict(
  {
    database: value<string>(
      (input) => typeof input === 'string' && LAKE_NAME.test(input),
      'is no name of a Glue database: letters a to z, digits and "_", beginning with a letter',
    ).optional(),
    mergeEveryMinutes: whole(1, 1440),
    bufferSeconds: whole(0, 900),
    queryLimitGb: whole(1, 100_000),
    lakeFormation: value<boolean>((input) => typeof input === 'boolean', 'must be true or false').optional(),
    snapshotDays: whole(1, 365),
  },
  '{ mergeEveryMinutes: 1 }',
);

const copyRoleArn = arn('iam', 'arn:aws:iam::111122223333:role/redshift-copy');
const secretArn = arn('secretsmanager', 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:loader-AbCdEf');
const ids = (prefix: string) =>
  z
    .array(
      value<string>(
        (input) => typeof input === 'string' && input.startsWith(prefix),
        `is no id that begins with ${prefix}`,
      ),
      { error: `is no list; write ["${prefix}0123456789abcdef0"]` },
    )
    .optional();

const redshift = strict(
  {
    serverless: strict(
      { workgroup: text('is no name of a workgroup'), copyRoleArn, secretArn: secretArn.optional() },
      "{ workgroup: 'analytics', copyRoleArn: 'arn:aws:iam::…' }",
    ).optional(),
    cluster: strict(
      {
        identifier: text('is no identifier of a cluster'),
        copyRoleArn,
        dbUser: text('is no name of a database user').optional(),
        secretArn: secretArn.optional(),
      },
      "{ identifier: 'analytics', dbUser: 'loader', copyRoleArn: 'arn:aws:iam::…' }",
    )
      .refine((input) => (input.dbUser === undefined) !== (input.secretArn === undefined), {
        when,
        error: 'must say who loads: exactly one of `dbUser` (temporary credentials) and `secretArn`',
      })
      .optional(),
    newCluster: strict(
      {
        nodeType: text('is no type of node; write one such as "ra3.large"'),
        nodes: value<number>((input) => isWhole(input, 1, 128), 'must be a whole number from 1 to 128'),
      },
      "{ nodeType: 'ra3.large', nodes: 1 }",
    ).optional(),
    baseCapacity: whole(4, 1024),
    database: value<string>(
      (input) => typeof input === 'string' && LAKE_NAME.test(input),
      'is no name of a database',
    ).optional(),
    subnetIds: ids('subnet-'),
    securityGroupIds: ids('sg-'),
    dailyBudgetUsd: value<number>(
      (input) => typeof input === 'number' && input > 0 && input <= 100_000,
      'must be a number of US dollars above 0',
    ).optional(),
    bufferSeconds: whole(0, 900),
  },
  "{} or { serverless: { workgroup: 'analytics', copyRoleArn: 'arn:aws:iam::…' } }",
).refine((input) => [input.serverless, input.cluster, input.newCluster].filter(Boolean).length <= 1, {
  when,
  error: 'names several of serverless, cluster and newCluster; keep the one that holds the warehouse',
});

/** `aws` of the configuration. */
export const awsShape = strict(
  {
    account: value<string>(
      (input) => typeof input === 'string' && /^\d{12}$/.test(input),
      'is no account; write its 12 digits as a text',
    ).optional(),
    region: value<string>(
      (input) => typeof input === 'string' && REGION.test(input),
      'is no AWS region; write one such as "eu-central-1"',
    ).optional(),
    onDestroy: value<OnDestroy>(
      (input) => input === 'retain' || input === 'delete',
      'must be "retain" or "delete"',
    ).optional(),
    alarmEmail: value<string>(
      (input) => typeof input === 'string' && /^[^@\s]+@[^@\s]+$/.test(input),
      'is no mail address',
    ).optional(),
    logRetentionDays: value<number>(
      (input) => RETENTION_DAYS.includes(input as number),
      `must be one of ${RETENTION_DAYS.join(', ')}`,
    ).optional(),
    capture: capture.optional(),
    lakehouse: lakehouse.optional(),
    redshift: redshift.optional(),
  },
  "{ region: 'eu-central-1' }",
);

/** `aws` of one table. */
export const tableAwsShape = strict(
  {
    arn: value<string>(
      (input) => typeof input === 'string' && TABLE_ARN.test(input),
      'is no ARN of a table',
    ).optional(),
    streamArn: value<string>(
      (input) => typeof input === 'string' && STREAM_ARN.test(input),
      'is no ARN of a stream',
    ).optional(),
    kmsKeyArn: arn('kms', 'arn:aws:kms:eu-central-1:111122223333:key/…').optional(),
    create: value<true>((input) => input === true, 'must be true, or left out for a table that is there').optional(),
  },
  '{ create: true }',
)
  .refine(
    ({ create, arn: table, streamArn, kmsKeyArn }) => {
      if (create === true) return table === undefined && streamArn === undefined && kmsKeyArn === undefined;
      return table !== undefined && streamArn !== undefined;
    },
    {
      when,
      error:
        "must be { arn: 'arn:aws:dynamodb:REGION:ACCOUNT:table/NAME', streamArn: 'arn:…/stream/LABEL' } for a table that is there, or { create: true } for a new one",
    },
  )
  .refine((input) => STREAM_ARN.exec(input.streamArn ?? '')?.[1] === input.arn, {
    path: ['streamArn'],
    when: ({ value: input }) => isTextAt(input, 'arn') && isTextAt(input, 'streamArn'),
    error: 'is a stream of another table than `arn`',
  })
  .transform(({ arn: table, streamArn, kmsKeyArn }): MirrorTableAws =>
    table === undefined || streamArn === undefined
      ? { kind: 'new' }
      : { kind: 'existing', arn: table, streamArn, kmsKeyArn: kmsKeyArn ?? null },
  );

/** Refinements run also where something else is wrong already: what is missing is told once. */
function isTextAt(input: unknown, name: string): boolean {
  return typeof input === 'object' && input !== null && typeof Reflect.get(input, name) === 'string';
}

type AwsInput = z.output<typeof awsShape>;

/** The part about AWS with its defaults. `name` is the mirror's, `region` that of its source. */
export function mirrorAws(input: AwsInput = {}, name: string, region: string | null): MirrorAws {
  const { capture: batches = {}, lakehouse: lake = {} } = input;
  return {
    account: input.account ?? null,
    region: input.region ?? region,
    onDestroy: input.onDestroy ?? 'retain',
    alarmEmail: input.alarmEmail ?? null,
    logRetentionDays: input.logRetentionDays ?? 30,
    capture: {
      parallelization: batches.parallelization ?? 1,
      batchSize: batches.batchSize ?? 10_000,
      windowSeconds: batches.windowSeconds ?? 1,
      memoryMb: batches.memoryMb ?? 1769,
    },
    lakehouse: {
      database: lake.database ?? name,
      mergeEveryMinutes: lake.mergeEveryMinutes ?? 1,
      bufferSeconds: lake.bufferSeconds ?? 15,
      queryLimitGb: lake.queryLimitGb ?? 100,
      lakeFormation: lake.lakeFormation ?? false,
      snapshotDays: lake.snapshotDays ?? 5,
    },
    redshift: mirrorRedshift(input.redshift ?? {}),
  };
}

function mirrorRedshift(input: z.output<typeof redshift>): MirrorRedshift {
  const where = redshiftPlace(input);
  const isNew = where.kind === 'new-serverless' || where.kind === 'new-cluster';
  return {
    where,
    database: input.database ?? (isNew ? 'glasshouse' : 'dev'),
    subnetIds: input.subnetIds ?? [],
    securityGroupIds: input.securityGroupIds ?? [],
    dailyBudgetUsd: input.dailyBudgetUsd ?? 10,
    bufferSeconds: input.bufferSeconds ?? 60,
  };
}

function redshiftPlace(input: z.output<typeof redshift>): RedshiftPlace {
  const { serverless, cluster, newCluster } = input;
  if (serverless) {
    const secretArn = serverless.secretArn ?? null;
    return { kind: 'serverless', ...serverless, secretArn, baseCapacity: input.baseCapacity ?? AWS_BASE_CAPACITY };
  }
  if (cluster)
    return { kind: 'cluster', ...cluster, dbUser: cluster.dbUser ?? null, secretArn: cluster.secretArn ?? null };
  if (newCluster) return { kind: 'new-cluster', ...newCluster };
  return { kind: 'new-serverless', baseCapacity: input.baseCapacity ?? OWN_BASE_CAPACITY };
}

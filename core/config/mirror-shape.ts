import { z } from 'zod';
import type { ColumnType } from '../column.ts';
import { parseColumnType } from '../column.ts';
import type { KeyTypeText, Mirror, MirrorSource, MirrorTable, MirrorWarehouse } from '../config.ts';
import type { MirrorTableAws } from './aws-config.ts';
import { DEFAULT_SCHEMA_LIMITS } from '../schema.ts';
import { awsShape, mirrorAws, tableAwsShape } from './aws-shape.ts';
import { nearest } from './nearest.ts';
import { isText, isWhole, record, strict, value, when } from './shape-parts.ts';

/** DynamoDB's own limit is higher; suffixes such as `__changes` and the engines' 63 bytes leave this much. */
const MAX_TABLE_NAME = 40;
/** PostgreSQL and Redshift take 1,600 columns, ours included. */
const MAX_COLUMNS = 1500;
const DEFAULT_PORT = 8000;
const EMBEDDED_REGION = 'us-east-1';
const DEFAULT_OBJECTIVE_SECONDS = 60;

const LOWER_SNAKE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const DYNAMODB_NAME = /^[A-Za-z0-9_.-]{3,255}$/;
const REGION = /^[a-z]{2,}(-[a-z]+)+-\d+$/;

const isName = (input: unknown) =>
  typeof input === 'string' && LOWER_SNAKE.test(input) && input.length <= MAX_TABLE_NAME;
const isUrl = (input: unknown, protocols: readonly string[]) =>
  typeof input === 'string' && URL.canParse(input) && protocols.includes(new URL(input).protocol);

const NAME_RULE = `must be lower_snake: letters a to z, digits and single underscores, beginning with a letter, at most ${MAX_TABLE_NAME} long`;

const source = strict(
  {
    endpoint: value<string>(
      (input) => input === 'embedded' || isUrl(input, ['http:', 'https:']),
      'is no endpoint; write "embedded", or a URL such as "http://127.0.0.1:8000", or leave it out for AWS',
    ).optional(),
    port: value<number>(
      (input) => isWhole(input, 1, 65_535),
      'is no port; write a whole number from 1 to 65535',
    ).optional(),
    region: value<string>(
      (input) => typeof input === 'string' && REGION.test(input),
      'is no AWS region; write one such as "eu-central-1"',
    ).optional(),
  },
  "{ endpoint: 'embedded' }",
)
  .refine((input) => input.port === undefined || input.endpoint === 'embedded', {
    path: ['port'],
    when,
    error: 'is only for the embedded DynamoDB; write the port into the URL of `endpoint`, or leave it out',
  })
  .transform((input): MirrorSource => {
    if (input.endpoint === 'embedded') {
      return { kind: 'embedded', port: input.port ?? DEFAULT_PORT, region: input.region ?? EMBEDDED_REGION };
    }
    const region = input.region ?? null;
    return input.endpoint === undefined ? { kind: 'aws', region } : { kind: 'endpoint', url: input.endpoint, region };
  });

/** What people write for a type that has another name here. */
const ALIASES: Readonly<Record<string, string>> = {
  number: 'decimal(38,9)',
  numeric: 'decimal(38,9)',
  decimal: 'decimal(38,9)',
  int: 'long',
  integer: 'long',
  bigint: 'long',
  float: 'double',
  real: 'double',
  text: 'string',
  varchar: 'string',
  bool: 'boolean',
  datetime: 'timestamp',
  map: 'json',
  list: 'json',
  bytes: 'binary',
};
const TYPE_NAMES = ['string', 'boolean', 'binary', 'json', 'long', 'double', 'timestamp', 'date'];

const columnType = z.unknown().transform((input, context): ColumnType => {
  const type = typeof input === 'string' ? parseColumnType(input) : null;
  if (type) return type;
  const text = typeof input === 'string' ? input.toLowerCase() : '';
  const guess = ALIASES[text] ?? nearest(text, TYPE_NAMES);
  const remedy = `use one of ${TYPE_NAMES.join(', ')}, decimal(precision,scale) with a precision of at most 38`;
  context.addIssue({
    code: 'custom',
    message: `is no column type; ${guess ? `did you mean ${JSON.stringify(guess)}? Otherwise ` : ''}${remedy}`,
  });
  return z.NEVER;
});

const attributeName = value<string>(isText, 'is no attribute name; write the name that the attribute has in DynamoDB');

const key = record(
  attributeName,
  value<KeyTypeText>(
    (input) => input === 'S' || input === 'N' || input === 'B',
    'is no key type; use one of "S", "N", "B"',
  ),
  "{ customer_id: 'S' }",
).refine((input) => [1, 2].includes(Object.keys(input).length), {
  when,
  error: 'must name one attribute (hash) or two (hash, then range)',
});

const table = strict(
  {
    from: value<string>(
      (input) => typeof input === 'string' && DYNAMODB_NAME.test(input),
      'is no name of a DynamoDB table: 3 to 255 letters, digits, "_", "-" and "."',
    ).optional(),
    key: key.optional(),
    ttl: value<string>(isText, 'is no attribute name; write the attribute that holds the time of expiry').optional(),
    columns: record(attributeName, columnType, "{ total: 'decimal(38,2)' }").optional(),
    maxColumns: value<number>(
      (input) => isWhole(input, 1, MAX_COLUMNS),
      `must be a whole number from 1 to ${MAX_COLUMNS}`,
    ).optional(),
    aws: tableAwsShape.optional(),
  },
  '{} or an object with any of from, key, ttl, columns, maxColumns, aws',
);

const tableName = value<string>(isName, `${NAME_RULE}; put the DynamoDB name into its \`from\``);

const tables = record(tableName, table, "{ orders: { from: 'Orders' } }").superRefine((input, context) => {
  const names = Object.keys(input);
  if (names.length === 0) {
    context.addIssue({
      code: 'custom',
      message: "names no table; write at least one, as { orders: { from: 'Orders' } }",
    });
  }
  for (const name of names) {
    if (input[name]?.from !== undefined || DYNAMODB_NAME.test(name)) continue;
    context.addIssue({
      code: 'custom',
      path: [name],
      message: 'is too short for a DynamoDB table; say which one with `from`',
    });
  }
});

const warehouse = z.preprocess(
  (input) => (input === true ? {} : input === false ? undefined : input),
  strict(
    {
      url: value<string>(
        (input) => isUrl(input, ['postgres:', 'postgresql:']),
        'is no PostgreSQL URL; write postgres://user:password@host:5432/database, or leave it out for the PostgreSQL that Glasshouse brings',
      ).optional(),
      schema: value<string>(
        (input) => isName(input) && !String(input).startsWith('pg_') && input !== 'information_schema',
        `is no name for a schema of views: it ${NAME_RULE}, and not one of PostgreSQL's own`,
      ).optional(),
    },
    "true, or { url: 'postgres://…' }",
  ).optional(),
);

const targets = strict(
  { lakehouse: value<boolean>((input) => typeof input === 'boolean', 'must be true or false').optional(), warehouse },
  '{ lakehouse: true, warehouse: true }',
).refine((input) => input.lakehouse === true || input.warehouse !== undefined, {
  when,
  error: 'has no target; set lakehouse, warehouse, or both to true',
});

const freshness = strict(
  {
    objectiveSeconds: value<number>(
      (input) => typeof input === 'number' && input >= 1 && input <= 86_400,
      'must be a number of seconds from 1 to 86400',
    ).optional(),
  },
  `{ objectiveSeconds: ${DEFAULT_OBJECTIVE_SECONDS} }`,
);

type TableInput = z.output<typeof table>;

function mirrorTable(name: string, input: TableInput): MirrorTable {
  return {
    name,
    from: input.from ?? tableOfArn(input.aws) ?? name,
    key: input.key === undefined ? null : Object.entries(input.key).map(([attribute, type]) => ({ attribute, type })),
    ttl: input.ttl ?? null,
    columns: input.columns ?? {},
    maxColumns: input.maxColumns ?? DEFAULT_SCHEMA_LIMITS.maxColumns,
    aws: input.aws ?? null,
  };
}

function tableOfArn(aws: MirrorTableAws | undefined): string | undefined {
  return aws?.kind === 'existing' ? aws.arn.slice(aws.arn.indexOf('/') + 1) : undefined;
}

function mirrorWarehouse(input: z.output<typeof warehouse>): MirrorWarehouse | null {
  return input === undefined ? null : { url: input.url ?? null, schema: input.schema ?? 'public' };
}

/** The configuration's shape; parsed, it is a `Mirror`. What concerns several parts at once is in name-clashes.ts. */
export const mirrorShape = strict(
  {
    name: value<string>(
      (input) => isName(input) && !String(input).startsWith('pg_'),
      `${NAME_RULE}, and not begin with pg_ (PostgreSQL keeps those names)`,
    ),
    source: source.optional(),
    tables,
    targets,
    freshness: freshness.optional(),
    aws: awsShape.optional(),
  },
  "defineMirror({ name: 'shop', tables: { … }, targets: { … } })",
).transform((input): Mirror => ({
  name: input.name,
  source: input.source ?? { kind: 'aws', region: null },
  tables: Object.entries(input.tables).map(([name, fields]) => mirrorTable(name, fields)),
  targets: {
    lakehouse: input.targets.lakehouse ?? false,
    warehouse: mirrorWarehouse(input.targets.warehouse),
  },
  freshness: { objectiveSeconds: input.freshness?.objectiveSeconds ?? DEFAULT_OBJECTIVE_SECONDS },
  aws: mirrorAws(input.aws, input.name, input.source?.region ?? null),
}));

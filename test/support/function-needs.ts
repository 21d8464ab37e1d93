import type { FunctionRole, RedshiftAddress } from '../../core/contract.ts';
import { ACCOUNT, REGION } from './deployed-world.ts';
import { ORDERS_ARN, ORDERS_KEY } from './mirror-variants.ts';
import type { Variant } from './mirror-variants.ts';
import type { Need, Permission } from './role-permissions.ts';

/** A function of a mirror, and where its things are. */
export interface Deployed {
  readonly role: FunctionRole;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly permissions: readonly Permission[];
  readonly variant: Variant;
  /** The mirror's own key. */
  readonly keyArn: string;
}

/** What one command needs, or why the function never sends it although it is in its bundle. */
export type Call = ((fn: Deployed) => readonly Need[]) | string;

const here = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
const envOf = (fn: Deployed, name: string): string => fn.env[name] ?? `<no ${name}>`;
const queueArn = (url: string) => here('sqs', url.split('/').at(-1) ?? '');

function key(fn: Deployed, action: 'Decrypt' | 'GenerateDataKey', service: string): Need {
  const context = { 'kms:ViaService': `${service}.${REGION}.amazonaws.com` };
  return { action: `kms:${action}`, resource: fn.keyArn, context };
}

/** A call of the control table. DynamoDB unseals the table with the caller's rights. */
const control =
  (action: string): Call =>
  (fn) => [
    { action: `dynamodb:${action}`, resource: here('dynamodb', `table/${envOf(fn, 'CONTROL_TABLE')}`) },
    key(fn, 'Decrypt', 'dynamodb'),
  ];

const object = (fn: Deployed, bucket: string, name: string) => `arn:aws:s3:::${envOf(fn, bucket)}/${name}`;
const reads = (fn: Deployed, bucket: string, name: string): Need[] => [
  { action: 's3:GetObject', resource: object(fn, bucket, name) },
  key(fn, 'Decrypt', 's3'),
];
/** S3 decrypts, too: the key of the bucket, and the parts of a large upload. */
const writes = (fn: Deployed, bucket: string, name: string): Need[] => [
  { action: 's3:PutObject', resource: object(fn, bucket, name) },
  key(fn, 'GenerateDataKey', 's3'),
  key(fn, 'Decrypt', 's3'),
];
const lists = (fn: Deployed, bucket: string): Need[] => [
  { action: 's3:ListBucket', resource: `arn:aws:s3:::${envOf(fn, bucket)}` },
];

function streams(fn: Deployed, table: string): Need[] {
  const { lakehouse, warehouse } = fn.variant.mirror.targets;
  return [...(lakehouse ? ['lakehouse'] : []), ...(warehouse ? ['warehouse'] : [])].map((target) => ({
    action: 'firehose:PutRecordBatch',
    resource: here('firehose', `deliverystream/glasshouse-shop-${table}-${target}`),
  }));
}

const tableOf = (fn: Deployed) => envOf(fn, 'TABLE');

/** Glue checks the catalog, the database and the table; it reads and writes a table's metadata with the caller's rights. */
const glue =
  (action: string, writesMetadata: boolean): Call =>
  (fn) => [
    ...glueNeeds(action),
    ...reads(fn, 'LAKE_BUCKET', 'tables/orders/metadata/1.json'),
    ...(writesMetadata ? writes(fn, 'LAKE_BUCKET', 'tables/orders/metadata/2.json') : []),
    ...dataAccess(fn),
  ];
const glueNeeds = (action: string): Need[] =>
  ['catalog', 'database/shop', 'table/shop/orders'].map((part) => ({
    action: `glue:${action}`,
    resource: here('glue', part),
  }));
const dataAccess = (fn: Deployed): Need[] =>
  fn.variant.mirror.aws.lakehouse.lakeFormation ? [{ action: 'lakeformation:GetDataAccess', resource: '*' }] : [];

/** Glue takes on a role of ours. */
const optimizer =
  (action: string): Call =>
  (fn) => [
    ...glueNeeds(action),
    {
      action: 'iam:PassRole',
      resource: envOf(fn, 'OPTIMIZER_ROLE_ARN'),
      context: { 'iam:PassedToService': 'glue.amazonaws.com' },
    },
  ];

const workgroup = (action: string): Need => ({
  action: `athena:${action}`,
  resource: here('athena', 'workgroup/glasshouse-shop'),
});

/** Athena makes a view and writes the result with the caller's rights. */
function makesView(fn: Deployed): Need[] {
  const results = (action: string): Need => ({
    action: `s3:${action}`,
    resource: object(fn, 'LAKE_BUCKET', 'athena-results/1.txt'),
  });
  const bucket = (action: string): Need => ({
    action: `s3:${action}`,
    resource: `arn:aws:s3:::${envOf(fn, 'LAKE_BUCKET')}`,
  });
  return [
    workgroup('StartQueryExecution'),
    { action: 'athena:GetDataCatalog', resource: here('athena', 'datacatalog/AwsDataCatalog') },
    ...['GetDatabase', 'GetTable', 'CreateTable', 'UpdateTable'].flatMap((action) => glueNeeds(action)),
    ...['GetObject', 'PutObject', 'AbortMultipartUpload', 'ListMultipartUploadParts'].map(results),
    ...['GetBucketLocation', 'ListBucket', 'ListBucketMultipartUploads'].map(bucket),
  ];
}

const addressOf = (fn: Deployed) => JSON.parse(envOf(fn, 'REDSHIFT')) as RedshiftAddress;

/** The Data API logs on with the caller's rights: by a secret, or by temporary credentials. */
function logsOn(fn: Deployed, action: string): Need[] {
  const { workgroup: serverless, cluster, secretArn, dbUser, database } = addressOf(fn);
  const redshift =
    serverless !== null ? here('redshift-serverless', `workgroup/${serverless}`) : clusterPart('cluster', cluster);
  const statement: Need = { action: `redshift-data:${action}`, resource: redshift };
  if (secretArn !== null) {
    const isOurs = fn.variant.mirror.aws.redshift.where.kind.startsWith('new-');
    return [
      statement,
      { action: 'secretsmanager:GetSecretValue', resource: secretArn },
      // A secret that was there before is not sealed with the mirror's key.
      ...(isOurs ? [key(fn, 'Decrypt', 'secretsmanager')] : []),
    ];
  }
  if (serverless !== null) return [statement, { action: 'redshift-serverless:GetCredentials', resource: redshift }];
  return [
    statement,
    ...[clusterPart('dbuser', `${cluster}/${dbUser}`), clusterPart('dbname', `${cluster}/${database}`)].map(
      (resource) => ({ action: 'redshift:GetClusterCredentials', resource }),
    ),
  ];
}
const clusterPart = (part: string, name: string | null) => here('redshift', `${part}:${name ?? ''}`);

const ownStatement =
  (action: string): Call =>
  () => [
    {
      action: `redshift-data:${action}`,
      resource: '*',
      context: { 'redshift-data:statement-owner-iam-userid': '${aws:userid}' },
    },
  ];

const queue =
  (action: string, url = 'QUEUE_URL'): Call =>
  (fn) => [{ action: `sqs:${action}`, resource: queueArn(envOf(fn, url)) }];
const both =
  (...calls: readonly Call[]): Call =>
  (fn) =>
    calls.flatMap((call) => (typeof call === 'string' ? [] : call(fn)));
const unseals: Call = (fn) => [key(fn, 'Decrypt', 'sqs')];

/** Where a warehouse is, and nothing where there is none; so for a lakehouse. */
const ifWarehouse =
  (call: Call): Call =>
  (fn) =>
    fn.variant.mirror.targets.warehouse && typeof call !== 'string' ? call(fn) : [];
const shelves = (fn: Deployed): readonly (readonly [bucket: string, prefixes: readonly string[]])[] => [
  ['CONTROL_BUCKET', ['quarantine/orders/', 'aws/lambda/']],
  ...(fn.variant.mirror.targets.lakehouse ? ([['LAKE_BUCKET', ['errors/orders/']]] as const) : []),
  ...(fn.variant.mirror.targets.warehouse ? ([['STAGING_BUCKET', ['errors/orders/']]] as const) : []),
];
const everyShelf =
  (needs: (fn: Deployed, bucket: string, name: string) => Need[]): Call =>
  (fn) =>
    shelves(fn).flatMap(([bucket, prefixes]) => prefixes.flatMap((prefix) => needs(fn, bucket, `${prefix}1`)));

const NOT_THE_SCHEMAS_REGISTRAR = 'the other registrar makes the lake’s tables: this one is given no database';
const COUNTS_NOTHING = 'only the loader counts what waking the warehouse costs';
const LAKE_CALLS_OF_REGISTRAR = {
  GetTable: glue('GetTable', false),
  CreateTable: glue('CreateTable', true),
  UpdateTable: glue('UpdateTable', true),
  CreateTableOptimizer: optimizer('CreateTableOptimizer'),
  UpdateTableOptimizer: optimizer('UpdateTableOptimizer'),
  StartQueryExecution: makesView,
  GetQueryExecution: () => [workgroup('GetQueryExecution')],
  StopQueryExecution: () => [workgroup('StopQueryExecution')],
} satisfies Readonly<Record<string, Call>>;

/** Every call of every function, by its short name. */
export const CALLS: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
  capture: {
    PutRecordBatch: (fn) => streams(fn, tableOf(fn)),
    Query: control('Query'),
    PutItem: control('PutItem'),
    PutObject: (fn) =>
      ['quarantine', 'oversized'].flatMap((folder) => writes(fn, 'CONTROL_BUCKET', `${folder}/${tableOf(fn)}/1`)),
    GetObject: 'the command line counts the quarantine',
    ListObjectsV2: 'the command line counts the quarantine',
  },
  registrar: {
    Query: control('Query'),
    PutItem: control('PutItem'),
    // The configuration says the key of the other table.
    DescribeTable: () => [{ action: 'dynamodb:DescribeTable', resource: ORDERS_ARN }],
    ...Object.fromEntries(Object.keys(LAKE_CALLS_OF_REGISTRAR).map((call) => [call, NOT_THE_SCHEMAS_REGISTRAR])),
  },
  'lake-registrar': {
    Query: control('Query'),
    PutItem: 'the other registrar has registered the schema before',
    DescribeTable: 'the other registrar has asked for the key before',
    ...LAKE_CALLS_OF_REGISTRAR,
  },
  merge: {
    Query: control('Query'),
    GetItem: control('GetItem'),
    PutItem: control('PutItem'),
    DeleteItem: control('DeleteItem'),
    UpdateItem: COUNTS_NOTHING,
    GetTable: glue('GetTable', false),
    UpdateTable: glue('UpdateTable', true),
    CreateTable: 'the registrar makes tables',
    // To whoever may not list, S3 says of an object that is gone that it may not be read.
    GetObject: (fn) => [...reads(fn, 'LAKE_BUCKET', 'tables/orders__changes/metadata/1'), ...lists(fn, 'LAKE_BUCKET')],
    StartExecution: () => [
      { action: 'states:StartExecution', resource: here('states', 'stateMachine:glasshouse-shop-merge') },
    ],
  },
  load: {
    Query: control('Query'),
    GetItem: control('GetItem'),
    PutItem: control('PutItem'),
    DeleteItem: control('DeleteItem'),
    UpdateItem: control('UpdateItem'),
    PutObject: (fn) => writes(fn, 'STAGING_BUCKET', 'manifests/orders/1.json'),
    ReceiveMessage: both(queue('ReceiveMessage'), unseals),
    DeleteMessageBatch: queue('DeleteMessage'),
    ChangeMessageVisibilityBatch: queue('ChangeMessageVisibility'),
    GetQueueAttributes: queue('GetQueueAttributes'),
    BatchExecuteStatement: (fn) => logsOn(fn, 'BatchExecuteStatement'),
    ExecuteStatement: (fn) => logsOn(fn, 'ExecuteStatement'),
    DescribeStatement: ownStatement('DescribeStatement'),
    GetStatementResult: ownStatement('GetStatementResult'),
  },
  redrive: {
    Query: control('Query'),
    PutItem: control('PutItem'),
    PutRecordBatch: (fn) => ['orders', 'carts'].flatMap((table) => streams(fn, table)),
    ListObjectsV2: (fn) => shelves(fn).flatMap(([bucket]) => lists(fn, bucket)),
    GetObject: both(everyShelf(reads), (fn) =>
      // Firehose's errors name data files that lie among those of the table.
      fn.variant.mirror.targets.lakehouse ? reads(fn, 'LAKE_BUCKET', 'tables/orders__changes/data/1') : [],
    ),
    CopyObject: both(
      everyShelf(reads),
      everyShelf((fn, bucket, name) => writes(fn, bucket, `redriven/${name}`)),
    ),
    PutObject: both(everyShelf(writes), (fn) => writes(fn, 'CONTROL_BUCKET', 'oversized/orders/1')),
    DeleteObject: everyShelf((fn, bucket, name) => [{ action: 's3:DeleteObject', resource: object(fn, bucket, name) }]),
    ReceiveMessage: ifWarehouse(both(queue('ReceiveMessage', 'DEAD_LETTER_URL'), unseals)),
    DeleteMessageBatch: ifWarehouse(queue('DeleteMessage', 'DEAD_LETTER_URL')),
    SendMessageBatch: ifWarehouse(both(queue('SendMessage'), unseals, (fn) => [key(fn, 'GenerateDataKey', 'sqs')])),
  },
};

/** What AWS does in a function's name, though its code calls nothing. */
function doneByAws(fn: Deployed): Need[] {
  const logs = here('logs', `log-group:/aws/lambda/${fn.name}:log-stream:1`);
  const all: Need[] = [
    // Lambda writes the log, and sends the traces.
    { action: 'logs:CreateLogStream', resource: logs },
    { action: 'logs:PutLogEvents', resource: logs },
    { action: 'xray:PutTraceSegments', resource: '*' },
    { action: 'xray:PutTelemetryRecords', resource: '*' },
  ];
  if (fn.role !== 'capture') return all;
  const isOrders = tableOf(fn) === 'orders';
  const table = isOrders ? ORDERS_ARN : here('dynamodb', 'table/prod-Carts');
  const stream = `${table}/stream/2026-11-22T09:00:00.000`;
  return [
    ...all,
    // Lambda reads the stream, and unseals it with the table's key.
    ...['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((action) => ({
      action: `dynamodb:${action}`,
      resource: stream,
    })),
    { action: 'kms:Decrypt', resource: isOrders ? ORDERS_KEY : fn.keyArn },
    // It puts the batches that it gives up on.
    ...writes(fn, 'CONTROL_BUCKET', 'aws/lambda/1'),
    ...lists(fn, 'CONTROL_BUCKET'),
  ];
}

/** Everything that must be allowed to a function. */
export function needsOf(fn: Deployed): Need[] {
  const calls = Object.values(CALLS[shortName(fn)] ?? {});
  return [...doneByAws(fn), ...calls.flatMap((call) => (typeof call === 'string' ? [] : call(fn)))];
}

/** A function's name without what all functions of the mirror have in common. */
export const shortName = ({ name, role }: Pick<Deployed, 'name' | 'role'>) =>
  role === 'capture' ? 'capture' : name.replace('glasshouse-shop-', '');

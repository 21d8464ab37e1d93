import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import type { TableDescription } from '@aws-sdk/client-dynamodb';
import { FirehoseClient, ListDeliveryStreamsCommand } from '@aws-sdk/client-firehose';
import { GetCatalogCommand, GetDatabaseCommand, GlueClient } from '@aws-sdk/client-glue';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeStatementCommand, ExecuteStatementCommand, RedshiftDataClient } from '@aws-sdk/client-redshift-data';
import { ListServiceQuotasCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Mirror } from '../../core/config.ts';
import { examine } from '../../deployed/doctor.ts';
import { DEPLOYMENT, STREAM_ARN, TABLE_ARN, mirrorWith, options, serviceError } from './mirror-config.ts';

const dynamodb = mockClient(DynamoDBClient);
const firehose = mockClient(FirehoseClient);
const glue = mockClient(GlueClient);
const kms = mockClient(KMSClient);
const lambda = mockClient(LambdaClient);
const redshift = mockClient(RedshiftDataClient);
const quotas = mockClient(ServiceQuotasClient);
const ssm = mockClient(SSMClient);
const sts = mockClient(STSClient);
const ALL = [dynamodb, firehose, glue, kms, lambda, redshift, quotas, ssm, sts];

const TABLE: TableDescription = {
  TableName: 'Orders',
  TableArn: TABLE_ARN,
  TableStatus: 'ACTIVE',
  ItemCount: 7,
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
  LatestStreamArn: STREAM_ARN,
};
const OPEN = [{ Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' } }];

function describeAs(change: Partial<TableDescription>): void {
  dynamodb.on(DescribeTableCommand).resolves({ Table: { ...TABLE, ...change } });
}

/** An account in which all is well. */
beforeEach(() => {
  ALL.forEach((mock) => mock.reset());
  sts.on(GetCallerIdentityCommand).resolves({ Account: '111122223333', Arn: 'arn:aws:iam::111122223333:user/me' });
  ssm.on(GetParameterCommand).rejects(serviceError('ParameterNotFound'));
  ssm.on(GetParameterCommand, { Name: '/cdk-bootstrap/hnb659fds/version' }).resolves({ Parameter: { Value: '21' } });
  lambda.on(GetAccountSettingsCommand).resolves({ AccountLimit: { UnreservedConcurrentExecutions: 1000 } });
  quotas.on(ListServiceQuotasCommand).resolves({ Quotas: [{ QuotaName: 'Delivery streams', Value: 50 }] });
  firehose.on(ListDeliveryStreamsCommand).resolves({ DeliveryStreamNames: ['a'], HasMoreDeliveryStreams: false });
  glue.on(GetDatabaseCommand).rejects(serviceError('EntityNotFoundException'));
  glue.on(GetCatalogCommand).resolves({
    Catalog: { Name: 'c', CreateDatabaseDefaultPermissions: OPEN, CreateTableDefaultPermissions: OPEN },
  });
  describeAs({});
  dynamodb.on(DescribeContinuousBackupsCommand).resolves({
    ContinuousBackupsDescription: {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' },
    },
  });
  dynamodb.on(DescribeTimeToLiveCommand).resolves({ TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } });
});

async function found(what: string, mirror: Mirror = mirrorWith()) {
  const { checks } = await examine(mirror, options());
  const one = checks.find((check) => check.what === what);
  return `${one?.verdict ?? 'absent'}: ${one?.found ?? ''} | ${one?.remedy ?? ''}`;
}

describe('where all is well', () => {
  it('finds nothing to do, and looks at everything', async () => {
    const report = await examine(mirrorWith(), options());
    expect(report).toMatchObject({ mirror: 'shop', region: 'eu-central-1', wrong: 0, warnings: 0 });
    expect(report.checks.map(({ subject, what, verdict }) => `${subject}, ${what}: ${verdict}`)).toEqual([
      'account, credentials: ok',
      'account, region: ok',
      'account, CDK bootstrap: ok',
      'account, Lambda concurrency: ok',
      'account, Firehose streams: ok',
      'orders, table: ok',
      'orders, key: ok',
      'orders, stream: ok',
      'orders, point-in-time recovery: ok',
      'orders, time to live: ok',
      'orders, encryption: ok',
      'lakehouse, Glue database: ok',
      'lakehouse, Lake Formation: ok',
      'warehouse, Redshift: ok',
    ]);
    expect(report.checks.every((check) => check.remedy === null)).toBe(true);
  });

  it('asks a table of another account by its ARN', async () => {
    await examine(mirrorWith(), options());
    expect(dynamodb.commandCalls(DescribeTableCommand)[0]?.args[0].input).toEqual({ TableName: TABLE_ARN });
  });
});

describe('the account', () => {
  it('without credentials, nothing else is looked at', async () => {
    sts.on(GetCallerIdentityCommand).rejects(serviceError('CredentialsProviderError', 'none'));
    const report = await examine(mirrorWith(), options());
    expect(report).toMatchObject({ wrong: 1, checks: [{ what: 'credentials', verdict: 'wrong' }] });
  });

  it('of others is told', async () => {
    const mirror = mirrorWith({ aws: { region: 'eu-central-1', account: '999999999999' } });
    expect(await found('credentials', mirror)).toContain(
      'wrong: arn:aws:iam::111122223333:user/me, of the account 111122223333',
    );
  });

  it('tables of another region are told', async () => {
    expect(await found('region', mirrorWith({ aws: { region: 'eu-west-1' } }))).toMatch(
      /wrong: eu-west-1, but orders are in another/,
    );
  });

  it('says how to bootstrap', async () => {
    ssm
      .on(GetParameterCommand, { Name: '/cdk-bootstrap/hnb659fds/version' })
      .rejects(serviceError('ParameterNotFound'));
    expect(await found('CDK bootstrap')).toBe(
      'wrong: not there | Run: npx cdk bootstrap aws://111122223333/eu-central-1',
    );
    ssm.on(GetParameterCommand, { Name: '/cdk-bootstrap/hnb659fds/version' }).resolves({ Parameter: { Value: '4' } });
    expect(await found('CDK bootstrap')).toMatch(/^wrong: version 4/);
  });

  it('warns of the ten executions that accounts begin with', async () => {
    lambda.on(GetAccountSettingsCommand).resolves({ AccountLimit: { ConcurrentExecutions: 10 } });
    expect(await found('Lambda concurrency')).toMatch(
      /^warning: 10 executions at once, and the mirror may want 8.*--quota-code L-B99A9384.*--region eu-central-1$/,
    );
    lambda.on(GetAccountSettingsCommand).resolves({});
    expect(await found('Lambda concurrency')).toMatch(/^unknown/);
  });

  it('counts the streams that there are, page by page', async () => {
    firehose
      .on(ListDeliveryStreamsCommand)
      .resolvesOnce({
        DeliveryStreamNames: Array.from({ length: 40 }, (_, n) => `s${n}`),
        HasMoreDeliveryStreams: true,
      })
      .resolves({ DeliveryStreamNames: Array.from({ length: 9 }, (_, n) => `t${n}`), HasMoreDeliveryStreams: false });
    expect(await found('Firehose streams')).toMatch(/^wrong: 49 of 50, and the mirror makes 2/);
    quotas.on(ListServiceQuotasCommand).resolves({});
    expect(await found('Firehose streams')).toMatch(/^unknown/);
  });

  it('what may not be asked is unknown, and hides nothing else', async () => {
    lambda.on(GetAccountSettingsCommand).rejects(serviceError('AccessDeniedException', 'no'));
    quotas.on(ListServiceQuotasCommand).rejects(serviceError('TimeoutError', 'late'));
    const report = await examine(mirrorWith(), options());
    expect(
      report.checks.filter((check) => check.verdict === 'unknown').map(({ what, found: text }) => [what, text]),
    ).toEqual([
      ['Lambda concurrency', 'could not be asked: AccessDeniedException: no'],
      ['Firehose streams', 'could not be asked: TimeoutError: late'],
    ]);
    expect(report.wrong).toBe(0);
  });
});

describe('a table', () => {
  it('that is not there, or not in the configuration', async () => {
    const bare = mirrorWith({ tables: { orders: { from: 'Orders' } } });
    expect(await found('table', bare)).toBe(
      `wrong: Orders is there, and tables.orders.aws is not | Write tables.orders.aws: { arn: '${TABLE_ARN}', streamArn: '${STREAM_ARN}' }.`,
    );
    dynamodb.on(DescribeTableCommand).rejects(serviceError('ResourceNotFoundException'));
    expect(await found('table')).toMatch(/^wrong: there is no table Orders here/);
    expect(await found('stream')).toMatch(/^absent/);
  });

  it('that is to be made must be free, and have a key', async () => {
    const made = mirrorWith({ tables: { orders: { from: 'Orders', key: { id: 'S' }, aws: { create: true } } } });
    expect(await found('table', made)).toMatch(
      /^wrong: Orders is there already \| Mirror it as it is with tables.orders.aws: \{ arn:/,
    );
    dynamodb.on(DescribeTableCommand).rejects(serviceError('ResourceNotFoundException'));
    expect(await found('table', made)).toMatch(/^ok: Orders will be made/);
  });

  it('that is being made is worth waiting for', async () => {
    describeAs({ TableStatus: 'CREATING' });
    expect(await found('table')).toMatch(/^warning: Orders is CREATING/);
  });

  it('with another key', async () => {
    const aws = { arn: TABLE_ARN, streamArn: STREAM_ARN };
    expect(await found('key', mirrorWith({ tables: { orders: { from: 'Orders', key: { id: 'N' }, aws } } }))).toBe(
      "wrong: the table has { id: 'S' }, the configuration { id: 'N' } | Write tables.orders.key: { id: 'S' }, or leave it out.",
    );
  });

  it.each([
    [
      'off',
      { StreamSpecification: { StreamEnabled: false } },
      /^wrong: off \| Run: aws dynamodb update-table --table-name arn:\S+ --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES --region eu-central-1/,
    ],
    [
      'without images',
      { StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' } },
      /^wrong: on with KEYS_ONLY/,
    ],
    [
      'without old images',
      { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } },
      /^warning: on with NEW_IMAGE/,
    ],
    [
      'that is not the newest',
      { LatestStreamArn: `${TABLE_ARN}/stream/2026-11-23` },
      /^wrong: .* is not the newest .*streamArn: 'arn:\S+2026-11-23'/,
    ],
  ] as const)('with a stream %s', async (_, change, expected) => {
    describeAs(change);
    expect(await found('stream')).toMatch(expected);
  });

  it('without recovery', async () => {
    dynamodb.on(DescribeContinuousBackupsCommand).resolves({});
    expect(await found('point-in-time recovery')).toMatch(/^warning: off.*aws dynamodb update-continuous-backups/);
  });

  it('with another time to live', async () => {
    dynamodb
      .on(DescribeTimeToLiveCommand)
      .resolves({ TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'gone_at' } });
    expect(await found('time to live')).toMatch(/^ok: on gone_at/);
    const aws = { arn: TABLE_ARN, streamArn: STREAM_ARN };
    const wanted = mirrorWith({ tables: { orders: { from: 'Orders', ttl: 'expires_at', aws } } });
    expect(await found('time to live', wanted)).toMatch(/^warning: on gone_at \| tables.orders.ttl says expires_at/);
  });

  it("with a customer's key", async () => {
    const key = 'arn:aws:kms:eu-central-1:111122223333:key/k';
    describeAs({ SSEDescription: { Status: 'ENABLED', KMSMasterKeyArn: key } });
    const metadata = { KeyId: 'k', Enabled: true, KeyManager: 'CUSTOMER' } as const;
    kms.on(DescribeKeyCommand).resolves({ KeyMetadata: metadata });
    expect(await found('encryption')).toMatch(/^wrong: the customer's key .*kmsKeyArn: 'arn:\S+key\/k'/);
    const aws = { arn: TABLE_ARN, streamArn: STREAM_ARN, kmsKeyArn: key };
    const configured = mirrorWith({ tables: { orders: { from: 'Orders', aws } } });
    expect(await found('encryption', configured)).toMatch(/^ok/);
    kms.on(DescribeKeyCommand).resolves({ KeyMetadata: { ...metadata, Enabled: false, KeyState: 'Disabled' } });
    expect(await found('encryption', configured)).toMatch(/^wrong: the key \S+ is Disabled \| Run: aws kms enable-key/);
    kms.on(DescribeKeyCommand).resolves({ KeyMetadata: { ...metadata, KeyManager: 'AWS' } });
    expect(await found('encryption')).toMatch(/^ok: a key that AWS manages/);
  });
});

describe('the lakehouse', () => {
  it('has its database already, or somebody else does', async () => {
    glue.on(GetDatabaseCommand).resolves({ Database: { Name: 'shop' } });
    expect(await found('Glue database')).toMatch(/^wrong: shop is there, and not this mirror's/);
    ssm
      .on(GetParameterCommand, { Name: '/glasshouse/shop/deployment' })
      .resolves({ Parameter: { Value: JSON.stringify(DEPLOYMENT) } });
    expect(await found('Glue database')).toMatch(/^ok/);
  });

  it.each([
    [OPEN, true, /^warning: does not govern new tables, and aws.lakehouse.lakeFormation is true/],
    [[], true, /^ok/],
    [[], false, /^warning: governs .* lakeFormation: true/],
  ])('is governed by Lake Formation as it is configured (%#)', async (permissions, lakeFormation, expected) => {
    glue.on(GetCatalogCommand).resolves({
      Catalog: { Name: 'c', CreateDatabaseDefaultPermissions: permissions, CreateTableDefaultPermissions: permissions },
    });
    const mirror = mirrorWith({ aws: { region: 'eu-central-1', lakehouse: { lakeFormation } } });
    expect(await found('Lake Formation', mirror)).toMatch(expected);
  });

  it('is not looked at where there is none', async () => {
    expect(await found('Glue database', mirrorWith({ targets: { warehouse: true } }))).toMatch(/^absent/);
  });
});

describe('an existing Redshift', () => {
  const copyRoleArn = 'arn:aws:iam::111122223333:role/copy';
  const serverless = mirrorWith({
    aws: { region: 'eu-central-1', redshift: { serverless: { workgroup: 'w', copyRoleArn } } },
  });
  const cluster = mirrorWith({
    aws: { region: 'eu-central-1', redshift: { cluster: { identifier: 'c', dbUser: 'u', copyRoleArn } } },
  });

  it('answers', async () => {
    redshift.on(ExecuteStatementCommand).resolves({ Id: '1' });
    redshift.on(DescribeStatementCommand).resolves({ Status: 'FINISHED' });
    expect(await found('Redshift', serverless)).toBe('ok: the workgroup w answers, database dev | ');
    expect(await found('Redshift', cluster)).toBe('ok: the cluster c answers, database dev | ');
    expect(redshift.commandCalls(ExecuteStatementCommand)[1]?.args[0].input).toMatchObject({
      ClusterIdentifier: 'c',
      DbUser: 'u',
    });
    expect(await found('role that copies', serverless)).toMatch(
      /^unknown: not looked at: .*redshift-serverless get-workgroup --workgroup-name w/,
    );
    expect(await found('role that copies', cluster)).toMatch(/redshift describe-clusters --cluster-identifier c/);
  });

  it('refuses, or is not there', async () => {
    redshift
      .on(ExecuteStatementCommand)
      .resolvesOnce({ Id: '1' })
      .rejects(serviceError('ValidationException', 'no such workgroup'));
    redshift.on(DescribeStatementCommand).resolves({ Status: 'FAILED', Error: 'password authentication failed' });
    expect(await found('Redshift', serverless)).toMatch(
      /^wrong: the workgroup w refuses: password authentication failed/,
    );
    expect(await found('Redshift', serverless)).toMatch(/^wrong: the workgroup w cannot be reached: no such workgroup/);
  });
});

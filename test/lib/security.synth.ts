import { rmSync } from 'node:fs';
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeployedResource } from '../support/deployed-world.ts';
import { emptyBundles } from '../support/deployment.ts';
import { VARIANT_NAMES, synthesise } from '../support/mirror-variants.ts';
import type { Variant } from '../support/mirror-variants.ts';
import { listOf, statementsOf } from '../support/role-permissions.ts';

/** Actions for which AWS knows no resource, by what asks for them. */
const WITHOUT_RESOURCE: Readonly<Record<string, string>> = {
  'xray:PutTraceSegments': 'traces of functions and of the state machine',
  'xray:PutTelemetryRecords': 'traces of functions and of the state machine',
  'xray:GetSamplingRules': 'traces of the state machine',
  'xray:GetSamplingTargets': 'traces of the state machine',
  'logs:CreateLogDelivery': 'the log of the state machine',
  'logs:GetLogDelivery': 'the log of the state machine',
  'logs:UpdateLogDelivery': 'the log of the state machine',
  'logs:DeleteLogDelivery': 'the log of the state machine',
  'logs:ListLogDeliveries': 'the log of the state machine',
  'logs:PutResourcePolicy': 'the log of the state machine',
  'logs:DescribeResourcePolicies': 'the log of the state machine',
  'logs:DescribeLogGroups': 'the log of the state machine',
  'redshift-data:DescribeStatement': 'a condition keeps it to own statements',
  'redshift-data:GetStatementResult': 'a condition keeps it to own statements',
  'lakeformation:GetDataAccess': 'the grants in Lake Formation say to what',
};
/** What the CDK adds by itself where buckets are emptied before they are deleted; its log is not the mirror's. */
const OF_THE_CDK = 'CustomS3AutoDelete';
/** S3 writes the logs of requests only where its own key encrypts them. */
const ACCESS_LOGS = 'AccessLogs';
const SECRET_TEXT = /resolve:(secretsmanager|ssm-secure)|AKIA[A-Z0-9]{16}|-----BEGIN|password(?!SecretArn)/i;

let bundles: string;
beforeAll(() => void (bundles = emptyBundles()));
afterAll(() => rmSync(bundles, { recursive: true, force: true }));

describe.each(VARIANT_NAMES)('a mirror with %s', (name) => {
  let variant: Variant;
  let keyArn: string;
  beforeAll(() => {
    variant = synthesise(name, bundles);
    keyArn = 'key/' + (variant.resources.find(({ type }) => type === 'AWS::KMS::Key')?.id ?? 'none');
  });
  const all = (type: string): DeployedResource[] => variant.resources.filter((one) => one.type === type);
  /** Those of a type whose properties do not say what they should, by the resource's id. */
  const amiss = (type: string, isRight: (properties: Readonly<Record<string, unknown>>, id: string) => boolean) =>
    all(type)
      .filter(({ id, properties }) => !id.startsWith(OF_THE_CDK) && !isRight(properties, id))
      .map(({ id }) => id);
  /** Whether one of some properties, however deep, is the mirror's key. */
  const isSealed = (...properties: readonly unknown[]) =>
    properties.every((property) => JSON.stringify(property ?? null).includes(keyArn.slice('key/'.length)));

  it('passes the checks of AwsSolutions, with a reason for each exception, and an exception for nothing else', () => {
    const { app } = variant;
    const exceptions = app.node.findAll().flatMap((node) =>
      node.node.metadata
        .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
        .flatMap(({ data }) => Object.entries(data as Readonly<Record<string, string>>))
        .map(([id, reason]) => ({ path: node.node.path, id: id.replace(/^annotation::/i, ''), reason })),
    );
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
    expect(exceptions.length).toBeGreaterThan(0);
    expect(exceptions.filter(({ reason }) => reason.length < 20)).toEqual([]);

    // The same checks, deaf to exceptions.
    const strict = new AwsSolutionsChecks(app);
    Object.defineProperty(strict, 'isAcknowledged', { value: () => false });
    const found = strict
      .validateScope(app)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => ({ ruleName, path: constructPath ?? '' })),
      );
    const stale = exceptions.filter(
      ({ id, path }) => !found.some((one) => one.ruleName === id && one.path.startsWith(path)),
    );
    expect(stale).toEqual([]);
  });

  it('gives no role all resources, but for what knows none, and no role all actions', () => {
    const statements = all('AWS::IAM::Policy').flatMap(({ properties }) => statementsOf(properties.PolicyDocument));
    const unbound = statements.filter(({ Resource }) => listOf(Resource).includes('*'));
    const unknown = unbound.flatMap(({ Action }) => listOf(Action)).filter((action) => !(action in WITHOUT_RESOURCE));
    expect(unknown).toEqual([]);
    expect(statements.flatMap(({ Action }) => listOf(Action)).filter((action) => action.includes('*'))).toEqual([]);
    expect(amiss('AWS::IAM::Role', ({ ManagedPolicyArns: managed }) => managed === undefined)).toEqual([]);
  });

  it('seals whatever it keeps with its own key, which is renewed each year', () => {
    expect(all('AWS::KMS::Key').map(({ properties }) => properties.EnableKeyRotation)).toEqual([true]);
    expect(
      amiss('AWS::S3::Bucket', ({ BucketEncryption: seal }, id) => isSealed(seal) !== id.includes(ACCESS_LOGS)),
    ).toEqual([]);
    expect(amiss('AWS::DynamoDB::Table', ({ SSESpecification: seal }) => isSealed(seal))).toEqual([]);
    expect(amiss('AWS::SQS::Queue', ({ KmsMasterKeyId: seal }) => isSealed(seal))).toEqual([]);
    expect(amiss('AWS::SNS::Topic', ({ KmsMasterKeyId: seal }) => isSealed(seal))).toEqual([]);
    expect(amiss('AWS::Lambda::Function', ({ KmsKeyArn: seal }) => isSealed(seal))).toEqual([]);
    expect(amiss('AWS::Scheduler::Schedule', ({ KmsKeyArn: seal }) => isSealed(seal))).toEqual([]);
    expect(amiss('AWS::StepFunctions::StateMachine', (machine) => isSealed(machine.EncryptionConfiguration))).toEqual(
      [],
    );
    expect(amiss('AWS::SecretsManager::Secret', ({ KmsKeyId: seal }) => isSealed(seal))).toEqual([]);
    expect(amiss('AWS::RedshiftServerless::Namespace', ({ KmsKeyId: seal }) => isSealed(seal))).toEqual([]);
    expect(
      amiss('AWS::Redshift::Cluster', (cluster) => isSealed(cluster.KmsKeyId, cluster.MasterPasswordSecretKmsKeyId)),
    ).toEqual([]);
    expect(
      amiss('AWS::Athena::WorkGroup', ({ WorkGroupConfiguration: configuration }) => {
        const { ResultConfiguration: result, EnforceWorkGroupConfiguration: isEnforced } = configuration as {
          ResultConfiguration: unknown;
          EnforceWorkGroupConfiguration: boolean;
        };
        return isEnforced && isSealed(result);
      }),
    ).toEqual([]);
    expect(
      amiss('AWS::KinesisFirehose::DeliveryStream', (stream) =>
        isSealed(
          stream.DeliveryStreamEncryptionConfigurationInput,
          stream.IcebergDestinationConfiguration ?? stream.ExtendedS3DestinationConfiguration,
        ),
      ),
    ).toEqual([]);
  });

  it('has every log sealed, and forgotten in time', () => {
    const groups = all('AWS::Logs::LogGroup').map(({ properties }) => properties.LogGroupName);
    expect(amiss('AWS::Logs::LogGroup', (group) => group.RetentionInDays === 30 && isSealed(group.KmsKeyId))).toEqual(
      [],
    );
    expect(
      amiss('AWS::Lambda::Function', ({ LoggingConfig: log }) =>
        groups.includes((log as { LogGroup?: unknown } | undefined)?.LogGroup),
      ),
    ).toEqual([]);
    expect(
      amiss('AWS::KinesisFirehose::DeliveryStream', (stream) =>
        groups.some((group) => JSON.stringify(stream).includes(`"LogGroupName":"${String(group)}"`)),
      ),
    ).toEqual([]);
    // Redshift makes groups of its own, kept for ever, where there are none of these names.
    for (const [type, folder] of [
      ['AWS::RedshiftServerless::Namespace', ''],
      ['AWS::Redshift::Cluster', 'cluster/'],
    ] as const) {
      for (const { properties } of all(type)) {
        const { LogExports: exports } = (properties.LoggingProperties ?? properties) as { LogExports: string[] };
        expect(exports.length).toBe(3);
        expect(groups).toEqual(
          expect.arrayContaining(exports.map((log) => `/aws/redshift/${folder}glasshouse-shop/${log}`)),
        );
      }
    }
  });

  it('is spoken to by TLS only, and by nobody from outside', () => {
    const guarded = (type: string, property: string) =>
      all(type)
        .filter(({ properties }) =>
          statementsOf(properties.PolicyDocument).some(
            ({ Effect, Condition }) =>
              Effect === 'Deny' && JSON.stringify(Condition).includes('"aws:SecureTransport":"false"'),
          ),
        )
        .flatMap(({ properties }) => listOf(properties[property]).map((place) => place.split(/[/:]/).at(-1)))
        .sort();
    const names = (type: string) => all(type).map(({ id }) => (type === 'AWS::S3::Bucket' ? id.toLowerCase() : id));
    expect(guarded('AWS::S3::BucketPolicy', 'Bucket')).toEqual(names('AWS::S3::Bucket').sort());
    expect(guarded('AWS::SQS::QueuePolicy', 'Queues')).toEqual(names('AWS::SQS::Queue').sort());
    expect(guarded('AWS::SNS::TopicPolicy', 'Topics')).toEqual(names('AWS::SNS::Topic').sort());
    expect(
      amiss('AWS::S3::Bucket', ({ PublicAccessBlockConfiguration: block }) => {
        const doors = Object.values((block ?? {}) as Readonly<Record<string, unknown>>);
        return doors.length === 4 && doors.every((door) => door === true);
      }),
    ).toEqual([]);
    for (const type of ['AWS::Redshift::Cluster', 'AWS::RedshiftServerless::Workgroup']) {
      expect(amiss(type, (redshift) => redshift.PubliclyAccessible === false)).toEqual([]);
    }
  });

  it('puts no secret into an environment variable, an output or a parameter', () => {
    const texts = [
      ...all('AWS::Lambda::Function').map(({ properties }) => properties.Environment),
      ...all('AWS::SSM::Parameter').map(({ properties }) => properties.Value),
      ...variant.assembly.stacks.map((stack) => (stack.template as { Outputs?: unknown }).Outputs),
    ].map((value) => JSON.stringify(value ?? {}));
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.filter((text) => SECRET_TEXT.test(text))).toEqual([]);
  });
});

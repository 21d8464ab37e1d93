import { Stack } from 'aws-cdk-lib';
import { ArnPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Conditions, IRole } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { MirrorContext } from './mirror-context.ts';
import { dataRemovalPolicy } from './mirror-context.ts';

/** The key of a mirror: it encrypts all that the mirror keeps. The account's policies say who may use it, and it itself which services. */
export function mirrorKey(scope: Construct, id: string, context: MirrorContext): Key {
  const { mirror } = context;
  const key = new Key(scope, id, {
    description: `Encrypts what the mirror ${mirror.name} keeps`,
    enableKeyRotation: true,
    removalPolicy: dataRemovalPolicy(mirror),
  });
  const { account, region, partition } = Stack.of(scope);
  const ofThisAccount = { StringEquals: { 'aws:SourceAccount': account } };
  allowService(key, `logs.${region}.amazonaws.com`, {
    ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
  });
  allowService(key, 'cloudwatch.amazonaws.com', ofThisAccount);
  if (mirror.targets.warehouse) allowService(key, 's3.amazonaws.com', ofThisAccount);
  const { where } = mirror.aws.redshift;
  if (mirror.targets.warehouse && 'copyRoleArn' in where) allowCopyRole(key, where.copyRoleArn);
  return key;
}

/** A service that writes what is encrypted: CloudWatch Logs, alarms to the topic, S3's notices to the queue. */
function allowService(key: Key, service: string, conditions: Conditions): void {
  key.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal(service)],
      actions: service.startsWith('logs.')
        ? ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey']
        : ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions,
    }),
  );
}

/** An existing Redshift's role reads what is staged: it need not be changed for it. */
function allowCopyRole(key: Key, roleArn: string): void {
  key.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ArnPrincipal(roleArn)],
      actions: ['kms:Decrypt'],
      resources: ['*'],
    }),
  );
}

/** Lets a role read what the key encrypts and, where it writes, encrypt with it; by way of the services named, such as `s3`. */
export function allowKeyUse(
  key: IKey,
  role: IRole,
  use: { readonly via: readonly string[]; readonly write: boolean },
): void {
  const { region } = Stack.of(role);
  role.addToPrincipalPolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      actions: use.write ? ['kms:Decrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'],
      resources: [key.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': use.via.map((service) => `${service}.${region}.amazonaws.com`) },
      },
    }),
  );
}

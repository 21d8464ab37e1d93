import { Stack, Validations } from 'aws-cdk-lib';
import { CompositePrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnCluster, CfnClusterParameterGroup, CfnClusterSubnetGroup } from 'aws-cdk-lib/aws-redshift';
import { CfnNamespace, CfnWorkgroup } from 'aws-cdk-lib/aws-redshiftserverless';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { redshiftName } from '../core/aws-names.ts';
import type { RedshiftPlace } from '../core/config/aws-config.ts';
import type { FunctionRole, RedshiftAddress } from '../core/contract.ts';
import type { SealedContext } from './mirror-context.ts';
import { dataRemovalPolicy } from './mirror-context.ts';
import type { MirrorFunction } from './mirror-function.ts';
import { allowKeyUse } from './mirror-key.ts';
import { mirrorLogGroup } from './mirror-log-group.ts';
import { clusterPartArn } from './staging.ts';
import type { Staging } from './staging.ts';
import { explainWildcards } from './wildcards.ts';

const ADMIN = 'glasshouse_admin';
const AUDIT_LOGS = ['userlog', 'connectionlog', 'useractivitylog'];
type NewServerless = Extract<RedshiftPlace, { kind: 'new-serverless' }>;
type NewCluster = Extract<RedshiftPlace, { kind: 'new-cluster' }>;

/** The Redshift that the warehouse is in: a new one, or one that is there already. */
export class Redshift extends Construct {
  readonly address: RedshiftAddress;
  /** Redshift reads what is staged with it. */
  readonly copyRoleArn: string;
  /** Of the workgroup or cluster, as a permission names it. */
  private readonly resourceArn: string;
  private readonly context: SealedContext;

  constructor(scope: Construct, id: string, context: SealedContext, staging: Staging) {
    super(scope, id);
    this.context = context;
    const { where, database } = context.mirror.aws.redshift;
    const nowhere = { workgroup: null, cluster: null, database, secretArn: null, dbUser: null, baseCapacity: null };
    if (where.kind === 'new-serverless' || where.kind === 'new-cluster') {
      const copyRole = this.makeCopyRole(staging);
      this.copyRoleArn = copyRole.roleArn;
      const made =
        where.kind === 'new-serverless' ? this.newServerless(where, copyRole) : this.newCluster(where, copyRole);
      this.address = { ...nowhere, ...made.address };
      this.resourceArn = made.arn;
      return;
    }
    this.copyRoleArn = where.copyRoleArn;
    staging.grantCopyTo(where.copyRoleArn);
    if (where.kind === 'serverless') {
      const { workgroup, secretArn, baseCapacity } = where;
      this.address = { ...nowhere, workgroup, secretArn, baseCapacity };
      // A workgroup's ARN holds an id that only AWS knows.
      this.resourceArn = Stack.of(this).formatArn({
        service: 'redshift-serverless',
        resource: 'workgroup',
        resourceName: '*',
      });
    } else {
      this.address = { ...nowhere, cluster: where.identifier, secretArn: where.secretArn, dbUser: where.dbUser };
      this.resourceArn = clusterPartArn(this, 'cluster', where.identifier);
    }
  }

  /** Lets a function run statements by the Data API, as the user that the address names. */
  grantStatements(fn: MirrorFunction<FunctionRole>): void {
    fn.allow(['redshift-data:BatchExecuteStatement', 'redshift-data:ExecuteStatement'], [this.resourceArn]);
    // These take no resource; the condition is what keeps them to the function's own statements.
    fn.allow(['redshift-data:DescribeStatement', 'redshift-data:GetStatementResult'], ['*'], {
      StringEquals: { 'redshift-data:statement-owner-iam-userid': '${aws:userid}' },
    });
    explainWildcards(fn.role, ['*'], 'These calls take no resource: a condition keeps them to own statements.');
    explainWildcards(fn.role, [this.resourceArn], 'The ARN of a workgroup holds an id that only AWS knows.');
    const { secretArn, dbUser, cluster, database } = this.address;
    if (secretArn !== null) {
      fn.allow(['secretsmanager:GetSecretValue'], [secretArn]);
      const { kind } = this.context.mirror.aws.redshift.where;
      const isOurs = kind === 'new-serverless' || kind === 'new-cluster';
      if (isOurs) allowKeyUse(this.context.key, fn.role, { via: ['secretsmanager'], write: false });
    } else if (cluster !== null && dbUser !== null) {
      fn.allow(
        ['redshift:GetClusterCredentials'],
        [
          clusterPartArn(this, 'dbuser', `${cluster}/${dbUser}`),
          clusterPartArn(this, 'dbname', `${cluster}/${database}`),
        ],
      );
    } else {
      fn.allow(['redshift-serverless:GetCredentials'], [this.resourceArn]);
    }
  }

  private makeCopyRole(staging: Staging): Role {
    const role = new Role(this, 'CopyRole', {
      assumedBy: new CompositePrincipal(
        new ServicePrincipal('redshift.amazonaws.com'),
        new ServicePrincipal('redshift-serverless.amazonaws.com'),
      ),
      description: `Reads what is staged for the warehouse of the mirror ${this.context.mirror.name}`,
    });
    staging.grantCopy(role);
    return role;
  }

  /** Not managed by Redshift itself: CloudFormation does not tell the ARN of such a secret. */
  private adminSecret(): Secret {
    const secret = new Secret(this, 'Admin', {
      description: `The administrator of the warehouse of the mirror ${this.context.mirror.name}`,
      encryptionKey: this.context.key,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: ADMIN }),
        generateStringKey: 'password',
        passwordLength: 40,
        excludePunctuation: true,
        requireEachIncludedType: true,
      },
      removalPolicy: dataRemovalPolicy(this.context.mirror),
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Nobody types it: only the loader reads it, and a rotation would ask for a function in a VPC.',
    });
    return secret;
  }

  /** Redshift would make these groups itself, and keep what is in them for ever. */
  private auditLogs(folder: string): Construct[] {
    return AUDIT_LOGS.map((log) =>
      mirrorLogGroup(new Construct(this, `Audit-${log}`), this.context, `/aws/redshift/${folder}/${log}`),
    );
  }

  private newServerless(where: NewServerless, copyRole: Role): { address: Partial<RedshiftAddress>; arn: string } {
    const { mirror, key } = this.context;
    const { database, subnetIds, securityGroupIds } = mirror.aws.redshift;
    const secret = this.adminSecret();
    const namespace = new CfnNamespace(this, 'Namespace', {
      namespaceName: redshiftName(mirror.name),
      dbName: database,
      adminUsername: ADMIN,
      adminUserPassword: secret.secretValueFromJson('password').unsafeUnwrap(),
      kmsKeyId: key.keyArn,
      iamRoles: [copyRole.roleArn],
      defaultIamRoleArn: copyRole.roleArn,
      logExports: AUDIT_LOGS,
    });
    namespace.node.addDependency(...this.auditLogs(redshiftName(mirror.name)));
    namespace.applyRemovalPolicy(dataRemovalPolicy(mirror));
    const workgroup = new CfnWorkgroup(this, 'Workgroup', {
      workgroupName: redshiftName(mirror.name),
      namespaceName: namespace.namespaceName,
      baseCapacity: where.baseCapacity,
      publiclyAccessible: false,
      configParameters: [{ parameterKey: 'require_ssl', parameterValue: 'true' }],
      ...(subnetIds.length > 0 ? { subnetIds: [...subnetIds] } : {}),
      ...(securityGroupIds.length > 0 ? { securityGroupIds: [...securityGroupIds] } : {}),
    });
    workgroup.node.addDependency(namespace);
    return {
      address: {
        workgroup: redshiftName(mirror.name),
        secretArn: secret.secretArn,
        baseCapacity: where.baseCapacity,
      },
      arn: workgroup.attrWorkgroupWorkgroupArn,
    };
  }

  private newCluster(where: NewCluster, copyRole: Role): { address: Partial<RedshiftAddress>; arn: string } {
    const { mirror, key } = this.context;
    const { database, subnetIds, securityGroupIds } = mirror.aws.redshift;
    const parameters = new CfnClusterParameterGroup(this, 'Parameters', {
      description: `The warehouse of the mirror ${mirror.name}`,
      parameterGroupFamily: 'redshift-2.0',
      parameters: [
        { parameterName: 'require_ssl', parameterValue: 'true' },
        { parameterName: 'enable_user_activity_logging', parameterValue: 'true' },
      ],
    });
    const subnets =
      subnetIds.length > 0
        ? new CfnClusterSubnetGroup(this, 'Subnets', {
            description: `The warehouse of the mirror ${mirror.name}`,
            subnetIds: [...subnetIds],
          })
        : null;
    const cluster = new CfnCluster(this, 'Cluster', {
      clusterIdentifier: redshiftName(mirror.name),
      clusterType: where.nodes === 1 ? 'single-node' : 'multi-node',
      ...(where.nodes === 1 ? {} : { numberOfNodes: where.nodes }),
      nodeType: where.nodeType,
      dbName: database,
      masterUsername: ADMIN,
      manageMasterPassword: true,
      masterPasswordSecretKmsKeyId: key.keyId,
      encrypted: true,
      kmsKeyId: key.keyId,
      loggingProperties: { logDestinationType: 'cloudwatch', logExports: AUDIT_LOGS },
      iamRoles: [copyRole.roleArn],
      publiclyAccessible: false,
      clusterParameterGroupName: parameters.ref,
      ...(subnets ? { clusterSubnetGroupName: subnets.ref } : {}),
      ...(securityGroupIds.length > 0 ? { vpcSecurityGroupIds: [...securityGroupIds] } : {}),
    });
    cluster.applyRemovalPolicy(dataRemovalPolicy(mirror));
    cluster.node.addDependency(...this.auditLogs(`cluster/${redshiftName(mirror.name)}`));
    Validations.of(cluster).acknowledge({
      id: 'AwsSolutions-RS4',
      reason:
        'Another port hides nothing: the cluster has no public address, and its security groups say who reaches it.',
    });
    return {
      address: { cluster: redshiftName(mirror.name), secretArn: cluster.attrMasterPasswordSecretArn },
      arn: clusterPartArn(this, 'cluster', redshiftName(mirror.name)),
    };
  }
}

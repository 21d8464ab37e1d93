import { Duration, Stack } from 'aws-cdk-lib';
import { CfnWorkGroup, CfnNamedQuery } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase } from 'aws-cdk-lib/aws-glue';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { PREFIXES, workgroupName } from '../core/aws-names.ts';
import type { Control } from './control.ts';
import { dataRemovalPolicy } from './mirror-context.ts';
import { mirrorBucket } from './mirror-bucket.ts';
import { allowKeyUse } from './mirror-key.ts';
import { OBJECTS_BELOW, explainWildcards } from './wildcards.ts';

const GB = 1024 ** 3;
const RESULT_DAYS = 7;
const REDRIVEN_DAYS = 90;

/** What a role does with the lake's tables. */
export interface LakeUse {
  /**
   * One table, by its name in the catalog, such as `orders__changes`. Null: whatever is in the mirror's own database, since a
   * list of hundreds of tables would pass the size that a policy may have.
   */
  readonly table: string | null;
  readonly glue: readonly string[];
  /** What it does with the objects of the tables. */
  readonly objects: readonly string[];
  /** What it does with the bucket itself. */
  readonly bucket: readonly string[];
}

/** Where the lakehouse's tables lie: the bucket, the Glue database and the Athena workgroup. */
export class Lake extends Construct {
  readonly bucket: Bucket;
  /** The Glue database's name. */
  readonly database: string;
  /** The Athena workgroup's name. */
  readonly workgroup: string;
  /** What must be there before a table is made. */
  readonly catalog: readonly Construct[];
  private readonly control: Control;

  constructor(scope: Construct, id: string, control: Control) {
    super(scope, id);
    this.control = control;
    const { mirror } = control.context;
    this.bucket = mirrorBucket(this, 'Bucket', control.context, {
      accessLogs: control.accessLogs,
      logPrefix: 'lake/',
      // Nothing under `tables/`: what a table does not need any more its optimizers remove, and nobody else may.
      lifecycleRules: [
        { id: 'forget-query-results', prefix: PREFIXES.queryResults, expiration: Duration.days(RESULT_DAYS) },
        { id: 'forget-what-was-redriven', prefix: PREFIXES.redriven, expiration: Duration.days(REDRIVEN_DAYS) },
      ],
    });
    this.database = mirror.aws.lakehouse.database;
    const database = new CfnDatabase(this, 'Database', {
      catalogId: Stack.of(this).account,
      databaseInput: {
        name: this.database,
        description: `The mirror ${mirror.name}: changelogs, states and views`,
        locationUri: this.bucket.s3UrlForObject(PREFIXES.tables),
      },
    });
    database.applyRemovalPolicy(dataRemovalPolicy(mirror));
    const workgroup = this.makeWorkgroup();
    this.workgroup = workgroup.name;
    this.catalog = [database, workgroup];
  }

  private makeWorkgroup(): CfnWorkGroup {
    const { mirror } = this.control.context;
    const workgroup = new CfnWorkGroup(this, 'Workgroup', {
      name: workgroupName(mirror.name),
      description: `Merges and queries of the mirror ${mirror.name}`,
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        bytesScannedCutoffPerQuery: mirror.aws.lakehouse.queryLimitGb * GB,
        resultConfiguration: {
          outputLocation: this.bucket.s3UrlForObject(PREFIXES.queryResults),
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: this.control.key.keyArn },
        },
      },
    });
    for (const { name } of mirror.tables) {
      const query = new CfnNamedQuery(this, `Query-${name}`, {
        name: `The newest ${name}`,
        description: `The rows of ${name} with every change that has arrived`,
        database: this.database,
        workGroup: workgroup.name,
        queryString: `SELECT * FROM "${this.database}"."${name}_live" ORDER BY "_committed_at" DESC LIMIT 10`,
      });
      query.node.addDependency(workgroup);
    }
    return workgroup;
  }

  /** Lets a role use tables of the catalog, and the files of those tables. */
  grantTables(role: Role, use: LakeUse): void {
    const { partition, region, account } = Stack.of(this);
    const glue = `arn:${partition}:glue:${region}:${account}`;
    const table = `${glue}:table/${this.database}/${use.table ?? '*'}`;
    this.allow(role, use.glue, [`${glue}:catalog`, `${glue}:database/${this.database}`, table]);
    explainWildcards(role, [table], 'All tables of a database that is for the mirror alone.');
    this.grantObjects(role, use.objects, [use.table === null ? PREFIXES.tables : `${PREFIXES.tables}${use.table}/`]);
    if (use.bucket.length > 0) this.grantBucket(role, use.bucket);
    if (this.control.context.mirror.aws.lakehouse.lakeFormation) {
      // It takes no resource: Lake Formation's own grants say what it gives access to.
      this.allow(role, ['lakeformation:GetDataAccess'], ['*']);
      explainWildcards(role, ['*'], 'It takes no resource: the grants in Lake Formation say what it gives access to.');
    }
  }

  /** Lets a role do something with the objects below prefixes of the bucket. */
  grantObjects(role: Role, actions: readonly string[], prefixes: readonly string[]): void {
    const objects = prefixes.map((prefix) => this.bucket.arnForObjects(`${prefix}*`));
    this.allow(role, actions, objects);
    explainWildcards(role, objects, OBJECTS_BELOW);
    this.grantKey(role);
  }

  /** Lets a role do something with the bucket itself. */
  grantBucket(role: Role, actions: readonly string[]): void {
    this.allow(role, actions, [this.bucket.bucketArn]);
  }

  /** Lets a role run statements in the workgroup. */
  grantQueries(role: Role, actions: readonly string[]): void {
    const { partition, region, account } = Stack.of(this);
    this.allow(role, actions, [`arn:${partition}:athena:${region}:${account}:workgroup/${this.workgroup}`]);
    this.allow(
      role,
      ['athena:GetDataCatalog'],
      [`arn:${partition}:athena:${region}:${account}:datacatalog/AwsDataCatalog`],
    );
    this.grantObjects(
      role,
      ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      [PREFIXES.queryResults],
    );
    this.grantBucket(role, ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads']);
  }

  private grantKey(role: Role): void {
    allowKeyUse(this.control.key, role, { via: ['s3'], write: true });
  }

  private allow(role: Role, actions: readonly string[], resources: readonly string[]): void {
    role.addToPolicy(new PolicyStatement({ effect: Effect.ALLOW, actions: [...actions], resources: [...resources] }));
  }
}

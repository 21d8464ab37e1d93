import type { CustomResource } from 'aws-cdk-lib';
import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { functionName } from '../core/aws-names.ts';
import type { Control } from './control.ts';
import type { Lake } from './lake.ts';
import { LONGEST_RUN, MirrorFunction } from './mirror-function.ts';
import type { SchemaRegistrar } from './schema-registrar.ts';
import type { SourceTable } from './source-table.ts';
import { tableRegistration } from './table-registration.ts';
import { explainWildcards } from './wildcards.ts';

const OPTIMIZER_LOGS = ['iceberg-compaction', 'iceberg-retention', 'iceberg-orphan-file-deletion'];

export interface LakeTablesProps {
  readonly control: Control;
  readonly lake: Lake;
  readonly registrar: SchemaRegistrar;
  readonly sources: readonly SourceTable[];
}

/** Makes the lake's tables and views, and sets the optimizers that keep them small. */
export class LakeTables extends Construct {
  readonly function: MirrorFunction<'registrar'>;
  /** Compaction, snapshot retention and orphan removal run with it. */
  readonly optimizerRole: Role;
  /** By table: whatever needs its Iceberg tables depends on it. */
  readonly tables: ReadonlyMap<string, CustomResource>;

  constructor(scope: Construct, id: string, props: LakeTablesProps) {
    super(scope, id);
    const { lake, registrar, sources } = props;
    this.optimizerRole = optimizerRole(this, props);
    this.function = lakeRegistrar(this, props, this.optimizerRole);
    this.tables = new Map(
      sources.map(({ table, tableArn }) => {
        const made = tableRegistration(this, `Lake-${table.name}`, this.function, {
          part: 'lake',
          table,
          sourceArn: tableArn,
        });
        made.node.addDependency(...lake.catalog, this.optimizerRole);
        const schema = registrar.schemas.get(table.name);
        if (schema) made.node.addDependency(schema);
        return [table.name, made];
      }),
    );
  }
}

function lakeRegistrar(scope: Construct, props: LakeTablesProps, optimizer: Role): MirrorFunction<'registrar'> {
  const { control, lake } = props;
  const { mirror } = control.context;
  const fn = new MirrorFunction(scope, 'Registrar', control.context, {
    role: 'registrar',
    functionName: functionName(mirror.name, 'lake-registrar'),
    description: `Makes the Iceberg tables and views of the mirror ${mirror.name} when it is deployed`,
    environment: {
      MIRROR: mirror.name,
      CONTROL_TABLE: control.table.tableName,
      DATABASE: lake.database,
      LAKE_BUCKET: lake.bucket.bucketName,
      WORKGROUP: lake.workgroup,
      OPTIMIZER_ROLE_ARN: optimizer.roleArn,
      SNAPSHOT_DAYS: String(mirror.aws.lakehouse.snapshotDays),
    },
    timeout: LONGEST_RUN,
    memoryMb: 512,
  });
  control.grantTable(fn, ['dynamodb:Query']);
  lake.grantTables(fn.role, {
    table: null,
    glue: [
      'glue:GetDatabase',
      'glue:GetTable',
      'glue:CreateTable',
      'glue:UpdateTable',
      'glue:CreateTableOptimizer',
      'glue:UpdateTableOptimizer',
    ],
    objects: ['s3:GetObject', 's3:PutObject'],
    bucket: [],
  });
  lake.grantQueries(fn.role, ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:StopQueryExecution']);
  fn.allow(['iam:PassRole'], [optimizer.roleArn], { StringEquals: { 'iam:PassedToService': 'glue.amazonaws.com' } });
  return fn;
}

function optimizerRole(scope: Construct, { control, lake }: LakeTablesProps): Role {
  const { mirror } = control.context;
  const { partition, region, account } = Stack.of(scope);
  const role = new Role(scope, 'OptimizerRole', {
    assumedBy: new ServicePrincipal('glue.amazonaws.com'),
    description: `Compacts the tables of the mirror ${mirror.name}, and removes what they do not need any more`,
  });
  lake.grantTables(role, {
    table: null,
    glue: ['glue:GetTable', 'glue:UpdateTable'],
    objects: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
    bucket: ['s3:ListBucket'],
  });
  const logs = OPTIMIZER_LOGS.map(
    (name) => `arn:${partition}:logs:${region}:${account}:log-group:/aws-glue/${name}/logs:*`,
  );
  role.addToPolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: logs,
    }),
  );
  explainWildcards(role, logs, 'The names of their log streams are for Glue to choose.');
  return role;
}

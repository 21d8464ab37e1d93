import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CustomerManagedEncryptionConfiguration } from 'aws-cdk-lib/aws-stepfunctions';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { functionName, mergeMachineName } from '../core/aws-names.ts';
import type { MergeInput } from '../core/contract.ts';
import type { Control } from './control.ts';
import type { Lake } from './lake.ts';
import { mergeDefinition } from './merge-definition.ts';
import { LONGEST_RUN, MirrorFunction } from './mirror-function.ts';
import { mirrorLogGroup } from './mirror-log-group.ts';
import { RegularCall } from './regular-call.ts';
import { explainWildcards } from './wildcards.ts';

export interface LakeMergeProps {
  readonly control: Control;
  readonly lake: Lake;
}

/** What brings the state tables up to their changelogs: a look every so many minutes, and a state machine for each merge. */
export class LakeMerge extends Construct {
  readonly function: MirrorFunction<'merge'>;
  readonly machine: StateMachine;
  /** Athena reads and writes the tables with it. */
  readonly machineRole: Role;

  constructor(scope: Construct, id: string, props: LakeMergeProps) {
    super(scope, id);
    const { context } = props.control;
    const { mirror } = context;
    this.function = mergeFunction(this, props);
    const machineScope = new Construct(this, 'Machine');
    this.machineRole = mergeRole(machineScope, props, this.function);
    this.machine = mergeMachine(machineScope, props, this.function, this.machineRole);
    const input: MergeInput = { step: 'look', tables: mirror.tables.map((table) => table.name) };
    new RegularCall(this, 'Look', context, {
      fn: this.function,
      everyMinutes: mirror.aws.lakehouse.mergeEveryMinutes,
      input,
    });
  }
}

function mergeFunction(scope: Construct, { control, lake }: LakeMergeProps): MirrorFunction<'merge'> {
  const { mirror } = control.context;
  const fn = new MirrorFunction(scope, 'Function', control.context, {
    role: 'merge',
    functionName: functionName(mirror.name, 'merge'),
    description: `Looks for what is new in the changelogs of the mirror ${mirror.name}, and plans its merges`,
    environment: {
      MIRROR: mirror.name,
      CONTROL_TABLE: control.table.tableName,
      DATABASE: lake.database,
      LAKE_BUCKET: lake.bucket.bucketName,
      WORKGROUP: lake.workgroup,
      MERGE_MACHINE_NAME: mergeMachineName(mirror.name),
      OBJECTIVE_SECONDS: String(mirror.freshness.objectiveSeconds),
    },
    timeout: LONGEST_RUN,
    memoryMb: 1024,
  });
  control.grantTable(fn, ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:Query']);
  // A state table gets its new columns before the merge that brings them; Glue writes its metadata on the caller's behalf.
  lake.grantTables(fn.role, {
    table: null,
    glue: ['glue:GetTable', 'glue:UpdateTable'],
    objects: ['s3:GetObject', 's3:PutObject'],
    // Without it, S3 does not tell that an object is gone from that it may not be read.
    bucket: ['s3:ListBucket'],
  });
  const stack = Stack.of(scope);
  fn.allow(
    ['states:StartExecution'],
    // By its name: the machine calls the function, and the one could not be made before the other.
    [
      stack.formatArn({
        service: 'states',
        resource: 'stateMachine',
        resourceName: mergeMachineName(mirror.name),
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    ],
  );
  return fn;
}

function mergeRole(scope: Construct, { control, lake }: LakeMergeProps, fn: MirrorFunction<'merge'>): Role {
  const { mirror } = control.context;
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('states.amazonaws.com'),
    description: `Runs the merges of the mirror ${mirror.name}`,
  });
  explainWildcards(role, ['*'], 'The delivery of logs and X-Ray take no resource.');
  role.addToPolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      actions: ['lambda:InvokeFunction'],
      resources: [fn.function.functionArn],
    }),
  );
  // Athena reads and writes with the rights of who starts the statement.
  lake.grantQueries(role, ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:StopQueryExecution']);
  lake.grantTables(role, {
    table: null,
    // Views, too, are made anew here.
    glue: ['glue:GetDatabase', 'glue:GetTable', 'glue:CreateTable', 'glue:UpdateTable'],
    objects: [
      's3:GetObject',
      's3:PutObject',
      's3:DeleteObject',
      's3:AbortMultipartUpload',
      's3:ListMultipartUploadParts',
    ],
    bucket: [],
  });
  return role;
}

function mergeMachine(
  scope: Construct,
  { control, lake }: LakeMergeProps,
  fn: MirrorFunction<'merge'>,
  role: Role,
): StateMachine {
  const { mirror, key } = control.context;
  return new StateMachine(scope, 'Machine', {
    stateMachineName: mergeMachineName(mirror.name),
    stateMachineType: StateMachineType.STANDARD,
    definitionBody: DefinitionBody.fromString(
      Stack.of(scope).toJsonString(
        mergeDefinition({
          functionArn: fn.function.functionArn,
          workgroup: lake.workgroup,
          database: lake.database,
        }),
      ),
    ),
    role,
    encryptionConfiguration: new CustomerManagedEncryptionConfiguration(key),
    tracingEnabled: true,
    logs: {
      destination: mirrorLogGroup(scope, control.context, `/aws/vendedlogs/states/${mergeMachineName(mirror.name)}`),
      level: LogLevel.ALL,
      // The statements name no rows, but the log needs neither them nor the plans.
      includeExecutionData: false,
    },
  });
}

import { Stack } from 'aws-cdk-lib';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { dashboardName, deploymentParameter } from '../core/aws-names.ts';
import type { Deployment } from '../core/contract.ts';
import type { Control } from './control.ts';
import type { Lakehouse } from './lakehouse.ts';
import { OWN_PACKAGE } from './own-package.ts';
import type { Redrive } from './redrive.ts';
import type { Warehouse } from './warehouse.ts';

export interface DeploymentRecordProps {
  readonly control: Control;
  readonly redrive: Redrive;
  readonly lakehouse: Lakehouse | null;
  readonly warehouse: Warehouse | null;
}

/** Where the command line begins: one parameter that says where everything of the mirror is. */
export class DeploymentRecord extends Construct {
  constructor(scope: Construct, id: string, props: DeploymentRecordProps) {
    super(scope, id);
    const { name } = props.control.context.mirror;
    new StringParameter(this, 'Parameter', {
      parameterName: deploymentParameter(name),
      description: `Where the mirror ${name} is; written by \`cdk deploy\`, read by \`glasshouse\``,
      stringValue: Stack.of(this).toJsonString(deploymentOf(props, Stack.of(this).region)),
    });
  }
}

function deploymentOf(props: DeploymentRecordProps, region: string): Deployment {
  const { control, redrive, lakehouse, warehouse } = props;
  const { mirror } = control.context;
  return {
    mirror: mirror.name,
    region,
    version: OWN_PACKAGE.version,
    controlTable: control.table.tableName,
    controlBucket: control.bucket.bucketName,
    redriveFunction: redrive.function.function.functionName,
    dashboard: dashboardName(mirror.name),
    lakehouse: lakehouse && {
      bucket: lakehouse.lake.bucket.bucketName,
      database: lakehouse.lake.database,
      workgroup: lakehouse.lake.workgroup,
      mergeFunction: lakehouse.merge.function.function.functionName,
    },
    warehouse: warehouse && {
      bucket: warehouse.staging.bucket.bucketName,
      redshift: warehouse.redshift.address,
      viewSchema: warehouse.viewSchema,
      loadFunction: warehouse.function.function.functionName,
      queueUrl: warehouse.staging.queue.queueUrl,
      deadLetterUrl: warehouse.staging.deadLetters.queueUrl,
    },
  };
}

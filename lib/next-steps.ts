import { CfnOutput, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { dashboardName } from '../core/aws-names.ts';
import type { Mirror as ValidMirror } from '../core/config.ts';

/** The outputs of a deploy: links to look at, and the commands for the next step. */
export function nextSteps(
  scope: Construct,
  mirror: ValidMirror,
  parts: { readonly database: string | null; readonly viewSchema: string | null },
): void {
  const { region } = Stack.of(scope);
  const console = `https://${region}.console.aws.amazon.com`;
  const [table] = mirror.tables;
  const output = (id: string, description: string, value: string) => new CfnOutput(scope, id, { description, value });
  output(
    'Dashboard',
    'Is the mirror fresh, is it right, what does it cost?',
    `${console}/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName(mirror.name)}`,
  );
  if (parts.database !== null && table) {
    output('AthenaEditor', 'Queries the lakehouse', `${console}/athena/home?region=${region}#/query-editor`);
    output(
      'AthenaQuery',
      `A first query, in the workgroup glasshouse-${mirror.name}`,
      `SELECT * FROM "${parts.database}"."${table.name}_live" LIMIT 10`,
    );
  }
  if (parts.viewSchema !== null && table) {
    output('RedshiftEditor', 'Queries the warehouse', `${console}/sqlworkbench/home?region=${region}#/client`);
    output('RedshiftQuery', 'A first query', `SELECT * FROM "${parts.viewSchema}"."${table.name}" LIMIT 10`);
  }
  const options = `--deployed --mirror ${mirror.name} --region ${region}`;
  output('NextStatus', 'How far is each target?', `npx glasshouse status ${options}`);
  output('NextVerify', 'Are the targets equal to the source?', `npx glasshouse verify ${options}`);
}

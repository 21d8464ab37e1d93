import { CustomResource, Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { MirrorTable } from '../core/config.ts';
import { columnTypeText } from '../core/column.ts';
import type { RegistrarProperties } from '../core/contract.ts';
import { OWN_PACKAGE } from './own-package.ts';
import type { MirrorFunction } from './mirror-function.ts';

/** Asks a registrar for one part of one table, at each deploy that changes the table's configuration or Glasshouse itself. */
export function tableRegistration(
  scope: Construct,
  id: string,
  registrar: MirrorFunction<'registrar'>,
  request: { readonly part: RegistrarProperties['part']; readonly table: MirrorTable; readonly sourceArn: string },
): CustomResource {
  const { part, table, sourceArn } = request;
  const properties: RegistrarProperties = {
    part,
    table: table.name,
    sourceArn,
    key: table.key === null ? '' : JSON.stringify(table.key),
    columns: JSON.stringify(
      Object.fromEntries(Object.entries(table.columns).map(([attribute, type]) => [attribute, columnTypeText(type)])),
    ),
    maxColumns: String(table.maxColumns),
  };
  return new CustomResource(scope, id, {
    resourceType: 'Custom::GlasshouseTable',
    serviceToken: registrar.function.functionArn,
    serviceTimeout: Duration.minutes(15),
    // A new release may make views and properties anew.
    properties: { ...properties, release: OWN_PACKAGE.version },
  });
}

import { Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { CfnPrincipalPermissions } from 'aws-cdk-lib/aws-lakeformation';
import { Construct } from 'constructs';
import type { Lake } from './lake.ts';

const WRITER = ['SELECT', 'INSERT', 'DELETE', 'ALTER', 'DESCRIBE'];

export interface LakeGrant {
  readonly id: string;
  readonly role: Role;
  /** `owner` makes tables; `writer` reads and writes those that are there. */
  readonly as: 'owner' | 'writer';
}

/**
 * What Lake Formation must be told of the roles, where it governs the catalog. Who deploys must be an administrator of the
 * data lake, or hold these permissions with the right to grant them.
 */
export class LakePermissions extends Construct {
  constructor(scope: Construct, id: string, lake: Lake, grants: readonly LakeGrant[]) {
    super(scope, id);
    const catalog = Stack.of(this).account;
    for (const { id: name, role, as } of grants) {
      const isOwner = as === 'owner';
      const make = (part: string, permissions: string[], resource: CfnPrincipalPermissions.ResourceProperty) => {
        const made = new CfnPrincipalPermissions(this, `${name}${part}`, {
          principal: { dataLakePrincipalIdentifier: role.roleArn },
          permissions,
          permissionsWithGrantOption: [],
          resource,
        });
        made.node.addDependency(...lake.catalog);
      };
      make('Database', isOwner ? ['CREATE_TABLE', 'ALTER', 'DESCRIBE'] : ['DESCRIBE'], {
        database: { catalogId: catalog, name: lake.database },
      });
      make('Tables', isOwner ? ['ALL'] : WRITER, {
        table: { catalogId: catalog, databaseName: lake.database, tableWildcard: {} },
      });
    }
  }
}

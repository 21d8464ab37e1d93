import type { PrincipalPermissions } from '@aws-sdk/client-glue';
import { GetCatalogCommand, GetDatabaseCommand } from '@aws-sdk/client-glue';
import type { Mirror } from '../../core/config.ts';
import type { Deployment } from '../../core/contract.ts';
import type { Clients } from '../clients.ts';
import type { Caller } from './account-checks.ts';
import type { Check, Finding } from './check.ts';
import { check, ok, warning, wrong } from './check.ts';

/** What is to be looked at where the mirror has a lakehouse. `deployed` is what stands already. */
export async function lakehouseChecks(
  mirror: Mirror,
  clients: Clients,
  known: { readonly caller: Caller; readonly deployed: Deployment | null },
): Promise<Check[]> {
  if (!mirror.targets.lakehouse) return [];
  return Promise.all([
    check('lakehouse', 'Glue database', () => databaseFinding(mirror, clients, known.deployed)),
    check('lakehouse', 'Lake Formation', () => formationFinding(mirror, clients, known.caller)),
  ]);
}

async function databaseFinding(mirror: Mirror, clients: Clients, deployed: Deployment | null): Promise<Finding> {
  const name = mirror.aws.lakehouse.database;
  try {
    await clients.glue().send(new GetDatabaseCommand({ Name: name }));
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'EntityNotFoundException') return ok(`${name} is free`);
    throw thrown;
  }
  if (deployed?.lakehouse?.database === name) return ok(`${name} is this mirror's`);
  return wrong(
    `${name} is there, and not this mirror's`,
    'Write another name as aws.lakehouse.database: the deploy makes its database, and fails where there is one.',
  );
}

/** What AWS calls everybody whom IAM allows: where defaults go to it, Lake Formation leaves the decision to IAM. */
const EVERYBODY = 'IAM_ALLOWED_PRINCIPALS';

async function formationFinding(mirror: Mirror, clients: Clients, caller: Caller): Promise<Finding> {
  const { Catalog: catalog } = await clients.glue().send(new GetCatalogCommand({ CatalogId: caller.account }));
  const isOpen = [catalog?.CreateDatabaseDefaultPermissions, catalog?.CreateTableDefaultPermissions].every(leavesToIam);
  const isConfigured = mirror.aws.lakehouse.lakeFormation;
  if (isOpen && !isConfigured) return ok('does not govern new tables');
  if (!isOpen && isConfigured) return ok('governs new tables, and the deploy grants what the roles need');
  if (isOpen)
    return warning(
      'does not govern new tables, and aws.lakehouse.lakeFormation is true',
      'Leave it out, unless the catalog is about to be governed.',
    );
  return warning(
    'governs new databases or tables of this catalog',
    'Write aws: { lakehouse: { lakeFormation: true } }, and see that who deploys is a Lake Formation administrator.',
  );
}

function leavesToIam(permissions: readonly PrincipalPermissions[] | undefined): boolean {
  return permissions?.some(({ Principal }) => Principal?.DataLakePrincipalIdentifier === EVERYBODY) ?? false;
}

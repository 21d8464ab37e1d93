import { explainFailure } from '../adapters/aws/failure.ts';
import type { Mirror } from '../core/config.ts';
import type { Clients } from './clients.ts';
import { openClients } from './clients.ts';
import { findDeployment, regionOf } from './deployment.ts';
import { accountChecks, checkCredentials } from './doctor/account-checks.ts';
import type { Check } from './doctor/check.ts';
import { lakehouseChecks } from './doctor/lakehouse-checks.ts';
import { tableChecks } from './doctor/table-checks.ts';
import { warehouseChecks } from './doctor/warehouse-checks.ts';
import type { DeployedOptions, DoctorReport } from './results.ts';

/** Looks at an account, and at each table of a configuration, before the deploy, and says what to do. It changes nothing. */
export async function examine(mirror: Mirror, options: DeployedOptions): Promise<DoctorReport> {
  const clients = openClients(regionOf(mirror, options));
  try {
    const checks = await allChecks(mirror, clients, options);
    return {
      mirror: mirror.name,
      region: clients.region,
      checks,
      wrong: checks.filter((one) => one.verdict === 'wrong').length,
      warnings: checks.filter((one) => one.verdict === 'warning').length,
    };
  } catch (thrown) {
    throw explainFailure(thrown, `examine the account for the mirror ${mirror.name}`);
  } finally {
    clients.close();
  }
}

async function allChecks(mirror: Mirror, clients: Clients, options: DeployedOptions): Promise<Check[]> {
  const { check: first, caller } = await checkCredentials(mirror, clients);
  if (caller === null) return [first];
  options.log('Looking at the account.');
  // What stands already may be this mirror's own, deployed before.
  const deployed = await findDeployment(clients, options.mirror ?? mirror.name).catch(() => null);
  const checks = [first, ...(await accountChecks(mirror, clients, caller))];
  for (const table of mirror.tables) {
    options.signal.throwIfAborted();
    options.log(`Looking at ${table.name}.`);
    checks.push(...(await tableChecks(table, clients)));
  }
  checks.push(...(await lakehouseChecks(mirror, clients, { caller, deployed })));
  checks.push(...(await warehouseChecks(mirror, clients, options.signal)));
  return checks;
}

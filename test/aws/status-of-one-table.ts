import type { DeployedStatus, TargetName, TargetStatus } from '../../deployed/results.ts';

/** What `status --deployed` says of a mirror of one table in which all is well. */
export function statusOfOneTable(table: string, targets: Partial<Record<TargetName, TargetStatus>>): DeployedStatus {
  const nothing = { quarantined: {}, quarantinedObjects: 0, rescuedRows: 0, iteratorAgeMs: 0 };
  return {
    mirror: 'shop',
    region: 'eu-central-1',
    version: '0.1.0',
    dashboard: 'glasshouse-shop',
    tables: [{ table, columns: 3, targets, ...nothing }],
    failedBatches: 0,
    loads: null,
  };
}

import type { AthenaAccess } from '../adapters/aws/athena-statements.ts';
import { runStatement } from '../adapters/aws/athena-statements.ts';
import type { Mirror } from '../core/config.ts';
import { changelogName } from '../core/lake-tables.ts';
import { openClients } from './clients.ts';
import { deploymentOfMirror, regionOf } from './deployment.ts';
import type { DeployedMaintainReport, DeployedOptions } from './results.ts';

/** A large table's first compaction. */
const LONGEST_STATEMENT_MS = 30 * 60_000;
/** Both statements do a bounded amount at a time, and say that there is more by failing: AWS asks to run them again. */
const MOST_RUNS = 20;

/**
 * Compacts the lake's tables and expires their old snapshots now, which Glue's optimizers do by themselves once a day. What
 * a reader of the newest snapshot sees does not change.
 */
export async function maintainDeployed(
  mirror: Mirror,
  options: DeployedOptions & { readonly dryRun: boolean },
): Promise<DeployedMaintainReport> {
  const clients = openClients(regionOf(mirror, options));
  try {
    const { lakehouse, warehouse } = await deploymentOfMirror(mirror, clients, options);
    const statements =
      lakehouse === null ? [] : mirror.tables.flatMap(({ name }) => statementsOf(lakehouse.database, name));
    const done: DeployedMaintainReport['statements'][number][] = [];
    for (const { table, sql } of statements) {
      options.signal.throwIfAborted();
      if (lakehouse === null || options.dryRun) done.push({ table, sql, scannedBytes: null });
      else {
        options.log(`${sql} …`);
        const { workgroup, database } = lakehouse;
        const scannedBytes = await runToTheEnd({ client: clients.athena(), workgroup, database }, sql);
        done.push({ table, sql, scannedBytes });
      }
    }
    return {
      isDryRun: options.dryRun,
      statements: done,
      notes: warehouse === null ? [] : ['Redshift vacuums and analyses its tables by itself: there is nothing to do.'],
    };
  } finally {
    clients.close();
  }
}

/** Athena's own statements, in an order in which what the first leaves behind is what the second removes. */
function statementsOf(database: string, table: string): { readonly table: string; readonly sql: string }[] {
  // Of these two statements Athena takes names without quotes only.
  return [changelogName(table), table].flatMap((name) => [
    { table: name, sql: `OPTIMIZE ${database}.${name} REWRITE DATA USING BIN_PACK` },
    { table: name, sql: `VACUUM ${database}.${name}` },
  ]);
}

/** Returns what Athena bills by. */
async function runToTheEnd(access: AthenaAccess, sql: string): Promise<number> {
  for (let run = 1; ; run++) {
    try {
      return (await runStatement(access, sql, Date.now() + LONGEST_STATEMENT_MS)).scannedBytes;
    } catch (thrown) {
      const isUnfinished = thrown instanceof Error && thrown.message.includes('MORE_RUNS_NEEDED');
      if (!isUnfinished || run === MOST_RUNS) throw thrown;
    }
  }
}

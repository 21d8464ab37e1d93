import type { Duck } from '../adapters/duckdb/connection.ts';
import { fileRewriter } from '../adapters/duckdb/rewrite.ts';
import { compactTable } from '../adapters/iceberg/compact.ts';
import { expireSnapshots } from '../adapters/iceberg/expire.ts';
import { removeOrphans } from '../adapters/iceberg/remove-orphans.ts';
import type { IcebergTable } from '../adapters/iceberg/table.ts';
import type { MaintainReport } from './results.ts';
import type { OpenTable } from './workspace.ts';

export interface UpkeepLimits {
  /** The newest snapshots that stay. */
  readonly keepSnapshots: number;
  readonly nowMs: number;
}

/** What upkeep did to an Iceberg table. */
export type UpkeepReport = Omit<MaintainReport['tables'][number], 'table'>;

/**
 * Compacts, expires and cleans a mirrored table's changelog and state. Of the changelog only what every target has taken in
 * is compacted, so that nobody reads it again.
 */
export async function maintainTable(
  duck: Duck,
  table: OpenTable,
  limits: UpkeepLimits,
): Promise<readonly UpkeepReport[]> {
  const marks = await Promise.all([...table.targets.values()].map((target) => target.mark()));
  const upToSequence = Math.min(...marks.map((mark) => mark?.sequence ?? 0));
  const reports = [await maintainIceberg(duck, table.changelog.table, limits, upToSequence)];
  if (table.state !== null) reports.push(await maintainIceberg(duck, table.state.table, limits));
  return reports;
}

async function maintainIceberg(
  duck: Duck,
  table: IcebergTable,
  limits: UpkeepLimits,
  upToSequence?: number,
): Promise<UpkeepReport> {
  const before = await filesOf(table);
  await compactTable(table, fileRewriter(duck), upToSequence === undefined ? {} : { upToSequence });
  const { expiredSnapshots } = await expireSnapshots(table, { keep: limits.keepSnapshots });
  const { removedFiles } = await removeOrphans(table, { nowMs: limits.nowMs });
  const after = await filesOf(table);
  return {
    filesBefore: before.files,
    filesAfter: after.files,
    bytesBefore: before.bytes,
    bytesAfter: after.bytes,
    snapshotsExpired: expiredSnapshots,
    orphansRemoved: removedFiles,
  };
}

/** The live files of a table and their bytes. */
export async function filesOf(table: IcebergTable): Promise<{ readonly files: number; readonly bytes: number }> {
  const { data, deletes } = await (await table.load()).files();
  const live = [...data, ...deletes];
  return { files: live.length, bytes: live.reduce((sum, file) => sum + file.sizeBytes, 0) };
}

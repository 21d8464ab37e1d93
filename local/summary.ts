import type { MirrorTable } from '../core/config.ts';
import type { Meter } from './meter.ts';
import type { RunSummary, TableSummary, TargetName } from './results.ts';
import type { Workspace } from './workspace.ts';

/** What a run has come to. */
export function summaryOf(meter: Meter, tables: readonly TableSummary[]): RunSummary {
  const seconds = meter.seconds;
  return {
    tables,
    seconds,
    perSecond: seconds === 0 ? 0 : meter.records / seconds,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}

/** One table's part of it. */
export async function tableSummary(workspace: Workspace, table: MirrorTable, meter: Meter): Promise<TableSummary> {
  return {
    table: table.name,
    records: meter.records,
    changes: meter.changes,
    rows: await rowCounts(workspace, table),
    quarantined: { ...meter.quarantined },
    rescued: meter.rescued,
  };
}

/** The rows that each target has now. */
export async function rowCounts(
  workspace: Workspace,
  table: MirrorTable,
): Promise<Partial<Record<TargetName, number>>> {
  const counts: Partial<Record<TargetName, number>> = {};
  const schema = (await workspace.schemas(table.name)).at(-1);
  if (schema === undefined) return counts;
  const { state } = await workspace.openTable(table, schema);
  if (state !== null) counts.lakehouse = await state.rowCount();
  const size = await workspace.warehouse?.tableSize(table.name);
  if (workspace.warehouse !== null) counts.warehouse = size?.rows ?? 0;
  return counts;
}

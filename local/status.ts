import type { Mirror, MirrorTable } from '../core/config.ts';
import { scanRows } from '../adapters/duckdb/read.ts';
import type { ChangelogMark, Target } from '../flows/ports.ts';
import { layoutOf } from './layout.ts';
import { filesOf } from './maintain-table.ts';
import { mirrorOf } from './mirror-file.ts';
import type { CommonOptions, StatusReport, TargetName } from './results.ts';
import { runningEndpoint } from './source.ts';
import { rowCounts } from './summary.ts';
import type { OpenTable, Workspace } from './workspace.ts';
import { openWorkspace } from './workspace.ts';

/** What a mirror's folder holds now; it may be asked beside `run`. */
export async function statusOf(mirror: Mirror | null, options: CommonOptions): Promise<StatusReport> {
  const found = await mirrorOf(mirror, layoutOf(options.dir));
  const workspace = await openWorkspace(found, options.dir, { access: 'read', signal: options.signal });
  try {
    const tables = [];
    for (const table of found.tables) tables.push(await tableStatus(workspace, table));
    return {
      mirror: found.name,
      dir: options.dir,
      tables,
      warehouseUrl: workspace.warehouseUrl,
      sourceEndpoint: await runningEndpoint(workspace.layout),
    };
  } finally {
    await workspace.close();
  }
}

type TableStatus = StatusReport['tables'][number];

async function tableStatus(workspace: Workspace, table: MirrorTable): Promise<TableStatus> {
  const quarantined = await workspace.quarantine.counts(table.name);
  const schema = (await workspace.schemas(table.name)).at(-1);
  if (schema === undefined) {
    return { table: table.name, rows: {}, changes: 0, lagMs: {}, quarantined, rescuedRows: 0, bytes: {}, columns: 0 };
  }
  const open = await workspace.openTable(table, schema);
  const newest = await open.changelog.newest();
  const lagMs: Partial<Record<TargetName, number | null>> = {};
  for (const [name, target] of open.targets) lagMs[name] = await lagOf(target, open, newest);
  const total = (await open.changelog.table.load()).snapshot?.summary['total-records'];
  return {
    table: table.name,
    rows: await rowCounts(workspace, table),
    changes: Number(total ?? 0),
    lagMs,
    quarantined,
    rescuedRows: await rescuedRows(workspace, open),
    bytes: await bytesOf(workspace, table, open),
    columns: schema.columns.length,
  };
}

/** 0 where the target has all of the changelog; else the age of the oldest append that it lacks; null where there is nothing. */
async function lagOf(target: Target, open: OpenTable, newest: ChangelogMark | null): Promise<number | null> {
  if (newest === null) return null;
  const mark = await target.mark();
  if (mark !== null && mark.sequence >= newest.sequence) return 0;
  const { metadata } = await open.changelog.table.load();
  const lacking = metadata.snapshots.filter((snapshot) => snapshot['sequence-number'] > (mark?.sequence ?? 0));
  return Math.max(0, Date.now() - Math.min(...lacking.map((snapshot) => snapshot['timestamp-ms'])));
}

async function rescuedRows(workspace: Workspace, { state }: OpenTable): Promise<number> {
  if (state === null) return 0;
  const view = await state.table.load();
  const query = { fields: view.fields, files: await view.files(), select: ['count(_rescued)::DOUBLE'] };
  for await (const chunk of scanRows(workspace.duck, query)) return Number(chunk.columns[0]?.[0] ?? 0);
  return 0;
}

async function bytesOf(workspace: Workspace, table: MirrorTable, open: OpenTable): Promise<TableStatus['bytes']> {
  const bytes: Partial<Record<TargetName, number>> = {};
  const changelog = await filesOf(open.changelog.table);
  if (open.state !== null) bytes.lakehouse = changelog.bytes + (await filesOf(open.state.table)).bytes;
  const size = await workspace.warehouse?.tableSize(table.name);
  if (size) bytes.warehouse = size.bytes;
  return bytes;
}

import type { Mirror } from '../core/config.ts';
import { layoutOf } from './layout.ts';
import { maintainTable } from './maintain-table.ts';
import { mirrorOf } from './mirror-file.ts';
import type { CommonOptions, MaintainReport } from './results.ts';
import { openWorkspace } from './workspace.ts';

/** Readers that began with one of so many newest snapshots finish undisturbed. */
const KEEP_SNAPSHOTS = 5;

/** Compacts, expires and cleans every table of a mirror; it may run beside `run`. */
export async function maintainMirror(mirror: Mirror | null, options: CommonOptions): Promise<MaintainReport> {
  const found = await mirrorOf(mirror, layoutOf(options.dir));
  const workspace = await openWorkspace(found, options.dir, { access: 'read', signal: options.signal });
  try {
    const tables: MaintainReport['tables'][number][] = [];
    for (const table of found.tables) {
      const schema = (await workspace.schemas(table.name)).at(-1);
      if (schema === undefined) continue;
      options.log(`Maintaining ${table.name}.`);
      const open = await workspace.openTable(table, schema);
      const reports = await maintainTable(workspace.duck, open, { keepSnapshots: KEEP_SNAPSHOTS, nowMs: Date.now() });
      const names = [open.changelog.table, open.state?.table].map(
        (one) => one?.location.split('/').at(-1) ?? table.name,
      );
      for (const [index, report] of reports.entries()) tables.push({ table: names[index] ?? table.name, ...report });
    }
    return { tables };
  } finally {
    await workspace.close();
  }
}

import type { DuckDBConnection } from '../adapters/duckdb/connection.ts';
import { withConnection } from '../adapters/duckdb/connection.ts';
import { snapshotSelect } from '../adapters/duckdb/read.ts';
import type { Mirror, MirrorTable } from '../core/config.ts';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import { CHANGELOG_FIELDS, changelogName } from '../core/lake-tables.ts';
import { historyView, liveView } from '../core/sql/lake-views.ts';
import { layoutOf } from './layout.ts';
import { mirrorOf } from './mirror-file.ts';
import type { CommonOptions, QueryResult, TargetName } from './results.ts';
import type { Workspace } from './workspace.ts';
import { openWorkspace } from './workspace.ts';

/**
 * Runs one query on a target. The lakehouse has, for each table, the table itself, `__changes`, `_live` and `_history`.
 * Throws `usage` where the query is wrong or the mirror lacks the target.
 */
export async function queryMirror(
  mirror: Mirror | null,
  sql: string,
  target: TargetName,
  options: CommonOptions,
): Promise<QueryResult> {
  const found = await mirrorOf(mirror, layoutOf(options.dir));
  const has = target === 'lakehouse' ? found.targets.lakehouse : found.targets.warehouse !== null;
  if (!has) throw new GlasshouseError('usage', `This mirror has no ${target}; name the other one with --target.`);
  // The lakehouse is read without starting the warehouse's server.
  const needed = target === 'lakehouse' ? { ...found, targets: { ...found.targets, warehouse: null } } : found;
  const workspace = await openWorkspace(needed, options.dir, { access: 'read', signal: options.signal });
  try {
    if (workspace.warehouse !== null) return await workspace.warehouse.query(sql);
    return await withConnection(workspace.duck, (connection) => queryLakehouse(connection, workspace, sql));
  } finally {
    await workspace.close();
  }
}

async function queryLakehouse(connection: DuckDBConnection, workspace: Workspace, sql: string): Promise<QueryResult> {
  for (const table of workspace.mirror.tables) await createViews(connection, workspace, table);
  try {
    const result = await connection.runAndReadAll(sql);
    const rows = result.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
    return { columns: result.deduplicatedColumnNames(), rows };
  } catch (thrown) {
    throw new GlasshouseError('usage', `The lakehouse refused the query: ${messageOf(thrown)}`, { cause: thrown });
  }
}

async function createViews(connection: DuckDBConnection, workspace: Workspace, table: MirrorTable): Promise<void> {
  const schema = (await workspace.schemas(table.name)).at(-1);
  if (schema === undefined) return;
  const { changelog, state } = await workspace.openTable(table, schema);
  if (state === null) return;
  // The state first: what it has not merged yet is then surely in the changelog that is read after it.
  const stateView = await state.table.load();
  const mark = await state.mark();
  const changesView = await changelog.table.load();
  const changes = await changesView.files();
  const unmerged = changes.data.filter((file) => file.dataSequenceNumber > (mark?.sequence ?? 0));
  const sources = {
    state: `(${snapshotSelect({ fields: stateView.fields, files: await stateView.files() })})`,
    changes: `(${snapshotSelect({ fields: CHANGELOG_FIELDS, files: changes })})`,
    unmerged: `(${snapshotSelect({ fields: CHANGELOG_FIELDS, files: { data: unmerged, deletes: [] } })})`,
  };
  const views: Readonly<Record<string, string>> = {
    [table.name]: sources.state.slice(1, -1),
    [changelogName(table.name)]: sources.changes.slice(1, -1),
    [`${table.name}_live`]: liveView(schema, sources),
    [`${table.name}_history`]: historyView(schema, sources),
  };
  for (const [name, select] of Object.entries(views)) {
    await connection.run(`CREATE TEMP VIEW "${name}" AS ${select}`);
  }
}

import { mkdir } from 'node:fs/promises';
import type { MirrorTable } from '../core/config.ts';
import type { TableSchema } from '../core/schema.ts';
import type { Quarantine, SchemaRegistry, Target } from '../flows/ports.ts';
import { openDuck } from '../adapters/duckdb/connection.ts';
import type { Duck } from '../adapters/duckdb/connection.ts';
import { createFileQuarantine } from '../adapters/files/quarantine.ts';
import { createFileSchemaRegistry } from '../adapters/files/schema-registry.ts';
import { unusable } from '../adapters/files/atomic-file.ts';
import type { LakeChangelog } from '../adapters/lakehouse/changelog.ts';
import { openChangelog } from '../adapters/lakehouse/changelog.ts';
import type { LakeState } from '../adapters/lakehouse/state.ts';
import { openState } from '../adapters/lakehouse/state.ts';
import type { RunningPostgres } from '../adapters/postgres/server.ts';
import { startPostgres } from '../adapters/postgres/server.ts';
import type { Warehouse } from '../adapters/postgres/warehouse.ts';
import { openWarehouse } from '../adapters/postgres/warehouse.ts';
import type { Layout } from './layout.ts';
import { layoutOf } from './layout.ts';
import { lockFolder } from './lock.ts';
import type { MirrorFile } from './mirror-file.ts';
import { writeMirrorFile } from './mirror-file.ts';
import type { TargetName } from './results.ts';

/** A mirror's folder, opened: its stores, its warehouse, its tables. */
export interface Workspace {
  readonly layout: Layout;
  readonly mirror: MirrorFile;
  readonly duck: Duck;
  readonly registry: SchemaRegistry;
  readonly quarantine: Quarantine;
  /** Null where the mirror has no warehouse. */
  readonly warehouse: Warehouse | null;
  /** With its password; null where there is none, or it is the user's own. */
  readonly warehouseUrl: string | null;
  openTable(table: MirrorTable, schema: TableSchema): Promise<OpenTable>;
  /** Every schema of a table, oldest first; empty where it has none yet. */
  schemas(table: string): Promise<readonly TableSchema[]>;
  close(): Promise<void>;
}

/** A mirrored table, opened. */
export interface OpenTable {
  readonly changelog: LakeChangelog;
  /** Null where the mirror has no lakehouse: its changelog is there all the same. */
  readonly state: LakeState | null;
  readonly targets: ReadonlyMap<TargetName, Target>;
}

export interface WorkspaceOptions {
  /** `write` takes the folder for this process, and leaves a description of the mirror in it. */
  readonly access: 'read' | 'write';
  readonly signal: AbortSignal;
}

/** DuckDB's own share; rows on their way are in JavaScript's. */
const DUCKDB_MEMORY = '512MB';

/** Opens a mirror's folder. Throws GlasshouseError `unavailable` where another process writes to it, or a store cannot be used. */
export async function openWorkspace(mirror: MirrorFile, dir: string, options: WorkspaceOptions): Promise<Workspace> {
  const layout = layoutOf(dir);
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    if (options.access === 'write') {
      closers.push(await lockFolder(layout.lockFile));
      await writeMirrorFile(layout, mirror);
    }
    await mkdir(layout.spill, { recursive: true }).catch((thrown: unknown) => {
      throw unusable(layout.spill, thrown);
    });
    const duck = await openDuck({ memoryLimit: DUCKDB_MEMORY, tempDirectory: layout.spill });
    closers.push(() => duck.close());
    const { warehouse, url } = await openMirrorWarehouse(mirror, layout, options.signal, closers);
    const registry = createFileSchemaRegistry(layout.schemas);
    return {
      layout,
      mirror,
      duck,
      registry,
      quarantine: createFileQuarantine(layout.quarantine),
      warehouse,
      warehouseUrl: url,
      openTable: (table, schema) => openTable({ layout, duck, mirror, warehouse }, table, schema),
      schemas: (table) => registry.load(table),
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function openMirrorWarehouse(
  mirror: MirrorFile,
  layout: Layout,
  signal: AbortSignal,
  closers: (() => Promise<void> | void)[],
): Promise<{ readonly warehouse: Warehouse | null; readonly url: string | null }> {
  const config = mirror.targets.warehouse;
  if (config === null) return { warehouse: null, url: null };
  let server: RunningPostgres | null = null;
  if (config.url === null) {
    server = await startPostgres({ dataDir: layout.warehouse, signal });
    const started = server;
    closers.push(() => started.stop());
  }
  const url = server?.url ?? config.url ?? '';
  const warehouse = await openWarehouse({ url, mirror: mirror.name, viewSchema: config.schema });
  closers.push(() => warehouse.close());
  return { warehouse, url: server?.url ?? null };
}

async function openTable(
  place: Pick<Workspace, 'layout' | 'duck' | 'mirror' | 'warehouse'>,
  table: MirrorTable,
  schema: TableSchema,
): Promise<OpenTable> {
  const changelog = await openChangelog(place.layout.changelog(table.name), place.duck);
  const targets = new Map<TargetName, Target>();
  const state = place.mirror.targets.lakehouse
    ? await openState(place.layout.lakeTable(table.name), schema, changelog, place.duck)
    : null;
  if (state !== null) targets.set('lakehouse', state);
  if (place.warehouse !== null) targets.set('warehouse', place.warehouse.target(table.name));
  return { changelog, state, targets };
}

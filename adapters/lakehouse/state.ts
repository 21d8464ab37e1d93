import type { KeyHash } from '../../core/change.ts';
import type { Cell } from '../../core/column.ts';
import { STATE_COLUMNS } from '../../core/column.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { DataFile } from '../../core/iceberg/data-file.ts';
import type { IcebergField } from '../../core/iceberg/fields.ts';
import { snapshotById } from '../../core/iceberg/metadata.ts';
import { sourceFields, stateDefinition, stateFields } from '../../core/lake-tables.ts';
import { PositionIndex } from '../../core/position-index.ts';
import type { TableSchema } from '../../core/schema.ts';
import type { Version } from '../../core/version.ts';
import type { Applied, ChangelogMark, Target, TargetRow, TypedChange } from '../../flows/ports.ts';
import type { Duck } from '../duckdb/connection.ts';
import { scanKeyPlaces } from '../duckdb/key-places.ts';
import { stageRows } from '../duckdb/parquet.ts';
import { writePositionDeletes } from '../duckdb/position-deletes.ts';
import type { SnapshotRows } from '../duckdb/read.ts';
import { scanRows } from '../duckdb/read.ts';
import type { TableSnapshotView } from '../iceberg/snapshot-view.ts';
import type { IcebergTable } from '../iceberg/table.ts';
import { newDataPath, openOrCreateTable } from '../iceberg/table.ts';
import type { LakeChangelog } from './changelog.ts';

/** The snapshot property that holds the changelog's mark which the state has been merged up to, as JSON. */
export const MARK_PROPERTY = 'glasshouse.mark';

/** The state table of a mirrored table, in the lakehouse. */
export interface LakeState extends Target {
  readonly table: IcebergTable;
  /** Current rows. */
  rowCount(): Promise<number>;
}

export async function openState(
  location: string,
  schema: TableSchema,
  changelog: LakeChangelog,
  duck: Duck,
): Promise<LakeState> {
  const table = await openOrCreateTable(location, stateDefinition(schema));
  const merger = new StateMerger(table, changelog, duck);
  return {
    table,
    mark: async () => markOf(await table.load()),
    rowCount: async () => {
      const summary = (await table.load()).snapshot?.summary ?? {};
      // Every position that a delete file names is one row, since a row is deleted once.
      return Number(summary['total-records'] ?? 0) - Number(summary['total-position-deletes'] ?? 0);
    },
    apply: (changes, schemaNow, mark) => merger.apply(changes, schemaNow, mark),
    rows: (schemaNow) => readRows(table, duck, schemaNow),
  };
}

/** The mark of the newest merge; every commit of ours bears it, a compaction's too. */
function markOf(view: TableSnapshotView): ChangelogMark | null {
  const text = view.snapshot?.summary[MARK_PROPERTY];
  return text === undefined ? null : (JSON.parse(text) as ChangelogMark);
}

/** Where every key stands at one snapshot. */
interface Standing {
  readonly snapshotId: number | null;
  readonly index: PositionIndex;
  /** The paths of data files, by the number that the index has for each. */
  readonly files: string[];
}

/** What a merge will do, decided from the standing alone. */
interface MergePlan {
  readonly upserts: readonly TypedChange[];
  readonly deletes: readonly TypedChange[];
  /** Rows that go, by data file. */
  readonly removed: ReadonlyMap<string, readonly number[]>;
  readonly stale: number;
}

/** Merges changes into the state, guarded by version, in one commit of a data file and a position delete file. */
class StateMerger {
  private readonly table: IcebergTable;
  private readonly changelog: LakeChangelog;
  private readonly duck: Duck;
  private standing: Standing | null = null;

  constructor(table: IcebergTable, changelog: LakeChangelog, duck: Duck) {
    this.table = table;
    this.changelog = changelog;
    this.duck = duck;
  }

  async apply(changes: readonly TypedChange[], schema: TableSchema, mark: ChangelogMark): Promise<Applied> {
    const view = await this.table.load();
    const standing = await this.standingAt(view);
    const plan = planMerge(changes, standing);
    const [dataFile, deleteFiles] = await Promise.all([
      plan.upserts.length === 0 ? null : this.writeRows(plan.upserts, schema),
      plan.removed.size === 0 ? [] : this.writeDeletes(plan.removed).then((file) => [file]),
    ]);
    const snapshotId = await this.commit(standing, { dataFile, deleteFiles, schema, mark });
    this.standing = advance(standing, plan, dataFile, snapshotId);
    return { applied: plan.upserts.length + plan.deletes.length, stale: plan.stale };
  }

  /** The standing at the newest snapshot: as kept from our own last commit, moved by compactions since, or read from the tables. */
  private async standingAt(view: TableSnapshotView): Promise<Standing> {
    const held = this.standing;
    if (held !== null && held.snapshotId === snapshotIdOf(view)) return held;
    this.standing = null;
    if (held !== null && isOnlyCompacted(view, held.snapshotId)) return followCompaction(held, view, this.duck);
    return readStanding(view, this.changelog, this.duck);
  }

  private async commit(
    standing: Standing,
    work: {
      readonly dataFile: DataFile | null;
      readonly deleteFiles: readonly DataFile[];
      readonly schema: TableSchema;
      readonly mark: ChangelogMark;
    },
  ): Promise<number> {
    const committed = await this.table.commit({
      operation: work.deleteFiles.length > 0 ? 'overwrite' : 'append',
      dataFiles: work.dataFile === null ? [] : [work.dataFile],
      deleteFiles: work.deleteFiles,
      addFields: sourceFields(work.schema),
      summary: { [MARK_PROPERTY]: JSON.stringify(work.mark) },
      base: standing.snapshotId,
    });
    return committed.snapshotId;
  }

  private async writeRows(upserts: readonly TypedChange[], schema: TableSchema): Promise<DataFile> {
    const stage = await stageRows(this.duck, stateFields(schema));
    try {
      for (let from = 0; from < upserts.length; from += CHUNK_ROWS) {
        stage.append(stateColumns(upserts.slice(from, from + CHUNK_ROWS), schema));
      }
      return await stage.write(newDataPath(this.table.location));
    } finally {
      stage.drop();
    }
  }

  private writeDeletes(removed: ReadonlyMap<string, readonly number[]>): Promise<DataFile> {
    return writePositionDeletes(this.duck, removed, newDataPath(this.table.location, 'deletes'));
  }
}

/** The greatest version of each key wins: what is not newer than what is held is stale. */
function planMerge(changes: readonly TypedChange[], { index, files }: Standing): MergePlan {
  const upserts: TypedChange[] = [];
  const deletes: TypedChange[] = [];
  const removed = new Map<string, number[]>();
  let stale = 0;
  for (const typed of changes) {
    const entry = index.find(typed.change.keyHash);
    if (entry !== -1) {
      if (!index.isNewer(typed.change.version, entry)) {
        stale++;
        continue;
      }
      const position = index.positionOf(entry);
      if (position !== null) addTo(removed, pathOf(files, position.file), position.row);
    }
    (typed.change.row === null ? deletes : upserts).push(typed);
  }
  return { upserts, deletes, removed, stale };
}

function pathOf(files: readonly string[], number: number): string {
  const path = files[number];
  if (path === undefined)
    throw new GlasshouseError('bug', `The position index names file ${number} of ${files.length}.`);
  return path;
}

function addTo(removed: Map<string, number[]>, file: string, row: number): void {
  const rows = removed.get(file);
  if (rows === undefined) removed.set(file, [row]);
  else rows.push(row);
}

/** The standing after a merge's commit: the same index, changed in place only now that the commit stands. */
function advance(standing: Standing, plan: MergePlan, dataFile: DataFile | null, snapshotId: number): Standing {
  const { index, files } = standing;
  const file = dataFile === null ? -1 : files.push(dataFile.path) - 1;
  for (const [row, { change }] of plan.upserts.entries()) index.set(change.keyHash, change.version, { file, row });
  for (const { change } of plan.deletes) index.set(change.keyHash, change.version, null);
  return { snapshotId, index, files };
}

function snapshotIdOf(view: TableSnapshotView): number | null {
  return view.snapshot?.['snapshot-id'] ?? null;
}

/** Whether all that came after a snapshot are compactions: the rows are the same, in other places. */
function isOnlyCompacted(view: TableSnapshotView, since: number | null): boolean {
  let at = view.snapshot;
  while (at !== null && at['snapshot-id'] !== since && at.summary.operation === 'replace') {
    const parent = at['parent-snapshot-id'];
    at = parent === undefined ? null : (snapshotById(view.metadata, parent) ?? null);
  }
  return at !== null && at['snapshot-id'] === since;
}

/** The standing after compactions: only the rows of the files that they wrote are read. */
async function followCompaction(held: Standing, view: TableSnapshotView, duck: Duck): Promise<Standing> {
  const standing = { ...held, snapshotId: snapshotIdOf(view) };
  const known = new Set(held.files);
  const live = await view.files();
  const data = live.data.filter((file) => !known.has(file.path));
  await indexRows(standing, { fields: view.fields, files: { data, deletes: live.deletes } }, duck);
  return standing;
}

/** Puts the place of every row of some files into the index. */
async function indexRows(standing: Standing, rows: SnapshotRows, duck: Duck): Promise<void> {
  const { index, files } = standing;
  const numbers = rows.files.data.map((file) => files.push(file.path) - 1);
  const columns = { keyHash: STATE_COLUMNS.keyHash.name, version: STATE_COLUMNS.version.name };
  for await (const keys of scanKeyPlaces(duck, rows, columns)) index.setAll(keys, numbers);
}

async function readStanding(view: TableSnapshotView, changelog: LakeChangelog, duck: Duck): Promise<Standing> {
  const index = new PositionIndex();
  const standing: Standing = { snapshotId: snapshotIdOf(view), index, files: [] };
  await indexRows(standing, { fields: view.fields, files: await view.files() }, duck);
  // A delete that was merged left nothing in the state: the changelog remembers it, or a late update would bring the row back.
  for await (const { keyHash, version } of changelog.tombstones(markOf(view))) {
    const entry = index.find(keyHash);
    if (entry === -1 || index.isNewer(version, entry)) index.set(keyHash, version, null);
  }
  return standing;
}

/** Rows whose cells exist at once: they are garbage before the next ones are made. */
const CHUNK_ROWS = 2048;

/** The rows as columns, in the order of `stateFields`. */
function stateColumns(upserts: readonly TypedChange[], schema: TableSchema): Cell[][] {
  const rows = upserts.map((typed) => typed.row);
  return [
    ...schema.columns.map((_, index) => rows.map((row) => row?.cells[index] ?? null)),
    upserts.map(({ change }) => change.keyHash),
    upserts.map(({ change }) => change.version),
    upserts.map(({ change }) => change.committedAtMicros),
    rows.map((row) => row?.rescued ?? null),
  ];
}

async function* readRows(table: IcebergTable, duck: Duck, schema: TableSchema): AsyncGenerator<readonly TargetRow[]> {
  const view = await table.load();
  const files = await view.files();
  const known = new Set(view.fields.map((field) => field.id));
  const fields: readonly IcebergField[] = stateFields(schema).filter((field) => known.has(field.id));
  const names = fields.map((field) => field.name);
  const cellsFrom = schema.columns.map((column) => names.indexOf(column.name));
  const own = [STATE_COLUMNS.keyHash, STATE_COLUMNS.version, STATE_COLUMNS.rescued].map(({ name }) =>
    names.indexOf(name),
  );
  const select = names.map((name) => `"${name}"`);
  for await (const chunk of scanRows(duck, { fields, files, select })) {
    const at = (column: number | undefined, row: number): Cell => chunk.columns[column ?? -1]?.[row] ?? null;
    const rows: TargetRow[] = [];
    for (let row = 0; row < chunk.rowCount; row++) {
      const rescued = at(own[2], row);
      rows.push({
        keyHash: at(own[0], row) as KeyHash,
        version: at(own[1], row) as Version,
        cells: cellsFrom.map((column) => at(column, row)),
        rescued: rescued === null ? null : String(rescued),
      });
    }
    yield rows;
  }
}

import type { Cause, KeyHash, Operation } from '../../core/change.ts';
import type { Cell } from '../../core/column.ts';
import type { Envelope } from '../../core/envelope.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { LiveFile } from '../../core/iceberg/data-file.ts';
import { type Snapshot, snapshotById } from '../../core/iceberg/metadata.ts';
import { CHANGELOG_DEFINITION, CHANGELOG_FIELDS, CHANGELOG_PARTITION } from '../../core/lake-tables.ts';
import { parseVersion } from '../../core/version.ts';
import type { Version } from '../../core/version.ts';
import type { Changelog, ChangelogMark, ChangelogPiece, StreamPositions } from '../../flows/ports.ts';
import type { Duck } from '../duckdb/connection.ts';
import { stageRows } from '../duckdb/parquet.ts';
import { scanRows } from '../duckdb/read.ts';
import type { TableSnapshotView } from '../iceberg/snapshot-view.ts';
import type { IcebergTable } from '../iceberg/table.ts';
import { newDataPath, openOrCreateTable } from '../iceberg/table.ts';

/** The snapshot property that holds the positions of the source, as JSON. */
export const POSITIONS_PROPERTY = 'glasshouse.positions';

const PIECE_CHANGES = 20_000;

/** The newest delete of a key, as the state's merge remembers it. */
export interface Tombstone {
  readonly keyHash: KeyHash;
  readonly version: Version;
}

/** A changelog on disk, and what the state's merge reads of it beside. */
export interface LakeChangelog extends Changelog {
  readonly table: IcebergTable;
  /** The newest delete of each key, of appends up to a mark. */
  tombstones(upTo: ChangelogMark | null): AsyncIterable<Tombstone>;
}

/** Opens the changelog in a folder, made if it is not there. */
export async function openChangelog(location: string, duck: Duck): Promise<LakeChangelog> {
  const table = await openOrCreateTable(location, CHANGELOG_DEFINITION);
  return {
    table,
    append: (envelopes, positions) => append(table, duck, envelopes, positions),
    async positions() {
      const view = await table.load();
      for (let at = view.snapshot; at !== null; at = parentOf(view, at)) {
        const positions = at.summary[POSITIONS_PROPERTY];
        if (positions !== undefined) return parsePositions(positions, location);
      }
      return null;
    },
    async newest() {
      const { data } = await (await table.load()).files();
      const newest = data.at(-1);
      return newest === undefined ? null : markOf(newest);
    },
    async *readAfter(mark) {
      const view = await table.load();
      const { data } = await view.files();
      for (const files of bySequence(data.filter((file) => file.dataSequenceNumber > (mark?.sequence ?? 0)))) {
        yield* readAppend(duck, files);
      }
    },
    tombstones: (upTo) => readTombstones(table, duck, upTo),
  };
}

async function append(
  table: IcebergTable,
  duck: Duck,
  envelopes: readonly Envelope[],
  positions: StreamPositions | null,
): ReturnType<Changelog['append']> {
  const dataFiles = envelopes.length === 0 ? [] : await writeEnvelopes(table.location, duck, envelopes);
  const committed = await table.commit({
    operation: 'append',
    dataFiles,
    deleteFiles: [],
    summary: positions === null ? {} : { [POSITIONS_PROPERTY]: JSON.stringify(positions) },
  });
  return {
    mark: { sequence: committed.sequenceNumber, snapshotId: committed.snapshotId },
    rows: envelopes.length,
  };
}

async function writeEnvelopes(
  location: string,
  duck: Duck,
  envelopes: readonly Envelope[],
): Promise<Awaited<ReturnType<Awaited<ReturnType<typeof stageRows>>['writePartitions']>>> {
  const stage = await stageRows(duck, CHANGELOG_FIELDS);
  try {
    stage.append([
      envelopes.map((one) => one.key),
      envelopes.map((one) => one.keyHash),
      envelopes.map((one) => one.version),
      envelopes.map((one) => one.operation),
      envelopes.map((one) => one.committedAtMicros),
      envelopes.map((one) => one.capturedAtMicros),
      envelopes.map((one) => one.schemaVersion),
      envelopes.map((one) => one.row),
      envelopes.map((one) => one.cause),
    ]);
    return await stage.writePartitions(CHANGELOG_PARTITION, () => newDataPath(location));
  } finally {
    stage.drop();
  }
}

function parentOf(view: TableSnapshotView, snapshot: Snapshot): Snapshot | null {
  const parent = snapshot['parent-snapshot-id'];
  return parent === undefined ? null : (snapshotById(view.metadata, parent) ?? null);
}

function parsePositions(text: string, location: string): StreamPositions {
  try {
    return JSON.parse(text) as StreamPositions;
  } catch (cause) {
    throw new GlasshouseError('corrupt', `The stream positions in ${location} are no JSON: ${text.slice(0, 80)}`, {
      cause,
    });
  }
}

function markOf(file: LiveFile): ChangelogMark {
  return { sequence: file.dataSequenceNumber, snapshotId: file.snapshotId };
}

/** Files that one append wrote, oldest append first. */
function bySequence(files: readonly LiveFile[]): LiveFile[][] {
  const groups: LiveFile[][] = [];
  for (const file of files) {
    const group = groups.at(-1);
    if (group?.[0]?.dataSequenceNumber === file.dataSequenceNumber) group.push(file);
    else groups.push([file]);
  }
  return groups;
}

async function* readAppend(duck: Duck, files: readonly LiveFile[]): AsyncGenerator<ChangelogPiece> {
  const first = files[0];
  if (first === undefined) return;
  const rows = { fields: CHANGELOG_FIELDS, files: { data: files, deletes: [] } };
  let changes: Envelope[] = [];
  for await (const chunk of scanRows(duck, { ...rows, select: CHANGELOG_FIELDS.map((field) => field.name) })) {
    for (let row = 0; row < chunk.rowCount; row++) changes.push(envelopeAt(chunk.columns, row));
    if (changes.length < PIECE_CHANGES) continue;
    yield { changes, mark: null };
    changes = [];
  }
  yield { changes, mark: markOf(first) };
}

function envelopeAt(columns: readonly (readonly Cell[])[], row: number): Envelope {
  const text = (column: number): string => String(columns[column]?.[row]);
  const image = columns[7]?.[row] ?? null;
  return {
    key: text(0),
    keyHash: text(1) as KeyHash,
    version: parseVersion(text(2)),
    operation: text(3) as Operation,
    committedAtMicros: Number(columns[4]?.[row]),
    capturedAtMicros: Number(columns[5]?.[row]),
    schemaVersion: Number(columns[6]?.[row]),
    row: image === null ? null : String(image),
    cause: text(8) as Cause,
  };
}

async function* readTombstones(table: IcebergTable, duck: Duck, upTo: ChangelogMark | null): AsyncGenerator<Tombstone> {
  if (upTo === null) return;
  const { data } = await (await table.load()).files();
  const deletes = data.filter((file) => file.partition._op === 'delete' && file.dataSequenceNumber <= upTo.sequence);
  const query = {
    fields: CHANGELOG_FIELDS,
    files: { data: deletes, deletes: [] },
    select: ['_key_hash', 'max(_version)'],
    clauses: 'GROUP BY _key_hash',
  };
  for await (const chunk of scanRows(duck, query)) {
    const [hashes = [], versions = []] = chunk.columns;
    for (const [row, hash] of hashes.entries()) yield { keyHash: hash as KeyHash, version: versions[row] as Version };
  }
}

import type { Cause, KeyHash, Operation } from '../../core/change.ts';
import type { Cell } from '../../core/column.ts';
import type { Envelope } from '../../core/envelope.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { LiveFile } from '../../core/iceberg/data-file.ts';
import { type Snapshot, snapshotById } from '../../core/iceberg/metadata.ts';
import { CHANGELOG_DEFINITION, CHANGELOG_FIELDS, CHANGELOG_PARTITION } from '../../core/lake-tables.ts';
import type { PackedChanges, PackedTexts } from '../../core/packed-changes.ts';
import { CAUSES, HASH_CHARACTERS, OPERATIONS, PackedChange, VERSION_CHARACTERS } from '../../core/packed-changes.ts';
import { parseVersion } from '../../core/version.ts';
import type { Version } from '../../core/version.ts';
import type { Changelog, ChangelogMark, ChangelogPiece, StreamPositions } from '../../flows/ports.ts';
import type { Duck } from '../duckdb/connection.ts';
import type { ColumnChunk } from '../duckdb/parquet.ts';
import { stageRows } from '../duckdb/parquet.ts';
import { scanRows } from '../duckdb/read.ts';
import type { TextBytes } from '../duckdb/text-vectors.ts';
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
    for (const run of runsOf(envelopes)) stage.append(columnsOf(run));
    return await stage.writePartitions(CHANGELOG_PARTITION, () => newDataPath(location));
  } finally {
    stage.drop();
  }
}

/** Envelopes that follow each other: some that were packed together, or some that were not. */
type Run =
  | { readonly packed: PackedChanges; readonly from: number; to: number }
  | { readonly packed: null; readonly list: Envelope[] };

/** The envelopes in their order, cut into runs. */
function runsOf(envelopes: readonly Envelope[]): Run[] {
  const runs: Run[] = [];
  let last: Run | undefined;
  for (const envelope of envelopes) {
    if (envelope instanceof PackedChange) {
      const { packed, index } = envelope;
      if (last?.packed === packed && last.to === index) last.to++;
      else runs.push((last = { packed, from: index, to: index + 1 }));
    } else if (last?.packed === null) last.list.push(envelope);
    else runs.push((last = { packed: null, list: [envelope] }));
  }
  return runs;
}

function columnsOf(run: Run): ColumnChunk {
  if (run.packed !== null) return packedColumns(run.packed, run.from, run.to);
  const { list } = run;
  return [
    list.map((one) => one.key),
    list.map((one) => one.keyHash),
    list.map((one) => one.version),
    list.map((one) => one.operation),
    list.map((one) => one.committedAtMicros),
    list.map((one) => one.capturedAtMicros),
    list.map((one) => one.schemaVersion),
    list.map((one) => one.row),
    list.map((one) => one.cause),
  ];
}

/** Some packed changes as columns: their bytes as they are. */
function packedColumns(packed: PackedChanges, from: number, to: number): ColumnChunk {
  const length = to - from;
  const text = ({ bytes, offsets }: PackedTexts, emptyIsNull: boolean): TextBytes => ({
    bytes,
    offsets: offsets.subarray(from, to + 1),
    length,
    emptyIsNull,
  });
  const wide = (bytes: Uint8Array, width: number): TextBytes => ({
    bytes,
    offsets: Uint32Array.from({ length: length + 1 }, (_, index) => (from + index) * width),
    length,
    emptyIsNull: false,
  });
  const names = <T>(numbers: Uint8Array, all: readonly T[]): T[] =>
    Array.from(numbers.subarray(from, to), (number) => all[number] as T);
  return [
    text(packed.keys, false),
    wide(packed.keyHashes, HASH_CHARACTERS),
    wide(packed.versions, VERSION_CHARACTERS),
    names(packed.operations, OPERATIONS),
    packed.committedAtMicros.subarray(from, to),
    new Float64Array(length).fill(packed.capturedAtMicros),
    new Float64Array(length).fill(packed.schemaVersion),
    text(packed.rows, true),
    names(packed.causes, CAUSES),
  ];
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

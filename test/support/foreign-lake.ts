import { deflateRawSync, gzipSync } from 'node:zlib';
import type { AvroRecord, AvroSchema } from '../../core/iceberg/avro.ts';
import type { Deflate } from '../../core/iceberg/avro-container.ts';
import { encodeContainer } from '../../core/iceberg/avro-container.ts';
import { serializeValue } from '../../core/iceberg/bounds.ts';

/** A data file of the changelog, as a writer that is not ours lists it. */
export interface ForeignFile {
  readonly path: string;
  readonly operation: string;
  readonly day: number;
  readonly records: number;
  /** Which changes stand in it: for oracles, not written anywhere. */
  readonly holds: readonly number[];
  /** Epoch microseconds; null: the writer gives no bounds. */
  readonly captured: readonly [number, number] | null;
  readonly committed: readonly [number, number] | null;
}

interface Entry {
  readonly status: 0 | 1 | 2;
  readonly snapshotId: bigint;
  readonly dataSequence: number;
  readonly fileSequence: number;
  readonly file: ForeignFile;
}

interface Manifest {
  readonly path: string;
  readonly sequence: number;
  readonly addedSnapshotId: bigint;
  readonly entries: readonly Entry[];
}

interface ForeignSnapshot {
  readonly id: bigint;
  readonly parentId: bigint | null;
  readonly sequence: number;
  readonly operation: string;
  readonly list: string;
  readonly manifests: readonly Manifest[];
}

/** How a writer goes about it, where the specification leaves it open. */
export interface WriterHabits {
  /** Java's ordinary append merges manifests; its fast one does not. */
  readonly mergesManifests?: boolean;
  readonly gzipsMetadata?: boolean;
  /** A compaction gives its files the sequence number that it began at; else that of its commit. */
  readonly keepsDataSequence?: boolean;
}

const DEFLATE: Deflate = {
  compress: (bytes) => deflateRawSync(bytes),
  decompress: () => {
    throw new Error('only written here');
  },
};

const optional = (type: AvroSchema): AvroSchema => ['null', type];
const pairs = (key: number, value: number, type: AvroSchema): AvroSchema => ({
  type: 'array',
  logicalType: 'map',
  items: {
    type: 'record',
    name: `k${key}_v${value}`,
    fields: [
      { name: 'key', type: 'int', 'field-id': key },
      { name: 'value', type, 'field-id': value },
    ],
  },
});

/** Field order and optional fields as the Java library has them; two names are those of its older versions. */
const LIST_SCHEMA: AvroSchema = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    { name: 'manifest_path', type: 'string', 'field-id': 500 },
    { name: 'manifest_length', type: 'long', 'field-id': 501 },
    { name: 'partition_spec_id', type: 'int', 'field-id': 502 },
    { name: 'content', type: 'int', 'field-id': 517 },
    { name: 'sequence_number', type: 'long', 'field-id': 515 },
    { name: 'min_sequence_number', type: 'long', 'field-id': 516 },
    { name: 'added_snapshot_id', type: 'long', 'field-id': 503 },
    { name: 'added_data_files_count', type: 'int', 'field-id': 504 },
    { name: 'existing_data_files_count', type: 'int', 'field-id': 505 },
    { name: 'deleted_files_count', type: 'int', 'field-id': 506 },
    { name: 'key_metadata', type: optional('bytes'), default: null, 'field-id': 519 },
  ],
};

const ENTRY_SCHEMA: AvroSchema = {
  type: 'record',
  name: 'manifest_entry',
  fields: [
    { name: 'status', type: 'int', 'field-id': 0 },
    { name: 'snapshot_id', type: optional('long'), default: null, 'field-id': 1 },
    { name: 'sequence_number', type: optional('long'), default: null, 'field-id': 3 },
    { name: 'file_sequence_number', type: optional('long'), default: null, 'field-id': 4 },
    {
      name: 'data_file',
      'field-id': 2,
      type: {
        type: 'record',
        name: 'r2',
        fields: [
          { name: 'content', type: 'int', 'field-id': 134 },
          { name: 'file_path', type: 'string', 'field-id': 100 },
          { name: 'file_format', type: 'string', 'field-id': 101 },
          {
            name: 'partition',
            'field-id': 102,
            type: {
              type: 'record',
              name: 'r102',
              fields: [
                { name: '_captured_at_day', type: optional({ type: 'int', logicalType: 'date' }), 'field-id': 1000 },
                { name: '_op', type: optional('string'), 'field-id': 1001 },
              ],
            },
          },
          { name: 'record_count', type: 'long', 'field-id': 103 },
          { name: 'file_size_in_bytes', type: 'long', 'field-id': 104 },
          { name: 'value_counts', type: optional(pairs(119, 120, 'long')), 'field-id': 109 },
          { name: 'nan_value_counts', type: optional(pairs(138, 139, 'long')), 'field-id': 137 },
          { name: 'lower_bounds', type: optional(pairs(126, 127, 'bytes')), 'field-id': 125 },
          { name: 'upper_bounds', type: optional(pairs(129, 130, 'bytes')), 'field-id': 128 },
          { name: 'key_metadata', type: optional('bytes'), 'field-id': 131 },
          {
            name: 'split_offsets',
            type: optional({ type: 'array', items: 'long', 'element-id': 133 }),
            'field-id': 132,
          },
          { name: 'equality_ids', type: optional({ type: 'array', items: 'int', 'element-id': 136 }), 'field-id': 135 },
          { name: 'sort_order_id', type: optional('int'), 'field-id': 140 },
        ],
      },
    },
  ],
};

/** The ids that the catalog gave the changelog's columns: not those that we would. */
const COLUMN_IDS = { _op: 14, _committed_at: 15, _captured_at: 16 };

/** A changelog as Firehose and the optimizers write it: 19-digit snapshot ids, manifests like the Java library's. */
export class ForeignLake {
  /** Everything that was written, by URL. */
  readonly objects = new Map<string, Uint8Array>();
  private readonly habits: WriterHabits;
  private snapshots: ForeignSnapshot[] = [];
  private currentId: bigint | null = null;
  private sequence = 0;
  private version = 0;
  private metadataUrl = '';

  constructor(habits: WriterHabits = {}) {
    this.habits = habits;
    this.writeMetadata();
  }

  /** What the catalog points at. */
  get location(): string {
    return this.metadataUrl;
  }

  get current(): { readonly id: string; readonly sequence: number } | null {
    const snapshot = this.currentSnapshot();
    return snapshot === null ? null : { id: String(snapshot.id), sequence: snapshot.sequence };
  }

  get liveFiles(): readonly ForeignFile[] {
    return this.liveEntries().map((entry) => entry.file);
  }

  append(files: readonly ForeignFile[], operation = 'append'): void {
    this.commit(operation, (id, sequence) => {
      const added = files.map((file): Entry => ({
        status: 1,
        snapshotId: id,
        dataSequence: sequence,
        fileSequence: sequence,
        file,
      }));
      const before = this.currentSnapshot()?.manifests ?? [];
      if (this.habits.mergesManifests !== true) return [...before.filter(hasLive), this.manifest(id, sequence, added)];
      const kept = this.liveEntries().map((entry): Entry => ({ ...entry, status: 0 }));
      return [this.manifest(id, sequence, [...added, ...kept])];
    });
  }

  /** Writes some live files anew as one, as the compaction does: the rows stay. Its name is given. */
  compact(replaced: readonly string[], path: string): void {
    const live = this.liveEntries();
    const going = live.filter((entry) => replaced.includes(entry.file.path));
    const first = going[0];
    if (first === undefined) return;
    const began = this.currentSnapshot()?.sequence ?? 0;
    const spans = (pick: (file: ForeignFile) => readonly [number, number] | null) => {
      const all = going.map((entry) => pick(entry.file));
      return all.some((one) => one === null)
        ? null
        : ([Math.min(...all.map((one) => one?.[0] ?? 0)), Math.max(...all.map((one) => one?.[1] ?? 0))] as const);
    };
    const file: ForeignFile = {
      ...first.file,
      path,
      records: going.reduce((sum, entry) => sum + entry.file.records, 0),
      holds: going.flatMap((entry) => entry.file.holds),
      captured: spans((one) => one.captured),
      committed: spans((one) => one.committed),
    };
    this.commit('replace', (id, sequence) => {
      const dataSequence = this.habits.keepsDataSequence === false ? sequence : began;
      const kept = live.filter((entry) => !going.includes(entry)).map((entry): Entry => ({ ...entry, status: 0 }));
      const gone = going.map((entry): Entry => ({ ...entry, status: 2, snapshotId: id }));
      const added: Entry = { status: 1, snapshotId: id, dataSequence, fileSequence: sequence, file };
      return [this.manifest(id, sequence, [added]), this.manifest(id, sequence, [...kept, ...gone])];
    });
  }

  /** Forgets all but the newest so many snapshots, and removes their manifest lists. */
  expire(keep: number): void {
    const current = this.currentSnapshot();
    const kept = this.snapshots.slice(-keep);
    if (current !== null && !kept.includes(current)) kept.unshift(current);
    for (const gone of this.snapshots) if (!kept.includes(gone)) this.objects.delete(gone.list);
    this.snapshots = kept;
    this.writeMetadata();
  }

  /** Makes an older snapshot the current one, so many commits back. */
  rollBack(commits: number): void {
    let at = this.currentSnapshot();
    for (let step = 0; step < commits && at?.parentId != null; step++) at = this.byId(at.parentId) ?? at;
    this.currentId = at?.id ?? null;
    this.writeMetadata();
  }

  private commit(operation: string, plan: (id: bigint, sequence: number) => readonly Manifest[]): void {
    this.sequence++;
    // 19 digits that a double would round.
    const id = 7_483_920_174_839_201_001n + BigInt(this.sequence) * 7n;
    const manifests = plan(id, this.sequence).filter((manifest) => manifest.entries.length > 0);
    const list = `s3://lake/tables/orders__changes/metadata/snap-${id}.avro`;
    const records = manifests.map(({ path, sequence, addedSnapshotId, entries }): AvroRecord => {
      const count = (status: number) => entries.filter((entry) => entry.status === status).length;
      return {
        manifest_path: path,
        manifest_length: 100,
        partition_spec_id: 0,
        content: 0,
        sequence_number: sequence,
        min_sequence_number: 1,
        added_snapshot_id: addedSnapshotId,
        added_data_files_count: count(1),
        existing_data_files_count: count(0),
        deleted_files_count: count(2),
        key_metadata: null,
      };
    });
    this.objects.set(list, encodeContainer({ schema: LIST_SCHEMA, metadata: new Map(), records }, DEFLATE));
    this.snapshots.push({ id, parentId: this.currentId, sequence: this.sequence, operation, list, manifests });
    this.currentId = id;
    this.writeMetadata();
  }

  private manifest(id: bigint, sequence: number, entries: readonly Entry[]): Manifest {
    const path = `s3://lake/tables/orders__changes/metadata/${id}-m${this.objects.size}.avro`;
    const records = entries.map((entry): AvroRecord => {
      // What a file inherits from its commit is left out.
      const isInherited = entry.status === 1;
      return {
        status: entry.status,
        snapshot_id: isInherited ? null : entry.snapshotId,
        sequence_number: isInherited && entry.dataSequence === sequence ? null : entry.dataSequence,
        file_sequence_number: isInherited ? null : entry.fileSequence,
        data_file: dataFile(entry.file),
      };
    });
    this.objects.set(path, encodeContainer({ schema: ENTRY_SCHEMA, metadata: new Map(), records }, DEFLATE));
    return { path, sequence, addedSnapshotId: id, entries };
  }

  private liveEntries(): readonly Entry[] {
    return (this.currentSnapshot()?.manifests ?? [])
      .flatMap((manifest) => manifest.entries)
      .filter((entry) => entry.status !== 2);
  }

  private currentSnapshot(): ForeignSnapshot | null {
    return this.currentId === null ? null : (this.byId(this.currentId) ?? null);
  }

  private byId(id: bigint): ForeignSnapshot | undefined {
    return this.snapshots.find((snapshot) => snapshot.id === id);
  }

  private writeMetadata(): void {
    const gzip = this.habits.gzipsMetadata === true;
    this.objects.delete(this.metadataUrl);
    this.version++;
    const name = `${String(this.version).padStart(5, '0')}-6a3c1f0e${gzip ? '.gz' : ''}.metadata.json`;
    this.metadataUrl = `s3://lake/tables/orders__changes/metadata/${name}`;
    const bytes = new TextEncoder().encode(this.metadataText());
    this.objects.set(this.metadataUrl, gzip ? gzipSync(bytes) : bytes);
  }

  /** Ids as JSON numbers, in all their digits. */
  private metadataText(): string {
    const snapshots = this.snapshots.map(
      ({ id, parentId, sequence, operation, list }) =>
        `{"sequence-number":${sequence},"snapshot-id":${id}${parentId === null ? '' : `,"parent-snapshot-id" : ${parentId}`},` +
        `"timestamp-ms":${1_790_000_000_000 + sequence},"summary":{"operation":"${operation}","total-records":"7"},"manifest-list":"${list}","schema-id":0}`,
    );
    const fields = Object.entries(COLUMN_IDS).map(
      ([name, id]) => `{"id":${id},"name":"${name}","required":true,"type":"timestamp"}`,
    );
    return (
      `{"format-version":2,"table-uuid":"x","location":"s3://lake/tables/orders__changes","last-sequence-number":${this.sequence},` +
      `"current-schema-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":[${fields.join(',')}]}],"default-spec-id":0,` +
      `"partition-specs":[{"spec-id":0,"fields":[{"name":"_captured_at_day","transform":"day","source-id":16,"field-id":1000},` +
      `{"name":"_op","transform":"identity","source-id":14,"field-id":1001}]}],"properties":{"note":"a \\"snapshot-id\\": 1234567890123456789"},` +
      `"current-snapshot-id":${this.currentId ?? -1n},"snapshots":[${snapshots.join(',')}]}`
    );
  }
}

function hasLive(manifest: Manifest): boolean {
  return manifest.entries.some((entry) => entry.status !== 2);
}

function dataFile(file: ForeignFile): AvroRecord {
  const bounds = (side: 0 | 1) => {
    const all = [
      [COLUMN_IDS._committed_at, file.committed],
      [COLUMN_IDS._captured_at, file.captured],
    ] as const;
    return all.flatMap(([key, span]) =>
      span === null ? [] : [{ key, value: serializeValue('timestamp', BigInt(span[side])) }],
    );
  };
  return {
    content: 0,
    file_path: file.path,
    file_format: 'PARQUET',
    partition: { _captured_at_day: file.day, _op: file.operation },
    record_count: file.records,
    file_size_in_bytes: 1000,
    value_counts: null,
    nan_value_counts: null,
    lower_bounds: file.captured === null && file.committed === null ? null : bounds(0),
    upper_bounds: file.captured === null && file.committed === null ? null : bounds(1),
    key_metadata: null,
    split_offsets: [4],
    equality_ids: null,
    sort_order_id: 0,
  };
}

import { GlasshouseError } from '../errors.ts';
import type { AvroField, AvroRecord, AvroSchema, AvroValue } from './avro.ts';
import type { Deflate } from './avro-container.ts';
import { decodeContainer } from './avro-container.ts';
import type { EntryStatus } from './manifest.ts';

/**
 * Manifests of tables that others write (Firehose, Athena, Glue), as far as a merge must know them. They differ from our
 * own in what is optional, in the order and even the names of fields (ids alone are fixed), and in snapshot ids, which
 * pass 2^53 and are text here.
 */
export interface ListedManifest {
  readonly path: string;
  readonly content: 'data' | 'deletes';
  /** The commit that wrote it: none of its files was added later. */
  readonly sequence: number;
  readonly addedSnapshotId: string;
  /** Whether it may list a live file. */
  readonly hasLiveFiles: boolean;
}

export interface ListedFile {
  readonly status: EntryStatus;
  /** The snapshot that added it, or removed it. */
  readonly snapshotId: string;
  readonly path: string;
  readonly records: number;
  /** Its place in the table's history, which a compaction keeps. */
  readonly dataSequence: number;
  /** The commit that added it. */
  readonly fileSequence: number;
  /** Partition values by partition field id. */
  readonly partition: ReadonlyMap<number, AvroValue>;
  /** Equal for equal partitions. */
  readonly partitionKey: string;
  /** By column id, in Iceberg's single-value serialisation; empty where the writer gave none. */
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>;
  readonly upperBounds: ReadonlyMap<number, Uint8Array>;
}

/** Field ids of the specification. */
const LIST = {
  path: 500,
  content: 517,
  sequence: 515,
  addedSnapshotId: 503,
  addedFiles: 504,
  existingFiles: 505,
} as const;
const ENTRY = { status: 0, snapshotId: 1, dataSequence: 3, fileSequence: 4, file: 2 } as const;
const FILE = { content: 134, path: 100, partition: 102, records: 103, lowerBounds: 125, upperBounds: 128 } as const;
const STATUS: readonly EntryStatus[] = ['existing', 'added', 'deleted'];

/** Reads a manifest list. `path` is named in errors. Throws GlasshouseError `corrupt` where it is damaged or none. */
export function readManifestList(bytes: Uint8Array, path: string, deflate: Deflate): readonly ListedManifest[] {
  const { schema, records } = decodeContainer(bytes, deflate);
  const fields = fieldNames(schema);
  return records.map((record) => {
    const read = reader(record, fields, path);
    const counts = [LIST.addedFiles, LIST.existingFiles].map((id) => read.value(id));
    return {
      path: read.text(LIST.path),
      content: (read.value(LIST.content) ?? 0) === 0 ? 'data' : 'deletes',
      sequence: read.integer(LIST.sequence, 0),
      addedSnapshotId: read.id(LIST.addedSnapshotId) ?? '',
      // A count that is not there says nothing.
      hasLiveFiles: counts.some((count) => count !== 0),
    };
  });
}

/**
 * Reads the entries of a manifest. Numbers that an entry leaves out are those of the commit that wrote the manifest.
 * Throws GlasshouseError `corrupt` where it is damaged or none.
 */
export function readManifest(bytes: Uint8Array, manifest: ListedManifest, deflate: Deflate): readonly ListedFile[] {
  const { schema, records } = decodeContainer(bytes, deflate);
  const entryFields = fieldNames(schema);
  const fileSchema = fieldSchema(schema, ENTRY.file);
  const fileFields = fieldNames(fileSchema);
  const partitionFields = fieldNames(fieldSchema(fileSchema, FILE.partition));
  return records.map((record) => {
    const entry = reader(record, entryFields, manifest.path);
    const file = reader(entry.record(ENTRY.file), fileFields, manifest.path);
    const status = STATUS[entry.integer(ENTRY.status)];
    if (status === undefined) throw notRead(manifest.path, ENTRY.status);
    const partition = partitionOf(file.record(FILE.partition), partitionFields);
    return {
      status,
      snapshotId: entry.id(ENTRY.snapshotId) ?? manifest.addedSnapshotId,
      path: file.text(FILE.path),
      records: file.integer(FILE.records),
      dataSequence: entry.integer(ENTRY.dataSequence, manifest.sequence),
      fileSequence: entry.integer(ENTRY.fileSequence, manifest.sequence),
      partition,
      partitionKey: JSON.stringify([...partition].map(([id, value]) => [id, partitionText(value)])),
      lowerBounds: bounds(file.value(FILE.lowerBounds)),
      upperBounds: bounds(file.value(FILE.upperBounds)),
    };
  });
}

type FieldNames = ReadonlyMap<number, string>;

/** The names of a record's fields in this file, by their ids. */
function fieldNames(schema: AvroSchema | undefined): FieldNames {
  const ids = recordFields(schema).map((field): [number, string] => [field['field-id'] ?? -1, field.name]);
  return new Map(ids.sort(([a], [b]) => a - b));
}

function fieldSchema(schema: AvroSchema | undefined, id: number): AvroSchema | undefined {
  return recordFields(schema).find((field) => field['field-id'] === id)?.type;
}

function recordFields(schema: AvroSchema | undefined): readonly AvroField[] {
  return typeof schema === 'object' && 'type' in schema && schema.type === 'record' ? schema.fields : [];
}

interface FieldReader {
  /** Null where the field is null or not there. */
  value(id: number): AvroValue;
  text(id: number): string;
  /** Without a fallback the field must be there. */
  integer(id: number, fallback?: number): number;
  /** An integer of 64 bits as text; null where it is null or not there. */
  id(id: number): string | null;
  record(id: number): AvroRecord;
}

function reader(record: AvroRecord, fields: FieldNames, path: string): FieldReader {
  const value = (id: number): AvroValue => record[fields.get(id) ?? ''] ?? null;
  return {
    value,
    text(id) {
      const found = value(id);
      if (typeof found !== 'string') throw notRead(path, id);
      return found;
    },
    integer(id, fallback) {
      const found = value(id) ?? fallback;
      if (typeof found !== 'number') throw notRead(path, id);
      return found;
    },
    id(id) {
      const found = value(id);
      return typeof found === 'number' || typeof found === 'bigint' ? String(found) : null;
    },
    record(id) {
      const found = value(id);
      if (typeof found !== 'object' || found === null || found instanceof Uint8Array) throw notRead(path, id);
      return found as AvroRecord;
    },
  };
}

function partitionOf(record: AvroRecord, fields: FieldNames): ReadonlyMap<number, AvroValue> {
  return new Map([...fields].map(([id, name]) => [id, record[name] ?? null]));
}

function partitionText(value: AvroValue): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'bigint' ? `${value}` : JSON.stringify(value);
}

/** A map with integer keys is an array of pairs in Avro. */
function bounds(value: AvroValue): ReadonlyMap<number, Uint8Array> {
  const map = new Map<number, Uint8Array>();
  if (!Array.isArray(value)) return map;
  for (const pair of value as readonly AvroRecord[]) {
    if (typeof pair.key === 'number' && pair.value instanceof Uint8Array) map.set(pair.key, pair.value);
  }
  return map;
}

function notRead(path: string, id: number): GlasshouseError {
  return new GlasshouseError(
    'corrupt',
    `${path} is no Iceberg manifest: its field ${id} is missing or out of range. Restore the file, or roll the table back to a snapshot without it.`,
  );
}

import { GlasshouseError } from '../errors.ts';
import type { AvroRecord, AvroSchema } from './avro.ts';
import { type Deflate, decodeContainer, encodeContainer } from './avro-container.ts';
import { serializeValue } from './bounds.ts';
import type { DataFile } from './data-file.ts';
import type { ManifestContent, ManifestEntry } from './manifest.ts';
import type { PartitionSpecJson } from './metadata.ts';

/** A manifest as the manifest list names it. */
export interface ManifestFile {
  readonly path: string;
  readonly lengthBytes: number;
  readonly specId: number;
  readonly content: ManifestContent;
  readonly sequenceNumber: number;
  readonly minSequenceNumber: number;
  readonly addedSnapshotId: number;
  readonly addedFiles: number;
  readonly existingFiles: number;
  readonly deletedFiles: number;
  readonly addedRows: number;
  readonly existingRows: number;
  readonly deletedRows: number;
  readonly partitions: readonly PartitionSummary[];
}

export interface PartitionSummary {
  readonly containsNull: boolean;
  readonly lowerBound: Uint8Array | null;
  readonly upperBound: Uint8Array | null;
}

const SUMMARY: AvroSchema = {
  type: 'record',
  name: 'r508',
  fields: [
    { name: 'contains_null', type: 'boolean', 'field-id': 509 },
    { name: 'contains_nan', type: ['null', 'boolean'], default: null, 'field-id': 518 },
    { name: 'lower_bound', type: ['null', 'bytes'], default: null, 'field-id': 510 },
    { name: 'upper_bound', type: ['null', 'bytes'], default: null, 'field-id': 511 },
  ],
};

const SCHEMA: AvroSchema = {
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
    { name: 'added_files_count', type: 'int', 'field-id': 504 },
    { name: 'existing_files_count', type: 'int', 'field-id': 505 },
    { name: 'deleted_files_count', type: 'int', 'field-id': 506 },
    { name: 'added_rows_count', type: 'long', 'field-id': 512 },
    { name: 'existing_rows_count', type: 'long', 'field-id': 513 },
    { name: 'deleted_rows_count', type: 'long', 'field-id': 514 },
    {
      name: 'partitions',
      type: ['null', { type: 'array', items: SUMMARY, 'element-id': 508 }],
      default: null,
      'field-id': 507,
    },
  ],
};

/** What a snapshot's manifest list says of the snapshot. */
export interface ListedSnapshot {
  readonly snapshotId: number;
  readonly parentSnapshotId: number | null;
  readonly sequenceNumber: number;
}

/** A manifest list file. */
export function encodeManifestList(
  manifests: readonly ManifestFile[],
  of: ListedSnapshot,
  deflate: Deflate,
): Uint8Array {
  return encodeContainer(
    {
      schema: SCHEMA,
      metadata: new Map([
        ['snapshot-id', String(of.snapshotId)],
        ['parent-snapshot-id', String(of.parentSnapshotId)],
        ['sequence-number', String(of.sequenceNumber)],
        ['format-version', '2'],
      ]),
      records: manifests.map(manifestRecord),
    },
    deflate,
  );
}

function manifestRecord(manifest: ManifestFile): AvroRecord {
  return {
    manifest_path: manifest.path,
    manifest_length: manifest.lengthBytes,
    partition_spec_id: manifest.specId,
    content: manifest.content === 'data' ? 0 : 1,
    sequence_number: manifest.sequenceNumber,
    min_sequence_number: manifest.minSequenceNumber,
    added_snapshot_id: manifest.addedSnapshotId,
    added_files_count: manifest.addedFiles,
    existing_files_count: manifest.existingFiles,
    deleted_files_count: manifest.deletedFiles,
    added_rows_count: manifest.addedRows,
    existing_rows_count: manifest.existingRows,
    deleted_rows_count: manifest.deletedRows,
    partitions: manifest.partitions.map((summary) => ({
      contains_null: summary.containsNull,
      contains_nan: null,
      lower_bound: summary.lowerBound,
      upper_bound: summary.upperBound,
    })),
  };
}

/** Reads a manifest list that any Iceberg v2 writer made. Throws `corrupt` when it is damaged or no manifest list. */
export function decodeManifestList(bytes: Uint8Array, deflate: Deflate): ManifestFile[] {
  return decodeContainer(bytes, deflate).records.map((record) => ({
    path: text(record, 'manifest_path'),
    lengthBytes: integer(record, 'manifest_length'),
    specId: integer(record, 'partition_spec_id'),
    content: integer(record, 'content') === 0 ? 'data' : 'deletes',
    sequenceNumber: integer(record, 'sequence_number'),
    minSequenceNumber: integer(record, 'min_sequence_number'),
    addedSnapshotId: integer(record, 'added_snapshot_id'),
    addedFiles: integer(record, 'added_files_count'),
    existingFiles: integer(record, 'existing_files_count'),
    deletedFiles: integer(record, 'deleted_files_count'),
    addedRows: integer(record, 'added_rows_count'),
    existingRows: integer(record, 'existing_rows_count'),
    deletedRows: integer(record, 'deleted_rows_count'),
    partitions: partitionSummaries(record),
  }));
}

function partitionSummaries(record: AvroRecord): PartitionSummary[] {
  const summaries = record.partitions;
  if (!Array.isArray(summaries)) return [];
  return (summaries as readonly AvroRecord[]).map((summary) => ({
    containsNull: summary.contains_null === true,
    lowerBound: bytesOrNull(summary, 'lower_bound'),
    upperBound: bytesOrNull(summary, 'upper_bound'),
  }));
}

function bytesOrNull(record: AvroRecord, name: string): Uint8Array | null {
  const value = record[name];
  return value instanceof Uint8Array ? value : null;
}

function text(record: AvroRecord, name: string): string {
  const value = record[name];
  if (typeof value !== 'string') throw notManifest(name);
  return value;
}

function integer(record: AvroRecord, name: string): number {
  const value = record[name];
  if (typeof value !== 'number') throw notManifest(name);
  return value;
}

function notManifest(name: string): GlasshouseError {
  return new GlasshouseError(
    'corrupt',
    `Not an Iceberg v2 manifest list: its field "${name}" is missing or too large.`,
  );
}

/** Where a manifest was written, and by which commit. */
export interface ManifestPlace {
  readonly path: string;
  readonly lengthBytes: number;
  readonly snapshotId: number;
  readonly sequenceNumber: number;
}

/** The manifest list's line for a manifest of these entries. */
export function describeManifest(
  content: ManifestContent,
  entries: readonly ManifestEntry[],
  options: ManifestPlace & { readonly spec: PartitionSpecJson },
): ManifestFile {
  const of = (status: ManifestEntry['status']) => entries.filter((entry) => entry.status === status);
  const rows = (some: readonly ManifestEntry[]) => some.reduce((sum, entry) => sum + entry.file.recordCount, 0);
  const [added, existing, deleted] = [of('added'), of('existing'), of('deleted')];
  let minSequenceNumber = options.sequenceNumber;
  for (const entry of [...added, ...existing]) {
    minSequenceNumber = Math.min(minSequenceNumber, entry.dataSequenceNumber ?? options.sequenceNumber);
  }
  return {
    path: options.path,
    lengthBytes: options.lengthBytes,
    specId: options.spec['spec-id'],
    content,
    sequenceNumber: options.sequenceNumber,
    minSequenceNumber,
    addedSnapshotId: options.snapshotId,
    addedFiles: added.length,
    existingFiles: existing.length,
    deletedFiles: deleted.length,
    addedRows: rows(added),
    existingRows: rows(existing),
    deletedRows: rows(deleted),
    partitions: summarize(
      options.spec,
      entries.map((entry) => entry.file),
    ),
  };
}

function summarize(spec: PartitionSpecJson, files: readonly DataFile[]): PartitionSummary[] {
  return spec.fields.map((field) => {
    const values = files.map((file) => file.partition[field.name] ?? null);
    const type = field.transform === 'day' ? 'date' : 'string';
    const bounds = values.filter((value) => value !== null).map((value) => serializeValue(type, value));
    // Days are little-endian, which does not sort as bytes.
    const sorted = bounds.sort(type === 'date' ? compareDays : compareBytes);
    return {
      containsNull: values.includes(null),
      lowerBound: sorted[0] ?? null,
      upperBound: sorted.at(-1) ?? null,
    };
  });
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareDays(a: Uint8Array, b: Uint8Array): number {
  return dayOf(a) - dayOf(b);
}

function dayOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, true);
}

import { GlasshouseError } from '../errors.ts';
import { type AvroRecord, type AvroSchema, type AvroValue } from './avro.ts';
import { type Deflate, decodeContainer, encodeContainer } from './avro-container.ts';
import type { DataFile, LiveFile, Partition, PartitionValue } from './data-file.ts';
import type { PartitionSpecJson, SchemaJson } from './metadata.ts';

/** What a manifest says of a file: added by its snapshot, kept from an earlier one, or removed by it. */
export type EntryStatus = 'existing' | 'added' | 'deleted';

/** An entry as it is written. The numbers of an added file are null: it inherits those of the commit. */
export interface ManifestEntry {
  readonly status: EntryStatus;
  readonly snapshotId: number;
  readonly dataSequenceNumber: number | null;
  readonly fileSequenceNumber: number | null;
  readonly file: DataFile;
}

/** Which files a manifest lists. */
export type ManifestContent = 'data' | 'deletes';

/** The table's schema and partition spec, which every manifest repeats. */
export interface ManifestContext {
  readonly schema: SchemaJson;
  readonly spec: PartitionSpecJson;
}

const STATUS: readonly EntryStatus[] = ['existing', 'added', 'deleted'];

function optional(type: AvroSchema): AvroSchema {
  return ['null', type];
}

/** A map with integer keys, which Avro has not: an array of pairs. */
function mapOf(keyId: number, valueId: number, values: AvroSchema): AvroSchema {
  return {
    type: 'array',
    logicalType: 'map',
    items: {
      type: 'record',
      name: `k${keyId}_v${valueId}`,
      fields: [
        { name: 'key', type: 'int', 'field-id': keyId },
        { name: 'value', type: values, 'field-id': valueId },
      ],
    },
  };
}

/** The Avro schema of a manifest for tables with this partition spec. */
export function manifestSchema(spec: PartitionSpecJson): AvroSchema {
  const partition = spec.fields.map((field) => ({
    name: field.name,
    type: optional(field.transform === 'day' ? { type: 'int', logicalType: 'date' } : 'string'),
    default: null,
    'field-id': field['field-id'],
  }));
  const metric = (name: string, id: number, map: AvroSchema) => ({
    name,
    type: optional(map),
    default: null,
    'field-id': id,
  });
  const dataFile: AvroSchema = {
    type: 'record',
    name: 'r2',
    fields: [
      { name: 'content', type: 'int', 'field-id': 134 },
      { name: 'file_path', type: 'string', 'field-id': 100 },
      { name: 'file_format', type: 'string', 'field-id': 101 },
      { name: 'partition', type: { type: 'record', name: 'r102', fields: partition }, 'field-id': 102 },
      { name: 'record_count', type: 'long', 'field-id': 103 },
      { name: 'file_size_in_bytes', type: 'long', 'field-id': 104 },
      metric('column_sizes', 108, mapOf(117, 118, 'long')),
      metric('value_counts', 109, mapOf(119, 120, 'long')),
      metric('null_value_counts', 110, mapOf(121, 122, 'long')),
      metric('lower_bounds', 125, mapOf(126, 127, 'bytes')),
      metric('upper_bounds', 128, mapOf(129, 130, 'bytes')),
      { name: 'sort_order_id', type: optional('int'), default: null, 'field-id': 140 },
      { name: 'referenced_data_file', type: optional('string'), default: null, 'field-id': 143 },
    ],
  };
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      { name: 'status', type: 'int', 'field-id': 0 },
      { name: 'snapshot_id', type: optional('long'), default: null, 'field-id': 1 },
      { name: 'sequence_number', type: optional('long'), default: null, 'field-id': 3 },
      { name: 'file_sequence_number', type: optional('long'), default: null, 'field-id': 4 },
      { name: 'data_file', type: dataFile, 'field-id': 2 },
    ],
  };
}

/** A manifest file of these entries. */
export function encodeManifest(
  content: ManifestContent,
  entries: readonly ManifestEntry[],
  options: ManifestContext & { readonly deflate: Deflate },
): Uint8Array {
  const { schema, spec, deflate } = options;
  return encodeContainer(
    {
      schema: manifestSchema(spec),
      metadata: new Map([
        ['schema', JSON.stringify(schema)],
        ['schema-id', String(schema['schema-id'])],
        ['partition-spec', JSON.stringify(spec.fields)],
        ['partition-spec-id', String(spec['spec-id'])],
        ['format-version', '2'],
        ['content', content],
      ]),
      records: entries.map(entryRecord),
    },
    deflate,
  );
}

function entryRecord(entry: ManifestEntry): AvroRecord {
  const { file } = entry;
  return {
    status: STATUS.indexOf(entry.status),
    snapshot_id: entry.snapshotId,
    sequence_number: entry.dataSequenceNumber,
    file_sequence_number: entry.fileSequenceNumber,
    data_file: {
      content: file.content === 'data' ? 0 : 1,
      file_path: file.path,
      file_format: 'PARQUET',
      partition: file.partition,
      record_count: file.recordCount,
      file_size_in_bytes: file.sizeBytes,
      column_sizes: pairs(file.columnSizes),
      value_counts: pairs(file.valueCounts),
      null_value_counts: pairs(file.nullCounts),
      lower_bounds: pairs(file.lowerBounds),
      upper_bounds: pairs(file.upperBounds),
      sort_order_id: file.content === 'data' ? 0 : null,
      referenced_data_file: file.referencedDataFile ?? null,
    },
  };
}

function pairs(map: ReadonlyMap<number, number | Uint8Array>): AvroValue {
  return map.size === 0 ? null : [...map].map(([key, value]) => ({ key, value }));
}

/** What an added entry of a manifest inherits from the manifest list. */
export interface Inherited {
  readonly sequenceNumber: number;
  readonly snapshotId: number;
}

/** A decoded entry: nothing is left to inherit. */
export interface DecodedEntry {
  readonly status: EntryStatus;
  readonly file: LiveFile;
}

/** Reads a manifest that any Iceberg writer made. Throws `corrupt` when it is damaged or no manifest. */
export function decodeManifest(bytes: Uint8Array, inherited: Inherited, deflate: Deflate): DecodedEntry[] {
  return decodeContainer(bytes, deflate).records.map((record) => {
    const status = STATUS[integer(record, 'status')];
    if (status === undefined) throw notManifest('status');
    return { status, file: liveFile(record, inherited) };
  });
}

function liveFile(entry: AvroRecord, inherited: Inherited): LiveFile {
  const file = entry.data_file as AvroRecord;
  const content = file.content ?? 0;
  if (content !== 0 && content !== 1) {
    throw new GlasshouseError(
      'corrupt',
      `${text(file, 'file_path')} is an equality delete file, which Glasshouse neither writes nor reads: rewrite it as position deletes.`,
    );
  }
  const referenced = file.referenced_data_file;
  return {
    content: content === 0 ? 'data' : 'position-deletes',
    path: text(file, 'file_path'),
    recordCount: integer(file, 'record_count'),
    sizeBytes: integer(file, 'file_size_in_bytes'),
    partition: partitionOf(file.partition),
    columnSizes: numberMap(file.column_sizes),
    valueCounts: numberMap(file.value_counts),
    nullCounts: numberMap(file.null_value_counts),
    lowerBounds: bytesMap(file.lower_bounds),
    upperBounds: bytesMap(file.upper_bounds),
    ...(typeof referenced === 'string' ? { referencedDataFile: referenced } : {}),
    dataSequenceNumber: integerOr(entry, 'sequence_number', inherited.sequenceNumber),
    fileSequenceNumber: integerOr(entry, 'file_sequence_number', inherited.sequenceNumber),
    snapshotId: integerOr(entry, 'snapshot_id', inherited.snapshotId),
  };
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

function integerOr(record: AvroRecord, name: string, fallback: number): number {
  const value = record[name];
  return value === null || value === undefined ? fallback : integer(record, name);
}

function partitionOf(value: AvroValue | undefined): Partition {
  const values: Record<string, PartitionValue> = {};
  for (const [name, one] of Object.entries(value ?? {})) {
    values[name] = typeof one === 'string' || typeof one === 'number' ? one : null;
  }
  return values;
}

function keyValues(value: AvroValue | undefined): readonly AvroRecord[] {
  return Array.isArray(value) ? (value as readonly AvroRecord[]) : [];
}

function numberMap(value: AvroValue | undefined): Map<number, number> {
  return new Map(keyValues(value).map((pair) => [integer(pair, 'key'), integer(pair, 'value')]));
}

function bytesMap(value: AvroValue | undefined): Map<number, Uint8Array> {
  const map = new Map<number, Uint8Array>();
  for (const pair of keyValues(value)) {
    if (pair.value instanceof Uint8Array) map.set(integer(pair, 'key'), pair.value);
  }
  return map;
}

function notManifest(name: string): GlasshouseError {
  return new GlasshouseError('corrupt', `Not an Iceberg manifest: its field "${name}" is missing or out of range.`);
}

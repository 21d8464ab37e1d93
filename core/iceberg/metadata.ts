import { GlasshouseError } from '../errors.ts';
import { type IcebergField, type PartitionField, type TableDefinition, checkDefinition, parseType } from './fields.ts';

/** `metadata.json` of an Iceberg table, format v2, as it stands in the file. Fields that we do not know are kept. */
export interface TableMetadata {
  readonly 'format-version': 2;
  readonly 'table-uuid': string;
  readonly location: string;
  readonly 'last-sequence-number': number;
  readonly 'last-updated-ms': number;
  readonly 'last-column-id': number;
  readonly 'current-schema-id': number;
  readonly schemas: readonly SchemaJson[];
  readonly 'default-spec-id': number;
  readonly 'partition-specs': readonly PartitionSpecJson[];
  readonly 'last-partition-id': number;
  readonly 'default-sort-order-id': number;
  readonly 'sort-orders': readonly { readonly 'order-id': number; readonly fields: readonly unknown[] }[];
  readonly properties: Readonly<Record<string, string>>;
  /** -1 or absent for a table without a snapshot. */
  readonly 'current-snapshot-id'?: number | null;
  readonly refs: Readonly<Record<string, SnapshotRef>>;
  readonly snapshots: readonly Snapshot[];
  readonly 'snapshot-log': readonly { readonly 'timestamp-ms': number; readonly 'snapshot-id': number }[];
  readonly 'metadata-log': readonly MetadataLogEntry[];
}

export interface SchemaJson {
  readonly type: 'struct';
  readonly 'schema-id': number;
  readonly 'identifier-field-ids'?: readonly number[];
  readonly fields: readonly {
    readonly id: number;
    readonly name: string;
    readonly type: unknown;
    readonly required: boolean;
    readonly doc?: string;
  }[];
}

export interface PartitionSpecJson {
  readonly 'spec-id': number;
  readonly fields: readonly {
    readonly 'source-id': number;
    readonly 'field-id': number;
    readonly transform: string;
    readonly name: string;
  }[];
}

export interface SnapshotRef {
  readonly 'snapshot-id': number;
  readonly type: 'branch' | 'tag';
}

export interface MetadataLogEntry {
  readonly 'timestamp-ms': number;
  readonly 'metadata-file': string;
}

export interface Snapshot {
  readonly 'snapshot-id': number;
  readonly 'parent-snapshot-id'?: number;
  readonly 'sequence-number': number;
  readonly 'timestamp-ms': number;
  readonly 'manifest-list': string;
  readonly summary: Readonly<Record<string, string>>;
  readonly 'schema-id'?: number;
}

/** Partition field ids begin here, by Iceberg's convention. */
export const FIRST_PARTITION_FIELD_ID = 1000;

/** Where and when a table begins, and its random identity. */
export interface TableBirth {
  readonly location: string;
  readonly uuid: string;
  readonly nowMs: number;
}

/** The first metadata of a table. Throws `config` when the definition is not valid. */
export function createMetadata(definition: TableDefinition, birth: TableBirth): TableMetadata {
  checkDefinition(definition);
  const parts = definition.partition ?? [];
  return {
    'format-version': 2,
    'table-uuid': birth.uuid,
    location: birth.location,
    'last-sequence-number': 0,
    'last-updated-ms': birth.nowMs,
    'last-column-id': Math.max(0, ...definition.fields.map((field) => field.id)),
    'current-schema-id': 0,
    schemas: [schemaJson(definition.fields, 0, definition.identifierFieldIds)],
    'default-spec-id': 0,
    'partition-specs': [{ 'spec-id': 0, fields: parts.map(partitionFieldJson) }],
    'last-partition-id': FIRST_PARTITION_FIELD_ID - 1 + parts.length,
    'default-sort-order-id': 0,
    'sort-orders': [{ 'order-id': 0, fields: [] }],
    properties: { ...definition.properties },
    'current-snapshot-id': -1,
    refs: {},
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
  };
}

function partitionFieldJson(part: PartitionField, index: number): PartitionSpecJson['fields'][number] {
  return {
    'source-id': part.sourceId,
    'field-id': FIRST_PARTITION_FIELD_ID + index,
    transform: part.transform,
    name: part.name,
  };
}

/** Columns as a schema of the metadata. */
export function schemaJson(
  fields: readonly IcebergField[],
  schemaId: number,
  identifierFieldIds: readonly number[] = [],
): SchemaJson {
  return {
    type: 'struct',
    'schema-id': schemaId,
    ...(identifierFieldIds.length > 0 ? { 'identifier-field-ids': identifierFieldIds } : {}),
    fields: fields.map(({ id, name, type, required, doc }) => ({ id, name, required, type, ...(doc ? { doc } : {}) })),
  };
}

/** The schema that rows are written with now. Throws `corrupt` when the metadata does not hold it. */
export function currentSchema(metadata: TableMetadata): SchemaJson {
  const schema = metadata.schemas.find((one) => one['schema-id'] === metadata['current-schema-id']);
  if (schema === undefined) throw contradiction(`schema ${metadata['current-schema-id']} is current and absent`);
  return schema;
}

/** The table's columns now, in order. */
export function currentFields(metadata: TableMetadata): readonly IcebergField[] {
  return currentSchema(metadata).fields.map((field) => ({ ...field, type: parseType(field.type) }));
}

/** How the table is partitioned now. Throws `corrupt` for a transform that Glasshouse does not write. */
export function currentPartition(metadata: TableMetadata): readonly PartitionField[] {
  return currentSpec(metadata).fields.map((field) => {
    if (field.transform !== 'identity' && field.transform !== 'day') {
      throw contradiction(`partition transform "${field.transform}" is not one that Glasshouse writes`);
    }
    return { sourceId: field['source-id'], transform: field.transform, name: field.name };
  });
}

/** The partition spec that files are written with now. */
export function currentSpec(metadata: TableMetadata): PartitionSpecJson {
  const spec = metadata['partition-specs'].find((one) => one['spec-id'] === metadata['default-spec-id']);
  if (spec === undefined) throw contradiction(`partition spec ${metadata['default-spec-id']} is current and absent`);
  return spec;
}

/** The snapshot with this id, if the table still keeps it. */
export function snapshotById(metadata: TableMetadata, id: number): Snapshot | undefined {
  // The newest is asked for most.
  return metadata.snapshots.findLast((snapshot) => snapshot['snapshot-id'] === id);
}

/** The snapshot that readers see; null for a table that has none yet. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | null {
  const id = metadata['current-snapshot-id'];
  if (id === undefined || id === null || id === -1) return null;
  const snapshot = snapshotById(metadata, id);
  if (snapshot === undefined) throw contradiction(`snapshot ${id} is current and absent`);
  return snapshot;
}

/**
 * Parses `metadata.json`. `path` is named in errors. Throws `corrupt` when the text is no JSON, no format v2, or holds
 * snapshot ids over 2^53, which another writer may have made and which JSON numbers would lose.
 */
export function parseMetadata(text: string, path: string): TableMetadata {
  let parsed: TableMetadata;
  try {
    parsed = JSON.parse(text) as TableMetadata;
  } catch (cause) {
    throw new GlasshouseError('corrupt', `${path} is no JSON: restore the file, or the version before it.`, { cause });
  }
  if ((parsed['format-version'] as unknown) !== 2) {
    throw new GlasshouseError(
      'corrupt',
      `${path} has format version ${String(parsed['format-version'])}, and Glasshouse reads and writes version 2.`,
    );
  }
  const foreign = parsed.snapshots.find((snapshot) => !Number.isSafeInteger(snapshot['snapshot-id']));
  if (foreign !== undefined) {
    throw new GlasshouseError(
      'corrupt',
      `${path} holds a snapshot that another writer made (id over 2^53). Glasshouse must be the table's only writer: roll that snapshot back.`,
    );
  }
  return parsed;
}

function contradiction(what: string): GlasshouseError {
  return new GlasshouseError(
    'corrupt',
    `The table's metadata contradicts itself: ${what}. Restore an older metadata file.`,
  );
}

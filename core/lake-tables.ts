import type { ColumnType } from './column.ts';
import { STATE_COLUMNS, columnTypeText } from './column.ts';
import { ENVELOPE_FIELDS } from './envelope.ts';
import type { IcebergField, IcebergType, PartitionField, TableDefinition } from './iceberg/fields.ts';
import type { TableSchema } from './schema.ts';

/** The name of the changelog of a mirrored table. */
export function changelogName(table: string): string {
  return `${table}__changes`;
}

const NULLABLE_ENVELOPE_FIELDS: ReadonlySet<string> = new Set(['_row']);

/** The envelope's fields as Iceberg has them. */
export const CHANGELOG_FIELDS: readonly IcebergField[] = ENVELOPE_FIELDS.map(({ id, name, type }) => ({
  id,
  name,
  type,
  required: !NULLABLE_ENVELOPE_FIELDS.has(name),
}));

/** By day and operation, so that the deletes that a merge looks back at are read alone. */
export const CHANGELOG_PARTITION: readonly PartitionField[] = [
  { sourceId: fieldId('_captured_at'), transform: 'day', name: '_captured_at_day' },
  { sourceId: fieldId('_op'), transform: 'identity', name: '_op' },
];

function fieldId(name: (typeof ENVELOPE_FIELDS)[number]['name']): number {
  return ENVELOPE_FIELDS.findIndex((field) => field.name === name) + 1;
}

export const CHANGELOG_DEFINITION: TableDefinition = {
  fields: CHANGELOG_FIELDS,
  partition: CHANGELOG_PARTITION,
};

const SIMPLE_TYPES = {
  string: 'string',
  json: 'string',
  boolean: 'boolean',
  binary: 'binary',
  long: 'long',
  double: 'double',
  timestamp: 'timestamp',
  date: 'date',
} as const;

/** The Iceberg type of a column type. */
export function icebergTypeOf(type: ColumnType): IcebergType {
  return type.kind === 'decimal' ? (columnTypeText(type) as IcebergType) : SIMPLE_TYPES[type.kind];
}

/** Iceberg has no type for JSON; the column's comment says what its text is. */
const JSON_DOC = 'JSON text';

const OWN_STATE_FIELDS: readonly IcebergField[] = [
  { ...STATE_COLUMNS.keyHash, type: 'string', required: true },
  { ...STATE_COLUMNS.version, type: 'string', required: true },
  { ...STATE_COLUMNS.committedAt, type: 'timestamp', required: true },
  { ...STATE_COLUMNS.rescued, type: 'string', required: false, doc: JSON_DOC },
];

/** The fields of the columns that come from the source, in their order. */
export function sourceFields(schema: TableSchema): IcebergField[] {
  return schema.columns.map((column) => ({
    id: column.id,
    name: column.name,
    type: icebergTypeOf(column.type),
    required: false,
    ...(column.type.kind === 'json' ? { doc: JSON_DOC } : {}),
  }));
}

/** The fields of a state table: the source's columns, then ours. A row is written in this order. */
export function stateFields(schema: TableSchema): IcebergField[] {
  return [...sourceFields(schema), ...OWN_STATE_FIELDS];
}

export function stateDefinition(schema: TableSchema): TableDefinition {
  return { fields: stateFields(schema), identifierFieldIds: [STATE_COLUMNS.keyHash.id] };
}

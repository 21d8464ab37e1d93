import { GlasshouseError } from '../errors.ts';
import { type IcebergField, checkField, isPromotion } from './fields.ts';
import { type TableMetadata, currentFields, currentSchema, schemaJson } from './metadata.ts';

/**
 * The metadata with these columns added, or widened where the id is there with a type that Iceberg may promote. What is
 * there already changes nothing, so a repeated call returns the very same metadata. Throws `conflict` when an id or a
 * name is taken by a column that differs, `config` when a new column is required (old rows could not have it).
 */
export function withFields(metadata: TableMetadata, added: readonly IcebergField[]): TableMetadata {
  const fields = [...currentFields(metadata)];
  let changed = false;
  for (const field of added) {
    checkField(field);
    const index = fields.findIndex((one) => one.id === field.id);
    const present = fields[index];
    if (present === undefined) {
      fields.push(newField(fields, field));
      changed = true;
    } else if (present.name !== field.name) {
      throw taken(field, present);
    } else if (present.type !== field.type) {
      // A writer that planned on the schema before a widening still names the narrower type.
      if (isPromotion(field.type, present.type)) continue;
      if (!isPromotion(present.type, field.type)) throw taken(field, present);
      fields[index] = { ...present, type: field.type };
      changed = true;
    }
  }
  if (!changed) return metadata;
  const schemaId = Math.max(...metadata.schemas.map((schema) => schema['schema-id'])) + 1;
  const identifiers = currentSchema(metadata)['identifier-field-ids'];
  return {
    ...metadata,
    'last-column-id': Math.max(metadata['last-column-id'], ...fields.map((field) => field.id)),
    'current-schema-id': schemaId,
    schemas: [...metadata.schemas, schemaJson(fields, schemaId, identifiers)],
  };
}

function newField(fields: readonly IcebergField[], field: IcebergField): IcebergField {
  const namesake = fields.find((one) => one.name === field.name);
  if (namesake !== undefined) throw taken(field, namesake);
  if (field.required) {
    throw new GlasshouseError(
      'config',
      `Column "${field.name}" cannot be added as required: rows that are there already have no value for it.`,
    );
  }
  return field;
}

function taken(field: IcebergField, present: IcebergField): GlasshouseError {
  return new GlasshouseError(
    'conflict',
    `Column "${field.name}" (id ${field.id}, ${field.type}) cannot be added: the table has "${present.name}" (id ${present.id}, ${present.type}). Read the table's columns again.`,
  );
}

import { GlasshouseError } from './errors.ts';

/** JSON data, as Glue gives an Iceberg type: text for a simple type, an object for a nested one. */
export type JsonData = null | boolean | number | string | JsonData[] | { [name: string]: JsonData };

/** A column as Glue takes and gives it. */
export interface CatalogField {
  readonly Id: number;
  readonly Name: string;
  readonly Type: JsonData;
  readonly Required: boolean;
  readonly Doc?: string;
}

/** An Iceberg table as Glue knows it now. */
export interface LiveTable {
  readonly name: string;
  /** What an update must name, or it fails because another was faster. */
  readonly versionId: string;
  readonly catalogId: string;
  /** Without a slash at its end. */
  readonly location: string;
  /** The columns of the current schema, in their order. */
  readonly fields: readonly CatalogField[];
  readonly identifierFieldIds: readonly number[];
  readonly lastSchemaId: number;
  /** The highest field id that the table ever gave, to columns that are gone too. */
  readonly lastColumnId: number;
}

/** What is read of Glue's description of a table; every part of it may be absent. */
export interface TableDescription {
  readonly Name?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly CatalogId?: string | undefined;
  readonly Parameters?: Readonly<Record<string, string>> | undefined;
  readonly StorageDescriptor?: { readonly Location?: string | undefined } | undefined;
  readonly IcebergTableMetadata?:
    | {
        readonly Location?: string | undefined;
        readonly Schemas?: readonly DescribedSchema[] | undefined;
        readonly CurrentSchemaId?: number | undefined;
        readonly LastColumnId?: number | undefined;
      }
    | undefined;
}

interface DescribedSchema {
  readonly SchemaId?: number | undefined;
  readonly IdentifierFieldIds?: readonly number[] | undefined;
  readonly Fields?:
    | readonly {
        readonly Id: number | undefined;
        readonly Name: string | undefined;
        readonly Type: JsonData | undefined;
        readonly Required: boolean | undefined;
        readonly Doc?: string | undefined;
      }[]
    | undefined;
}

/**
 * Reads Glue's description of a table.
 * @throws GlasshouseError `config` where the table is none of Iceberg's, `unavailable` where the description lacks its
 *   Iceberg metadata.
 */
export function liveTable(database: string, name: string, described: TableDescription): LiveTable {
  const where = `${database}.${name}`;
  if ((described.Parameters?.table_type ?? '').toUpperCase() !== 'ICEBERG') {
    throw new GlasshouseError(
      'config',
      `The Glue table ${where} is there already and is no Iceberg table. Choose another database by ` +
        'aws.lakehouse.database, or rename that table, and deploy again.',
    );
  }
  const metadata = described.IcebergTableMetadata;
  const schemas = metadata?.Schemas ?? [];
  const current = schemas.find((schema) => (schema.SchemaId ?? 0) === metadata?.CurrentSchemaId) ?? schemas.at(-1);
  const location = metadata?.Location ?? described.StorageDescriptor?.Location;
  const { VersionId: versionId, CatalogId: catalogId } = described;
  if (current === undefined || location === undefined || versionId === undefined || catalogId === undefined) {
    throw new GlasshouseError(
      'unavailable',
      `Glue described the Iceberg table ${where} without its metadata. Check that the metadata file that its parameter ` +
        'metadata_location names is in the bucket and can be read, and deploy again.',
    );
  }
  const everyId = schemas.flatMap((schema) => fieldsOf(schema, where).map((field) => field.Id));
  return {
    name,
    versionId,
    catalogId,
    location: location.replace(/\/+$/, ''),
    fields: fieldsOf(current, where),
    identifierFieldIds: current.IdentifierFieldIds ?? [],
    lastSchemaId: Math.max(0, ...schemas.map((schema) => schema.SchemaId ?? 0)),
    lastColumnId: Math.max(metadata?.LastColumnId ?? 0, ...everyId),
  };
}

function fieldsOf(schema: DescribedSchema, where: string): CatalogField[] {
  return (schema.Fields ?? []).map(({ Id, Name, Type, Required, Doc }) => {
    if (Id === undefined || Name === undefined || Type === undefined) {
      throw new GlasshouseError('unavailable', `Glue described a column of ${where} without its id, name or type.`);
    }
    return { Id, Name, Type, Required: Required ?? false, ...(Doc === undefined ? {} : { Doc }) };
  });
}

/** A type as text, without blanks: Glue writes `decimal(38, 9)` for what it was given as `decimal(38,9)`. */
export function typeText(type: JsonData): string {
  return (typeof type === 'string' ? type : JSON.stringify(type)).replaceAll(' ', '');
}

export function sameType(one: JsonData, other: JsonData): boolean {
  return typeText(one) === typeText(other);
}

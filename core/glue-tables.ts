import { PREFIXES } from './aws-names.ts';
import { GlasshouseError } from './errors.ts';
import type { IcebergField, IcebergType, TableDefinition } from './iceberg/fields.ts';
import { isPromotion } from './iceberg/fields.ts';
import type { CatalogField, LiveTable } from './glue-live-table.ts';
import { sameType, typeText } from './glue-live-table.ts';

/** Where a mirror's lake is: its Glue database and its bucket. */
export interface LakePlace {
  readonly database: string;
  readonly bucket: string;
}

/** What Glue's CreateTable takes. There is no `TableInput`: Glue refuses one beside an Iceberg schema. */
export interface CreateTable {
  readonly DatabaseName: string;
  readonly Name: string;
  readonly OpenTableFormatInput: {
    readonly IcebergInput: {
      readonly MetadataOperation: 'CREATE';
      readonly Version: '2';
      readonly CreateIcebergTableInput: {
        readonly Location: string;
        readonly Schema: CatalogSchema;
        readonly PartitionSpec?: {
          readonly SpecId: number;
          readonly Fields: { SourceId: number; Transform: string; Name: string; FieldId: number }[];
        };
        readonly Properties: Record<string, string>;
      };
    };
  };
}

/** What Glue's UpdateTable takes. */
export interface UpdateTable {
  readonly DatabaseName: string;
  readonly Name: string;
  /** The version that was read: another change since then makes the update fail. */
  readonly VersionId: string;
  readonly SkipArchive: true;
  readonly UpdateOpenTableFormatInput: {
    readonly UpdateIcebergInput: {
      readonly UpdateIcebergTableInput: {
        readonly Updates: {
          readonly Schema: CatalogSchema;
          readonly Location: string;
          readonly Properties: Record<string, string>;
        }[];
      };
    };
  };
}

export interface CatalogSchema {
  readonly SchemaId: number;
  readonly Type: 'struct';
  readonly IdentifierFieldIds?: number[];
  readonly Fields: CatalogField[];
}

/** Iceberg's properties of every table of ours. Deletes are written as position deletes, which every engine reads. */
const PROPERTIES: Readonly<Record<string, string>> = {
  'write.format.default': 'parquet',
  'write.parquet.compression-codec': 'zstd',
  'write.delete.mode': 'merge-on-read',
  'write.update.mode': 'merge-on-read',
  'write.merge.mode': 'merge-on-read',
  // Without these, every commit would leave a metadata file behind for ever.
  'write.metadata.delete-after-commit.enabled': 'true',
  'write.metadata.previous-versions-max': '100',
};

const FIRST_PARTITION_FIELD_ID = 1000;

/**
 * Where a table lies, without a slash at its end. The last folder is there so that no table's location is the beginning
 * of another's, as `tables/orders` is of `tables/orders__changes`: what sweeps the one must not see the other's files.
 */
export function tableLocation(place: LakePlace, name: string): string {
  return `s3://${place.bucket}/${PREFIXES.tables}${name}/iceberg`;
}

/** The request that creates a table of the lake as real Iceberg, format 2. */
export function createTableRequest(place: LakePlace, name: string, definition: TableDefinition): CreateTable {
  const { fields, identifierFieldIds, partition } = definition;
  return {
    DatabaseName: place.database,
    Name: name,
    OpenTableFormatInput: {
      IcebergInput: {
        MetadataOperation: 'CREATE',
        Version: '2',
        CreateIcebergTableInput: {
          Location: tableLocation(place, name),
          Schema: catalogSchema(0, fields.map(catalogField), identifierFieldIds ?? []),
          ...(partition === undefined
            ? {}
            : {
                PartitionSpec: {
                  SpecId: 0,
                  Fields: partition.map(({ sourceId, transform, name: partName }, index) => ({
                    SourceId: sourceId,
                    Transform: transform,
                    Name: partName,
                    FieldId: FIRST_PARTITION_FIELD_ID + index,
                  })),
                },
              }),
          Properties: { ...PROPERTIES, ...definition.properties },
        },
      },
    },
  };
}

/**
 * The request that gives a live table the wanted fields: those that it lacks are added after its own, those that Iceberg
 * may widen are widened, and whatever else it has is left. Null where it has them all. A new field keeps its id where that
 * is above every id that the table ever gave, and else gets a fresh one: an id is never used twice.
 * @throws GlasshouseError `config` where the table has a wanted field with a type that cannot become the wanted one.
 */
export function evolveRequest(place: LakePlace, live: LiveTable, wanted: readonly IcebergField[]): UpdateTable | null {
  const fields = [...live.fields];
  let lastId = live.lastColumnId;
  let isChanged = false;
  for (const field of wanted) {
    const index = fields.findIndex((one) => one.Name === field.name);
    const present = fields[index];
    if (present === undefined) {
      lastId = field.id > lastId ? field.id : lastId + 1;
      // Rows that are there have no value for it, so it cannot be required.
      fields.push({ ...catalogField(field), Id: lastId, Required: false });
      isChanged = true;
    } else if (!sameType(present.Type, field.type)) {
      fields[index] = widened(place, live, present, field);
      isChanged = true;
    }
  }
  return isChanged ? updateTable(place, live, fields) : null;
}

function widened(place: LakePlace, live: LiveTable, present: CatalogField, field: IcebergField): CatalogField {
  if (typeof present.Type === 'string' && isPromotion(typeText(present.Type) as IcebergType, field.type)) {
    return { ...present, Type: field.type };
  }
  throw new GlasshouseError(
    'config',
    `The column ${field.name} of the Glue table ${place.database}.${live.name} is ${typeText(present.Type)}, and the ` +
      `mirror's schema has it as ${field.type}, which it cannot become in place. Somebody else has changed one of them: ` +
      `rename that column with ALTER TABLE in Athena, and the mirror adds its own beside it.`,
  );
}

/**
 * One update that names no action: it gives the schema that is to be current. So CloudFormation and Terraform evolve their
 * tables too; the update's own properties are sent along because the schema's update is described as the whole new state.
 */
function updateTable(place: LakePlace, live: LiveTable, fields: readonly CatalogField[]): UpdateTable {
  const schema = catalogSchema(live.lastSchemaId + 1, fields, live.identifierFieldIds);
  const update = { Schema: schema, Location: live.location, Properties: { ...PROPERTIES } };
  return {
    DatabaseName: place.database,
    Name: live.name,
    VersionId: live.versionId,
    SkipArchive: true,
    UpdateOpenTableFormatInput: { UpdateIcebergInput: { UpdateIcebergTableInput: { Updates: [update] } } },
  };
}

/**
 * Checks that a table which is there already is the one that this mirror would make.
 * @throws GlasshouseError `config` where it lies elsewhere, `corrupt` where a field is missing that never changes.
 */
export function checkOurs(place: LakePlace, live: LiveTable, fixed: readonly IcebergField[]): void {
  const expected = tableLocation(place, live.name);
  if (live.location !== expected) {
    throw new GlasshouseError(
      'config',
      `The Glue table ${place.database}.${live.name} is there already and lies at ${live.location}, not at ${expected}: this mirror ` +
        `did not make it. Choose another database by aws.lakehouse.database, or rename that table, and deploy again.`,
    );
  }
  const wrong = fixed.find((field) => {
    const present = live.fields.find((one) => one.Name === field.name);
    return present === undefined || !sameType(present.Type, field.type);
  });
  if (wrong === undefined) return;
  throw new GlasshouseError(
    'corrupt',
    `The Glue table ${place.database}.${live.name} has no column ${wrong.name} of type ${wrong.type}, though the mirror made it with ` +
      `one. Put the column back with ALTER TABLE in Athena, and deploy again.`,
  );
}

function catalogSchema(
  id: number,
  fields: readonly CatalogField[],
  identifierFieldIds: readonly number[],
): CatalogSchema {
  return {
    SchemaId: id,
    Type: 'struct',
    ...(identifierFieldIds.length > 0 ? { IdentifierFieldIds: [...identifierFieldIds] } : {}),
    Fields: [...fields],
  };
}

function catalogField({ id, name, type, required, doc }: IcebergField): CatalogField {
  return { Id: id, Name: name, Type: type, Required: required, ...(doc === undefined ? {} : { Doc: doc }) };
}

import { describe, expect, it } from 'vitest';
import type { LiveTable } from '../../core/glue-live-table.ts';
import { liveTable } from '../../core/glue-live-table.ts';
import { checkOurs, createTableRequest, evolveRequest, tableLocation } from '../../core/glue-tables.ts';
import { CHANGELOG_DEFINITION, CHANGELOG_FIELDS, stateDefinition, stateFields } from '../../core/lake-tables.ts';
import { addColumns } from '../../core/schema.ts';
import { schemaOf } from '../support/dynamodb.ts';

const PLACE = { database: 'shop', bucket: 'lake' };
const SCHEMA = schemaOf({ total: { kind: 'decimal', precision: 12, scale: 2 }, note: { kind: 'json' } });

const live = (more: Partial<LiveTable> = {}): LiveTable => ({
  name: 'orders',
  versionId: '7',
  catalogId: '123456789012',
  location: 's3://lake/tables/orders/iceberg',
  fields: stateFields(SCHEMA).map(({ id, name, type, required }) => ({
    Id: id,
    Name: name,
    Type: type.replace(',', ', '),
    Required: required,
  })),
  identifierFieldIds: [1],
  lastSchemaId: 3,
  lastColumnId: 103,
  ...more,
});

describe('tableLocation', () => {
  it('gives no table a location that begins with another’s', () => {
    const names = ['orders', 'orders__changes', 'orders_live', 'order', 'orders2', 'orders2__changes'];
    const locations = names.map((name) => tableLocation(PLACE, name));
    for (const one of locations) {
      expect(locations.filter((other) => other !== one && other.startsWith(one))).toEqual([]);
    }
  });
});

describe('createTableRequest', () => {
  it('makes the changelog with its fields and its partition, by a name of its own and no table input', () => {
    const request = createTableRequest(PLACE, 'orders__changes', CHANGELOG_DEFINITION);
    expect(Object.keys(request).sort()).toEqual(['DatabaseName', 'Name', 'OpenTableFormatInput']);
    const { IcebergInput } = request.OpenTableFormatInput;
    expect(IcebergInput).toMatchObject({ MetadataOperation: 'CREATE', Version: '2' });
    expect(IcebergInput.CreateIcebergTableInput).toMatchObject({
      Location: 's3://lake/tables/orders__changes/iceberg',
      PartitionSpec: {
        SpecId: 0,
        Fields: [
          { SourceId: 6, Transform: 'day', Name: '_captured_at_day', FieldId: 1000 },
          { SourceId: 4, Transform: 'identity', Name: '_op', FieldId: 1001 },
        ],
      },
    });
    const { Schema } = IcebergInput.CreateIcebergTableInput;
    expect(Schema.IdentifierFieldIds).toBeUndefined();
    expect(Schema.Fields.map((field) => [field.Id, field.Name, field.Type, field.Required])).toEqual([
      [1, '_key', 'string', true],
      [2, '_key_hash', 'string', true],
      [3, '_version', 'string', true],
      [4, '_op', 'string', true],
      [5, '_committed_at', 'timestamp', true],
      [6, '_captured_at', 'timestamp', true],
      [7, '_schema', 'int', true],
      [8, '_row', 'string', false],
      [9, '_cause', 'string', true],
    ]);
  });

  it('makes the state with typed columns, an identifier, docs, and position deletes', () => {
    const { CreateIcebergTableInput: input } = createTableRequest(PLACE, 'orders', stateDefinition(SCHEMA))
      .OpenTableFormatInput.IcebergInput;
    expect(input.PartitionSpec).toBeUndefined();
    expect(input.Schema).toEqual({
      SchemaId: 0,
      Type: 'struct',
      IdentifierFieldIds: [1],
      Fields: [
        { Id: 101, Name: 'id', Type: 'string', Required: false },
        { Id: 102, Name: 'total', Type: 'decimal(12,2)', Required: false },
        { Id: 103, Name: 'note', Type: 'string', Required: false, Doc: 'JSON text' },
        { Id: 1, Name: '_key_hash', Type: 'string', Required: true },
        { Id: 2, Name: '_version', Type: 'string', Required: true },
        { Id: 3, Name: '_committed_at', Type: 'timestamp', Required: true },
        { Id: 4, Name: '_rescued', Type: 'string', Required: false, Doc: 'JSON text' },
      ],
    });
    expect(input.Properties).toEqual({
      'write.format.default': 'parquet',
      'write.parquet.compression-codec': 'zstd',
      'write.delete.mode': 'merge-on-read',
      'write.update.mode': 'merge-on-read',
      'write.merge.mode': 'merge-on-read',
      'write.metadata.delete-after-commit.enabled': 'true',
      'write.metadata.previous-versions-max': '100',
    });
  });
});

describe('evolveRequest', () => {
  const wider = addColumns(SCHEMA, [{ attribute: 'paid', type: { kind: 'boolean' } }], { maxColumns: 9 });
  const updateOf = (table: LiveTable, schema = wider) => {
    const request = evolveRequest(PLACE, table, stateFields(schema));
    return request?.UpdateOpenTableFormatInput.UpdateIcebergInput.UpdateIcebergTableInput.Updates;
  };

  it('asks for nothing where the table has every column, however Glue writes their types', () => {
    expect(evolveRequest(PLACE, live(), stateFields(SCHEMA))).toBeNull();
  });

  it('adds a column with its own id after those that are there, under the version that was read', () => {
    const request = evolveRequest(PLACE, live(), stateFields(wider));
    expect(request).toMatchObject({ DatabaseName: 'shop', Name: 'orders', VersionId: '7', SkipArchive: true });
    const [update, ...others] = updateOf(live()) ?? [];
    expect(others).toEqual([]);
    expect(update?.Location).toBe('s3://lake/tables/orders/iceberg');
    expect(update?.Schema).toMatchObject({ SchemaId: 4, Type: 'struct', IdentifierFieldIds: [1] });
    expect(update?.Schema.Fields.slice(0, -1)).toEqual(live().fields);
    expect(update?.Schema.Fields.at(-1)).toEqual({ Id: 104, Name: 'paid', Type: 'boolean', Required: false });
  });

  it('takes a fresh id where its own was given away already', () => {
    const added = updateOf(live({ lastColumnId: 230 }))?.[0]?.Schema.Fields.at(-1);
    expect(added).toMatchObject({ Id: 231, Name: 'paid' });
  });

  it('leaves a column that somebody else added as it is, a nested one too', () => {
    const nested = {
      Id: 104,
      Name: 'theirs',
      Type: { type: 'list', 'element-id': 105, element: 'long' },
      Required: false,
    };
    const fields = updateOf(live({ fields: [...live().fields, nested], lastColumnId: 105 }))?.[0]?.Schema.Fields ?? [];
    expect(fields).toContainEqual(nested);
    expect(fields.at(-1)).toMatchObject({ Id: 106, Name: 'paid' });
  });

  it('widens a decimal where Iceberg may', () => {
    const roomier = {
      ...SCHEMA,
      columns: SCHEMA.columns.map((column) =>
        column.name === 'total' ? { ...column, type: { kind: 'decimal', precision: 38, scale: 2 } as const } : column,
      ),
    };
    const total = updateOf(live(), roomier)?.[0]?.Schema.Fields.find((field) => field.Name === 'total');
    expect(total).toEqual({ Id: 102, Name: 'total', Type: 'decimal(38,2)', Required: false });
  });

  it('refuses a type that cannot become the wanted one, and says what to do', () => {
    const fields = live().fields.map((field) => (field.Name === 'total' ? { ...field, Type: 'string' } : field));
    expect(() => updateOf(live({ fields }))).toThrow(
      /column total of the Glue table shop\.orders is string, .*decimal\(12,2\).*ALTER TABLE/,
    );
  });
});

describe('checkOurs', () => {
  it('accepts the table that the mirror made', () => {
    expect(() => checkOurs(PLACE, live(), stateFields(SCHEMA).slice(-4))).not.toThrow();
  });

  it('refuses a table that lies elsewhere', () => {
    expect(() => checkOurs(PLACE, live({ location: 's3://other/orders' }), [])).toThrow(
      /shop\.orders is there already and lies at s3:\/\/other\/orders, not at s3:\/\/lake\/tables\/orders\/iceberg.*aws\.lakehouse\.database/,
    );
  });

  it('refuses a changelog that lost a field of the envelope', () => {
    const table = live({ name: 'orders__changes', location: 's3://lake/tables/orders__changes/iceberg' });
    expect(() => checkOurs(PLACE, table, CHANGELOG_FIELDS)).toThrow(/has no column _key of type string/);
  });
});

describe('liveTable', () => {
  const described = {
    VersionId: '2',
    CatalogId: '123456789012',
    Parameters: { table_type: 'iceberg' },
    IcebergTableMetadata: {
      Location: 's3://lake/tables/orders/iceberg/',
      CurrentSchemaId: 1,
      LastColumnId: 2,
      Schemas: [
        { SchemaId: 0, Fields: [{ Id: 9, Name: 'gone', Type: 'string', Required: false }] },
        { SchemaId: 1, IdentifierFieldIds: [1], Fields: [{ Id: 1, Name: 'id', Type: 'string', Required: true }] },
      ],
    },
  };

  it('reads the current schema, and knows ids that older schemas gave', () => {
    expect(liveTable('shop', 'orders', described)).toEqual({
      name: 'orders',
      versionId: '2',
      catalogId: '123456789012',
      location: 's3://lake/tables/orders/iceberg',
      fields: [{ Id: 1, Name: 'id', Type: 'string', Required: true }],
      identifierFieldIds: [1],
      lastSchemaId: 1,
      lastColumnId: 9,
    });
  });

  it('says that a table is none of Iceberg’s', () => {
    expect(() => liveTable('shop', 'orders', { ...described, Parameters: {} })).toThrow(/is no Iceberg table/);
  });

  it.each([
    ['no metadata', { ...described, IcebergTableMetadata: undefined }],
    ['no version', { ...described, VersionId: undefined }],
    ['no catalog', { ...described, CatalogId: undefined }],
  ])('does not guess at a description with %s', (_, bad) => {
    expect(() => liveTable('shop', 'orders', bad)).toThrow(/without its metadata.*metadata_location/);
  });

  it('does not guess at a column without an id', () => {
    const Schemas = [{ SchemaId: 1, Fields: [{ Id: undefined, Name: 'id', Type: 'string', Required: true }] }];
    const bad = { ...described, IcebergTableMetadata: { ...described.IcebergTableMetadata, Schemas } };
    expect(() => liveTable('shop', 'orders', bad)).toThrow(/a column of shop\.orders without its id/);
  });
});

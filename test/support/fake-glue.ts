import {
  ConcurrentModificationException,
  AlreadyExistsException,
  CreateTableCommand,
  type CreateTableCommandInput,
  CreateTableOptimizerCommand,
  type CreateTableOptimizerCommandInput,
  EntityNotFoundException,
  GetTableCommand,
  type GetTableCommandInput,
  type GetTableCommandOutput,
  GlueClient,
  type IcebergSchema,
  type IcebergStructField,
  InvalidInputException,
  UpdateTableCommand,
  type UpdateTableCommandInput,
  UpdateTableOptimizerCommand,
  type UpdateTableOptimizerCommandInput,
} from '@aws-sdk/client-glue';
import { type AwsClientStub, mockClient } from 'aws-sdk-client-mock';
import { quietly } from '../../adapters/aws/clients.ts';

/** What Glue does on one call, as `Fault` for ports: nothing and fails, all and fails, or lets another writer be faster. */
export type GlueFault = 'ok' | 'refuse' | 'lose-reply' | 'overtake';

export interface FakeGlueOptions {
  /** Whether a new table's field ids are given anew, from 1 in the order of its columns, as Iceberg's library does it. */
  readonly renumbers?: boolean;
  /** One for each CreateTable or UpdateTable, then `ok`. */
  readonly faults?: readonly GlueFault[];
  /** The mock that it answers for. Default: that of its own client. */
  readonly mock?: AwsClientStub<GlueClient>;
}

interface StoredTable {
  version: number;
  location: string;
  schemas: IcebergSchema[];
  current: number;
  lastColumnId: number;
  properties: Record<string, string>;
  tableType: string;
}

const META = { $metadata: {} };

/**
 * A Glue Data Catalog of one database that keeps tables as Iceberg does: schemas, field ids, versions. It refuses what the
 * real one is known to refuse, and a schema that uses an id again for another column.
 */
export class FakeGlue {
  readonly database: string;
  readonly tables = new Map<string, StoredTable>();
  /** By table and type: the request that set it last. */
  readonly optimizers = new Map<string, CreateTableOptimizerCommandInput>();
  readonly client = quietly(() => new GlueClient({ region: 'eu-central-1' }));
  readonly mock: AwsClientStub<GlueClient>;
  /** Every id that a table ever gave, with the name that it gave it to. */
  private readonly givenIds = new Map<string, Map<number, string>>();
  private readonly renumbers: boolean;
  private readonly faults: GlueFault[];

  constructor(database: string, { renumbers = false, faults = [], mock }: FakeGlueOptions = {}) {
    this.mock = mock ?? mockClient(this.client);
    this.database = database;
    this.renumbers = renumbers;
    this.faults = [...faults];
    this.mock.on(GetTableCommand).callsFake((input: GetTableCommandInput) => this.getTable(input.Name));
    this.mock
      .on(CreateTableCommand)
      .callsFake((input: CreateTableCommandInput) => this.play(input.Name, () => this.createTable(input)));
    this.mock
      .on(UpdateTableCommand)
      .callsFake((input: UpdateTableCommandInput) => this.play(input.Name, () => this.updateTable(input)));
    this.mock.on(CreateTableOptimizerCommand).callsFake((input: CreateTableOptimizerCommandInput) => {
      if (this.optimizers.has(optimizerKey(input)))
        throw new AlreadyExistsException({ message: 'It exists.', ...META });
      this.optimizers.set(optimizerKey(input), input);
    });
    this.mock.on(UpdateTableOptimizerCommand).callsFake((input: UpdateTableOptimizerCommandInput) => {
      this.optimizers.set(optimizerKey(input), input);
    });
  }

  /** The current columns of a table, as `id:name:type`. */
  columns(table: string): string[] {
    const stored = this.find(table);
    return (currentOf(stored).Fields ?? []).map((field) => `${field.Id}:${field.Name}:${JSON.stringify(field.Type)}`);
  }

  /** Another writer commits: the version rises and nothing else changes. */
  touch(table: string): void {
    this.find(table).version++;
  }

  /** Another writer adds a column of its own. */
  addForeignColumn(table: string, name: string, type: IcebergStructField['Type'] = 'string'): void {
    const stored = this.find(table);
    const field = { Id: stored.lastColumnId + 1, Name: name, Type: type, Required: false };
    this.addSchema(table, stored, { ...currentOf(stored), Fields: [...(currentOf(stored).Fields ?? []), field] });
  }

  /** Another writer drops a column: its id is never to be seen again. */
  dropColumn(table: string, name: string): void {
    const stored = this.find(table);
    const left = (currentOf(stored).Fields ?? []).filter((field) => field.Name !== name);
    this.addSchema(table, stored, { ...currentOf(stored), Fields: left });
  }

  private play(name: string | undefined, work: () => void): void {
    const fault = this.faults.shift() ?? 'ok';
    if (fault === 'refuse') throw throttled();
    if (fault === 'overtake' && this.tables.has(name ?? '')) this.touch(name ?? '');
    work();
    if (fault === 'lose-reply') throw unreachable();
  }

  private getTable(name: string | undefined): GetTableCommandOutput {
    const stored = this.tables.get(name ?? '');
    if (stored === undefined) throw new EntityNotFoundException({ message: `Entity Not Found`, ...META });
    return {
      ...META,
      Table: {
        Name: name,
        CatalogId: '123456789012',
        VersionId: String(stored.version),
        Parameters: { table_type: stored.tableType, metadata_location: `${stored.location}/metadata/x.metadata.json` },
        StorageDescriptor: { Location: stored.location },
        IcebergTableMetadata: {
          Location: stored.location,
          Schemas: stored.schemas.map(asRead),
          CurrentSchemaId: stored.current,
          LastColumnId: stored.lastColumnId,
          Properties: stored.properties,
        },
      },
    };
  }

  private createTable(input: CreateTableCommandInput): void {
    const { Name: name, TableInput, DatabaseName } = input;
    const iceberg = input.OpenTableFormatInput?.IcebergInput;
    const created = iceberg?.CreateIcebergTableInput;
    if (DatabaseName !== this.database) throw new EntityNotFoundException({ message: 'Database not found.', ...META });
    if (TableInput !== undefined)
      throw invalid('Table metadata is expected only via TableInput or via IcebergTableInputProperties');
    if (name?.toLowerCase() !== name || name === undefined) throw invalid('Name');
    if (created?.Schema === undefined || created.Location === undefined) throw invalid('Schema or Location');
    if (iceberg?.MetadataOperation !== 'CREATE' || iceberg.Version !== '2') throw invalid('MetadataOperation');
    if (this.tables.has(name)) throw new AlreadyExistsException({ message: `Table already exists.`, ...META });
    const schema = this.renumbers ? renumbered(created.Schema) : created.Schema;
    const fields = schema.Fields ?? [];
    checkSchema(schema);
    const ids = fields.map((field) => field.Id ?? 0);
    for (const part of created.PartitionSpec?.Fields ?? []) {
      if (!ids.includes(part.SourceId ?? 0)) throw invalid(`partition source ${part.SourceId}`);
    }
    this.givenIds.set(name, new Map(fields.map((field) => [field.Id ?? 0, field.Name ?? ''])));
    this.tables.set(name, {
      version: 0,
      location: created.Location,
      schemas: [{ ...schema, SchemaId: 0 }],
      current: 0,
      lastColumnId: Math.max(...ids),
      properties: created.Properties ?? {},
      tableType: 'ICEBERG',
    });
  }

  private updateTable(input: UpdateTableCommandInput): void {
    const stored = this.find(input.Name ?? '');
    if (input.VersionId !== undefined && input.VersionId !== String(stored.version)) {
      throw new ConcurrentModificationException({
        message: 'Update table failed due to concurrent modifications.',
        ...META,
      });
    }
    for (const update of input.UpdateOpenTableFormatInput?.UpdateIcebergInput?.UpdateIcebergTableInput?.Updates ?? []) {
      if (update.Schema === undefined || update.Location !== stored.location) throw invalid('Schema or Location');
      this.addSchema(input.Name ?? '', stored, update.Schema);
      stored.properties = { ...stored.properties, ...update.Properties };
    }
  }

  private addSchema(name: string, stored: StoredTable, schema: IcebergSchema): void {
    checkSchema(schema);
    const given = this.givenIds.get(name) ?? new Map<number, string>();
    for (const { Id: id = 0, Name: column = '' } of schema.Fields ?? []) {
      const before = given.get(id);
      if (before !== undefined && before !== column) throw invalid(`id ${id} was given to ${before}, now ${column}`);
      const isNow = (currentOf(stored).Fields ?? []).some((field) => field.Id === id);
      if (before !== undefined && !isNow) throw invalid(`id ${id} of the dropped ${before} is used again`);
      given.set(id, column);
    }
    stored.current = Math.max(...stored.schemas.map((one) => one.SchemaId ?? 0)) + 1;
    stored.schemas.push({ ...schema, SchemaId: stored.current });
    stored.lastColumnId = Math.max(stored.lastColumnId, ...(schema.Fields ?? []).map((field) => field.Id ?? 0));
    stored.version++;
  }

  private find(table: string): StoredTable {
    const stored = this.tables.get(table);
    if (stored === undefined) throw new EntityNotFoundException({ message: 'Entity Not Found', ...META });
    return stored;
  }
}

function optimizerKey({ TableName, Type }: CreateTableOptimizerCommandInput): string {
  return `${TableName} ${Type}`;
}

export function throttled(): Error {
  return Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' });
}

export function unreachable(): Error {
  return Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
}

function currentOf(stored: StoredTable): IcebergSchema {
  return stored.schemas.find((schema) => schema.SchemaId === stored.current) ?? { Fields: [] };
}

function checkSchema(schema: IcebergSchema): void {
  const fields = schema.Fields ?? [];
  if (new Set(fields.map((field) => field.Id)).size !== fields.length) throw invalid('an id is given twice');
  if (new Set(fields.map((field) => field.Name)).size !== fields.length) throw invalid('a name is given twice');
  for (const id of schema.IdentifierFieldIds ?? []) {
    if (fields.find((field) => field.Id === id)?.Required !== true) throw invalid(`identifier ${id}`);
  }
}

function renumbered(schema: IcebergSchema): IcebergSchema {
  const newIds = new Map((schema.Fields ?? []).map((field, index) => [field.Id ?? 0, index + 1]));
  return {
    ...schema,
    Fields: (schema.Fields ?? []).map((field) => ({ ...field, Id: newIds.get(field.Id ?? 0) })),
    IdentifierFieldIds: schema.IdentifierFieldIds?.map((id) => newIds.get(id) ?? 0),
  };
}

/** Glue writes a decimal's type with a blank. */
function asRead(schema: IcebergSchema): IcebergSchema {
  return {
    ...schema,
    Fields: (schema.Fields ?? []).map((field) => ({
      ...field,
      Type: typeof field.Type === 'string' ? field.Type.replace(',', ', ') : field.Type,
    })),
  };
}

function invalid(message: string): InvalidInputException {
  return new InvalidInputException({ message, ...META });
}

import { z } from 'zod';
import { type Database } from './database.ts';
import { type ActionStore, checkRequest, runAction, runActionNow, type Table } from './engine.ts';
import { parseRequest } from './request.ts';
import { serviceError, validationError } from './service-error.ts';
import { readingStore } from './staging.ts';
import { STREAM_VIEW_TYPES } from './stream-record.ts';
import { runWrite } from './writes.ts';

const streamMembers = z.object({
  StreamSpecification: z
    .object({ StreamEnabled: z.boolean(), StreamViewType: z.enum(STREAM_VIEW_TYPES).nullish() })
    .nullish(),
});
type StreamSpecification = NonNullable<z.infer<typeof streamMembers>['StreamSpecification']>;

/** CreateTable, with its stream and tags. The table is ready when this resolves. */
export function createTable(database: Database, request: Record<string, unknown>): Promise<object> {
  const { StreamSpecification: specification } = parseRequest(streamMembers, request);
  const tags = request.Tags;
  return database.tables.exclusively(async () => {
    const { store } = tableStaging(database);
    const data = checkRequest('CreateTable', request, store);
    const { TableDescription } = runActionNow('CreateTable', store, data) as { TableDescription: Table };
    const table = withStream(database, ready(TableDescription), specification);
    await database.streams.commit([database.tables.save(table)]);
    if (Array.isArray(tags) && tags.length > 0) {
      await runWrite(database, 'TagResource', { ResourceArn: table.TableArn, Tags: tags });
    }
    return { TableDescription: table };
  });
}

/** The description of a new table as it is a moment later. */
function ready(description: Table): Table {
  const table = structuredClone(description) as Table & { GlobalSecondaryIndexes?: { IndexStatus: string }[] };
  for (const index of table.GlobalSecondaryIndexes ?? []) index.IndexStatus = 'ACTIVE';
  return { ...table, TableStatus: 'ACTIVE' };
}

/** UpdateTable: capacity by dynalite, and the stream, which is enabled (a new one) or disabled. */
export function updateTable(database: Database, request: Record<string, unknown>): Promise<object> {
  const { StreamSpecification: specification } = parseRequest(streamMembers, request);
  refuseIndexChanges(request);
  return database.tables.exclusively(async () => {
    const members = Object.keys(request).filter((name) => name !== 'TableName' && name !== 'StreamSpecification');
    const current = database.tables.get(String(request.TableName));
    const updated = specification && members.length === 0 ? current : await updatedByDynalite(database, request);
    const table = withStream(database, updated, specification);
    await database.streams.commit([database.tables.save(table)]);
    return { TableDescription: table };
  });
}

/** dynalite takes these without a word and does nothing. */
function refuseIndexChanges(request: Record<string, unknown>): void {
  const updates = request.GlobalSecondaryIndexUpdates;
  const changes = Array.isArray(updates) ? (updates as Record<string, unknown>[]) : [];
  if (changes.some((change) => change.Create ?? change.Delete)) {
    throw validationError(
      'The embedded DynamoDB cannot create or delete an index of a table that exists. Create the table with its indexes.',
    );
  }
}

async function updatedByDynalite(database: Database, request: Record<string, unknown>): Promise<Table> {
  const { store, described } = tableStaging(database);
  await runAction('UpdateTable', store, checkRequest('UpdateTable', request, store));
  // dynalite describes the table twice: as being updated, and then as it is after that.
  return described;
}

/** A store for the actions that describe tables. `described` is the second description that is put. */
function tableStaging(database: Database): { store: ActionStore; described: Promise<Table> } {
  const reading = readingStore(database);
  let puts = 0;
  let resolveDescribed: (table: Table) => void = () => undefined;
  const described = new Promise<Table>((resolve) => {
    resolveDescribed = resolve;
  });
  const store: ActionStore = {
    ...reading,
    getTable: (name, checkStatus, done) => {
      // dynalite writes into what it is given.
      reading.getTable(name, checkStatus, (error, table) => done?.(error, structuredClone(table)));
    },
    tableDb: {
      ...reading.tableDb,
      get: (name, done) => done(null, database.tables.find(name)),
      put: (_name, table, done) => {
        puts += 1;
        if (puts === 2) resolveDescribed(structuredClone(table) as Table);
        done(null);
      },
      lock: (_name, locked) => locked((done) => done),
    },
  };
  return { store, described };
}

/** The description with its stream enabled or disabled, as was asked; the stream itself too. */
function withStream({ streams }: Database, table: Table, specification: StreamSpecification | null | undefined): Table {
  if (!specification) return table;
  const current = streams.enabledFor(table.TableName);
  if (!specification.StreamEnabled) {
    if (specification.StreamViewType)
      throw validationError('StreamViewType must not be given when StreamEnabled is false');
    if (current === undefined && table.LatestStreamArn !== undefined) {
      throw validationError(`Table has no stream to disable: TableName: ${table.TableName}`);
    }
    streams.disable(table.TableName);
    return { ...table, StreamSpecification: undefined };
  }
  if (!specification.StreamViewType) throw validationError('StreamViewType is required when StreamEnabled is true');
  if (current !== undefined)
    throw validationError(`Table already has an enabled stream: TableName: ${table.TableName}`);
  const stream = streams.enable(table, specification.StreamViewType);
  return {
    ...table,
    StreamSpecification: { StreamEnabled: true, StreamViewType: stream.viewType },
    LatestStreamLabel: stream.label,
    LatestStreamArn: stream.arn,
  };
}

/** DeleteTable, with all that it holds. Its stream is disabled and can be read until its records are trimmed. */
export function deleteTable(database: Database, request: object): Promise<object> {
  const { TableName: name } = checkRequest('DeleteTable', request, readingStore(database)) as { TableName: string };
  return database.tables.exclusively(async () => {
    const { tables, streams, expiry } = database;
    const table = tables.get(name);
    streams.disable(name);
    await streams.commit([...tables.drop(name), ...expiry.disable(name)]);
    await tables.clearDropped(name);
    return { TableDescription: { ...table, TableStatus: 'DELETING', GlobalSecondaryIndexes: undefined } };
  });
}

/** ListTables, in the order of the names. */
export function listTables(database: Database, request: object): object {
  const data = checkRequest('ListTables', request, readingStore(database));
  const { ExclusiveStartTableName: after, Limit } = data as { ExclusiveStartTableName?: string; Limit?: number };
  const names = database.tables.names().filter((name) => after === undefined || name > after);
  const page = names.slice(0, Limit ?? 100);
  return { TableNames: page, LastEvaluatedTableName: page.length < names.length ? page.at(-1) : undefined };
}

/** DescribeTable. */
export function describeTable(database: Database, request: object): object {
  const { TableName: name } = checkRequest('DescribeTable', request, readingStore(database)) as { TableName: string };
  const table = database.tables.find(name);
  if (table === undefined) {
    throw serviceError('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
  }
  return { Table: table };
}

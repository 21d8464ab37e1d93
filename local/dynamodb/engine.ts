import { createRequire } from 'node:module';
import { type Readable } from 'node:stream';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { type Item } from './item.ts';
import { toServiceError } from './service-error.ts';

/** A write to the key-value store, with its value as text. */
export type StoreWrite =
  | { readonly type: 'put'; readonly key: string; readonly value: string; readonly valueEncoding: 'utf8' }
  | { readonly type: 'del'; readonly key: string };

/** A range of keys of the key-value store, in byte order. */
export interface KeyRange {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** A cursor over a range, on the store as it was when the cursor was made. */
export interface Cursor<T> {
  nextv(size: number): Promise<T[]>;
  close(): Promise<void>;
}

/** What we use of dynalite's `level` database: LevelDB on disk, or a tree in memory. */
export interface KeyValueStore {
  open(options: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
  getSync(key: string, options: { valueEncoding: 'utf8' }): string | undefined;
  batch(writes: readonly StoreWrite[]): Promise<void>;
  clear(range: KeyRange): Promise<void>;
  keys(range: KeyRange): Cursor<string>;
  values(range: KeyRange & { valueEncoding: 'utf8' }): Cursor<string>;
  iterator(range: KeyRange & { valueEncoding: 'utf8' }): Cursor<[string, string]>;
}

export interface KeySchemaElement {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}

/** A table's description as it is stored, and as DescribeTable gives it. */
export interface Table {
  readonly TableName: string;
  readonly TableArn: string;
  readonly KeySchema: readonly KeySchemaElement[];
  readonly AttributeDefinitions: readonly { readonly AttributeName: string; readonly AttributeType: string }[];
  readonly TableStatus: string;
  readonly [member: string]: unknown;
}

export type Callback<T> = (error: unknown, result?: T) => void;

/** The part of the store under one prefix, as dynalite's actions use it. */
export interface SubStore {
  get(key: string, done: Callback<unknown>): void;
  put(key: string, value: unknown, done: Callback<void>): void;
  del(key: string, done: Callback<void>): void;
  batch(writes: readonly { type: 'put' | 'del'; key: string; value?: unknown }[], done: Callback<void>): void;
  lock(key: string, locked: (release: <T>(done: Callback<T>) => Callback<T>) => void): void;
  createKeyStream(range?: KeyRange): Readable;
  createValueStream(range?: KeyRange): Readable;
}

export interface TableStore extends SubStore {
  awsAccountId: string;
  awsRegion: string;
}

/** The store that dynalite hands to its actions; ours has the same members and stages what they write. */
export interface ActionStore {
  readonly options: Readonly<Record<string, unknown>>;
  readonly tableDb: TableStore;
  getTable(name: string, checkStatus: boolean | Callback<Table>, done?: Callback<Table>): void;
  getItemDb(table: string): SubStore;
  getIndexDb(kind: string, table: string, index: string): SubStore;
  getTagDb(table: string): SubStore;
}

type Action = (store: ActionStore, data: object, done: Callback<object>) => void;

interface Validation {
  readonly types: object;
  readonly custom?: unknown;
}

interface DynaliteDb {
  create(options: Record<string, unknown>): ActionStore & { readonly db: KeyValueStore };
  createKey(item: Item, table: Table): string;
  validateKey(key: Item, table: Table): unknown;
  validateItem(item: Item, table: Table): unknown;
}

interface DynaliteValidations {
  checkTypes(data: object, types: object): object;
  checkValidations(data: object, types: object, custom: unknown, store: ActionStore): void;
  validateAttributeValue(value: unknown): string | null | undefined;
}

// dynalite is CommonJS without types, and its actions are taken from it one by one: its own HTTP server would be a second hop.
const load = createRequire(import.meta.url);
const dynaliteDb = load('dynalite/db') as DynaliteDb;
const dynaliteValidations = load('dynalite/validations') as DynaliteValidations;

/** What dynalite does for us, item by item and table by table. */
export const ENGINE_OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'ListTagsOfResource',
  'PutItem',
  'Query',
  'Scan',
  'TagResource',
  'UntagResource',
  'UpdateItem',
  'UpdateTable',
] as const;
export type EngineOperation = (typeof ENGINE_OPERATIONS)[number];

interface Operation {
  readonly action: Action;
  readonly validation: Validation;
}

const operations = new Map<EngineOperation, Operation>(
  ENGINE_OPERATIONS.map((name) => {
    const file = name.charAt(0).toLowerCase() + name.slice(1);
    const action = load(`dynalite/actions/${file}`) as Action;
    return [name, { action, validation: load(`dynalite/validations/${file}`) as Validation }];
  }),
);

function operation(name: EngineOperation): Operation {
  const found = operations.get(name);
  if (found === undefined) throw new GlasshouseError('bug', `dynalite has no operation ${name}.`);
  return found;
}

/** LevelDB's default of 4 MiB costs a third more time, in merging small files. */
const WRITE_BUFFER_BYTES = 32 * 1024 * 1024;

export interface OpenStore {
  readonly db: KeyValueStore;
  readonly actions: ActionStore;
}

/**
 * Opens dynalite's store, in the folder `path` or in memory. Throws `unavailable` when the folder is in use by another
 * process or server, or cannot be written.
 */
export async function openStore(path: string | undefined): Promise<OpenStore> {
  // Tables are ready at once: nobody wants to wait half a second for a table on his own machine.
  const delays = { createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 };
  const actions = dynaliteDb.create(path === undefined ? delays : { ...delays, path });
  try {
    await actions.db.open({ writeBufferSize: WRITE_BUFFER_BYTES });
  } catch (thrown) {
    throw openError(path ?? 'memory', thrown);
  }
  return { db: actions.db, actions };
}

function openError(path: string, thrown: unknown): GlasshouseError {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  if ((cause as { code?: unknown }).code === 'LEVEL_LOCKED') {
    return new GlasshouseError(
      'unavailable',
      `The folder ${path} is in use by another embedded DynamoDB. Stop that one, or choose another folder.`,
      { cause },
    );
  }
  return new GlasshouseError(
    'unavailable',
    `The embedded DynamoDB cannot open its folder ${path}: ${messageOf(cause)}. Check that it can be written and that the disk has room, or choose another.`,
    { cause },
  );
}

/** Checks a request as DynamoDB would, and returns it with numbers normalised and expressions parsed. Throws service errors. */
export function checkRequest(name: EngineOperation, request: object, store: ActionStore): object {
  const { validation } = operation(name);
  const data = dynaliteValidations.checkTypes(request, validation.types);
  dynaliteValidations.checkValidations(data, validation.types, validation.custom, store);
  return data;
}

/** Runs a checked request against a store. */
export function runAction(name: EngineOperation, store: ActionStore, data: object): Promise<object> {
  return new Promise((resolve, reject) => {
    operation(name).action(store, data, (error, result) => {
      if (error) reject(toServiceError(error));
      else resolve(result ?? {});
    });
  });
}

/** Runs a checked request against a store that answers at once, in this very turn, so that nothing can come between. */
export function runActionNow(name: EngineOperation, store: ActionStore, data: object): object {
  const outcomes: { error: unknown; result: object | undefined }[] = [];
  operation(name).action(store, data, (error, result) => outcomes.push({ error, result }));
  const [outcome] = outcomes;
  if (outcome === undefined)
    throw new GlasshouseError('bug', `dynalite's ${name} did not end in the turn that began it.`);
  // Thrown as dynalite made it: an Error with a status and a body.
  if (outcome.error) throw outcome.error as Error;
  // Some actions end with an empty text.
  return typeof outcome.result === 'object' ? outcome.result : {};
}

/**
 * The key under which dynalite stores an item, given by its key or whole: it begins with six hex digits, a hash of the
 * partition key. Throws a service error when the key is not one of the table's.
 */
export function storeKey(given: { readonly Key?: Item; readonly Item?: Item }, table: Table): string {
  const { Key: key, Item: item = {} } = given;
  const error = key === undefined ? dynaliteDb.validateItem(item, table) : dynaliteDb.validateKey(key, table);
  if (error) throw toServiceError(error);
  return dynaliteDb.createKey(key ?? item, table);
}

/** What DynamoDB would refuse in this value, or nothing. */
export function valueFault(value: unknown): string | undefined {
  return dynaliteValidations.validateAttributeValue(value) ?? undefined;
}

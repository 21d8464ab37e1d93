import { Readable } from 'node:stream';
import { GlasshouseError } from '../../core/errors.ts';
import { del, put } from './commits.ts';
import { type Database } from './database.ts';
import {
  type ActionStore,
  type KeyRange,
  type KeyValueStore,
  type StoreWrite,
  type SubStore,
  type Table,
} from './engine.ts';
import { type Item, type StoredItem } from './item.ts';
import { serviceError } from './service-error.ts';

/** An item that an action wrote, as it was before and is after; neither, where an absent item was deleted. */
export interface StagedItem {
  readonly table: Table;
  /** The item's key in dynalite's form. */
  readonly key: string;
  readonly before: StoredItem | undefined;
  readonly after: StoredItem | undefined;
}

/** What one or more actions have written, none of it stored yet. Dropping it undoes them. */
export interface Staging {
  readonly store: ActionStore;
  readonly items: StagedItem[];
  readonly writes: StoreWrite[];
  /** The items that were read, in order; absent ones are undefined. */
  readonly reads: (StoredItem | undefined)[];
}

/** How an action reaches one part of the store, at once. */
interface Access {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
  del(key: string): void;
}

/**
 * A store for dynalite's writing actions. It reads what is stored or on its way to be, and keeps their writes back, so
 * that a request's items, indexes and stream records can be stored in one atomic batch, or not at all.
 */
export function stageWrites(database: Database): Staging {
  const items: StagedItem[] = [];
  const writes: StoreWrite[] = [];
  const reads: (StoredItem | undefined)[] = [];
  const known = new Map<string, StoredItem | undefined>();
  const read = (storeKey: string): StoredItem | undefined => {
    if (known.has(storeKey)) return known.get(storeKey);
    const stored = storedItem(database.commits.read(storeKey));
    known.set(storeKey, stored);
    reads.push(stored);
    return stored;
  };
  const itemAccess = (tableName: string): Access => {
    const table = database.tables.get(tableName);
    const prefix = itemPrefix(tableName);
    const stage = (key: string, after: StoredItem | undefined): void => {
      items.push({ table, key, before: read(prefix + key), after });
      writes.push(after === undefined ? del(prefix + key) : put(prefix + key, after.text));
    };
    return {
      get: (key) => read(prefix + key)?.item,
      put: (key, value) => stage(key, { item: value as Item, text: JSON.stringify(value) }),
      del: (key) => stage(key, undefined),
    };
  };
  const plainAccess = (prefix: string): Access => ({
    get: (key) => parsed(database.commits.read(prefix + key)),
    put: (key, value) => writes.push(put(prefix + key, JSON.stringify(value))),
    del: (key) => writes.push(del(prefix + key)),
  });
  return { store: actionStore(database, itemAccess, plainAccess), items, writes, reads };
}

/** A store for dynalite's reading actions: it shows what is stored, and takes no writes. */
export function readingStore(database: Database): ActionStore {
  const access = (prefix: string): Access => ({
    get: (key) => parsed(database.db.getSync(prefix + key, { valueEncoding: 'utf8' })),
    put: refuseWrite,
    del: refuseWrite,
  });
  return actionStore(database, (table) => access(itemPrefix(table)), access);
}

/** The prefix of a table's items in the store. */
export function itemPrefix(tableName: string): string {
  return `item-${tableName}~`;
}

/** An item from the text in which it is stored. */
export function storedItem(text: string | undefined): StoredItem | undefined {
  return text === undefined ? undefined : { item: JSON.parse(text) as Item, text };
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

function refuseWrite(): never {
  throw new GlasshouseError('bug', 'A reading action of dynalite tried to write.');
}

function actionStore(
  database: Database,
  itemAccess: (table: string) => Access,
  plainAccess: (prefix: string) => Access,
): ActionStore {
  const { db, tables } = database;
  const plain = (prefix: string): SubStore => subStore(db, prefix, plainAccess(prefix));
  return {
    ...database.engine,
    getTable: (name, checkStatus, done) => {
      const callback = typeof checkStatus === 'function' ? checkStatus : done;
      const table = tables.find(name);
      if (table !== undefined) callback?.(null, table);
      else callback?.(tableNotFound(name));
    },
    getItemDb: (table) => subStore(db, itemPrefix(table), itemAccess(table)),
    getIndexDb: (kind, table, index) => plain(`index-${kind.toLowerCase()}~${table}~${index}~`),
    getTagDb: (table) => plain(`tag-${table}~`),
  };
}

/** dynalite asks for the name of this error. */
function tableNotFound(name: string): Error {
  const error = serviceError('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
  error.name = 'NotFoundError';
  return error;
}

function subStore(db: KeyValueStore, prefix: string, access: Access): SubStore {
  return {
    get: (key, done) => done(null, access.get(key)),
    put: (key, value, done) => {
      access.put(key, value);
      done(null);
    },
    del: (key, done) => {
      access.del(key);
      done(null);
    },
    batch: (writes, done) => {
      for (const write of writes) {
        if (write.type === 'put') access.put(write.key, write.value);
        else access.del(write.key);
      }
      done(null);
    },
    // A request's actions run in one turn, so nothing can come between them.
    lock: (_key, locked) => locked((done) => done),
    createKeyStream: (range) => stream(db.keys(bounded(prefix, range)), (key) => key.slice(prefix.length)),
    createValueStream: (range) =>
      stream(db.values({ ...bounded(prefix, range), valueEncoding: 'utf8' }), (text) => JSON.parse(text) as unknown),
  };
}

/** The range within the prefix. */
function bounded(prefix: string, range: KeyRange = {}): KeyRange {
  const lower = range.gt === undefined ? { gte: prefix + (range.gte ?? '') } : { gt: prefix + range.gt };
  const upper = range.lte === undefined ? { lt: prefix + (range.lt ?? '\u{ffff}') } : { lte: prefix + range.lte };
  return { ...lower, ...upper, reverse: range.reverse ?? false, limit: range.limit ?? -1 };
}

function stream<T>(
  cursor: { nextv(size: number): Promise<T[]>; close(): Promise<void> },
  use: (value: T) => unknown,
): Readable {
  async function* values(): AsyncGenerator {
    try {
      for (;;) {
        const batch = await cursor.nextv(100);
        if (batch.length === 0) return;
        for (const value of batch) yield use(value);
      }
    } finally {
      await cursor.close();
    }
  }
  return Readable.from(values());
}

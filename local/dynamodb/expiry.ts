import { z } from 'zod';
import { type Commits, del, put } from './commits.ts';
import { type Database } from './database.ts';
import { checkRequest, type KeyValueStore, runActionNow, type StoreWrite } from './engine.ts';
import { type Item, type StoredItem } from './item.ts';
import { validationError } from './service-error.ts';
import { itemPrefix, type StagedItem, stageWrites, storedItem } from './staging.ts';
import { keyOf } from './stream-record.ts';
import { all, forEachBatch, within } from './key-range.ts';
import { parseRequest } from './request.ts';
import { expiryPrefix } from './tables.ts';
import { commitStaged } from './writes.ts';

const SETTING_PREFIX = 'ttl~';
const FIVE_YEARS_S = 5 * 365 * 24 * 60 * 60;
const SECONDS_DIGITS = 12;
/** So many expired items are deleted in one commit. */
const SWEEP_ITEMS = 100;

const updateRequest = z.object({
  TableName: z.string(),
  TimeToLiveSpecification: z.object({ Enabled: z.boolean(), AttributeName: z.string().min(1).max(255) }),
});
const describeRequest = z.object({ TableName: z.string() });

/**
 * Which tables have a time to live, and an index of their items by the second in which they expire, kept in the same
 * commits as the items: to find what has expired is a short read, however large the table.
 */
export class Expiry {
  readonly #commits: Commits;
  readonly #attributes = new Map<string, string>();

  private constructor(commits: Commits) {
    this.#commits = commits;
  }

  static async load(db: KeyValueStore, commits: Commits): Promise<Expiry> {
    const expiry = new Expiry(commits);
    for (const [key, attribute] of await all(db.iterator({ ...within(SETTING_PREFIX), valueEncoding: 'utf8' }))) {
      expiry.#attributes.set(key.slice(SETTING_PREFIX.length), attribute);
    }
    return expiry;
  }

  tables(): string[] {
    return [...this.#attributes.keys()];
  }

  attributeOf(tableName: string): string | undefined {
    return this.#attributes.get(tableName);
  }

  /** The writes to the index for a changed item. */
  indexWrites({ table, key, before, after }: Pick<StagedItem, 'table' | 'key' | 'before' | 'after'>): StoreWrite[] {
    const attribute = this.#attributes.get(table.TableName);
    if (attribute === undefined) return [];
    const was = indexKey(table.TableName, key, before?.item, attribute);
    const is = indexKey(table.TableName, key, after?.item, attribute);
    if (was === is) return [];
    return [...(was === undefined ? [] : [del(was)]), ...(is === undefined ? [] : [put(is, key)])];
  }

  /** Enables the time to live: from now on the index is kept, and then the items that were there are indexed. */
  async enable(db: KeyValueStore, tableName: string, attribute: string): Promise<void> {
    await db.clear(within(expiryPrefix(tableName)));
    this.#attributes.set(tableName, attribute);
    const prefix = itemPrefix(tableName);
    await forEachBatch(db.iterator({ ...within(prefix), valueEncoding: 'utf8' }), async (entries) => {
      const writes = entries.flatMap(([storeKey, text]) => {
        const key = storeKey.slice(prefix.length);
        const found = indexKey(tableName, key, storedItem(text)?.item, attribute);
        return found === undefined ? [] : [put(found, key)];
      });
      await this.#commits.submit(writes);
    });
    await this.#commits.submit([put(SETTING_PREFIX + tableName, attribute)]);
  }

  /** Ends the time to live. The caller commits the writes; what is left in the index is cleared when it is enabled again. */
  disable(tableName: string): StoreWrite[] {
    return this.#attributes.delete(tableName) ? [del(SETTING_PREFIX + tableName)] : [];
  }
}

function indexKey(tableName: string, key: string, item: Item | undefined, attribute: string): string | undefined {
  const seconds = expirySeconds(item, attribute);
  return seconds === undefined ? undefined : `${expiryPrefix(tableName)}${secondsText(seconds)}~${key}`;
}

function secondsText(seconds: number): string {
  return String(seconds).padStart(SECONDS_DIGITS, '0');
}

/** The epoch second in which an item expires; none when its attribute is no number, or no time at all. */
function expirySeconds(item: Item | undefined, attribute: string): number | undefined {
  const seconds = Math.floor(Number(item?.[attribute]?.N ?? 'none'));
  return seconds > 0 && seconds < 10 ** SECONDS_DIGITS ? seconds : undefined;
}

/** UpdateTimeToLive: enables or disables it on one attribute. */
export async function updateTimeToLive(database: Database, request: unknown): Promise<object> {
  const { TableName: name, TimeToLiveSpecification: specification } = parseRequest(updateRequest, request);
  const { expiry, tables, commits, db } = database;
  await tables.exclusively(async () => {
    tables.get(name);
    const current = expiry.attributeOf(name);
    if (specification.Enabled && current !== undefined) throw validationError('TimeToLive is already enabled');
    if (!specification.Enabled && current === undefined) throw validationError('TimeToLive is already disabled');
    if (specification.Enabled) await expiry.enable(db, name, specification.AttributeName);
    else await commits.submit(expiry.disable(name));
  });
  return { TimeToLiveSpecification: specification };
}

/** DescribeTimeToLive. */
export function describeTimeToLive({ tables, expiry }: Database, request: unknown): object {
  const { TableName: name } = parseRequest(describeRequest, request);
  tables.get(name);
  const attribute = expiry.attributeOf(name);
  return {
    TimeToLiveDescription:
      attribute === undefined
        ? { TimeToLiveStatus: 'DISABLED' }
        : { TimeToLiveStatus: 'ENABLED', AttributeName: attribute },
  };
}

/** Deletes what has expired, in all tables, with records that say that the service did it. */
export async function sweepExpired(database: Database): Promise<void> {
  for (const tableName of database.expiry.tables()) {
    while (await sweepSome(database, tableName)) {
      // Until nothing that has expired is left.
    }
  }
}

/** Deletes some expired items of a table, and says whether there were any. */
async function sweepSome(database: Database, tableName: string): Promise<boolean> {
  const nowS = Math.floor(database.now() / 1000);
  const prefix = expiryPrefix(tableName);
  const range = { gte: prefix, lt: `${prefix}${secondsText(nowS + 1)}`, limit: SWEEP_ITEMS };
  const entries = await all(database.db.iterator({ ...range, valueEncoding: 'utf8' }));
  const attribute = database.expiry.attributeOf(tableName);
  const table = database.tables.find(tableName);
  if (entries.length === 0 || attribute === undefined || table === undefined) return false;
  const staging = stageWrites(database);
  for (const [entry, key] of entries) {
    staging.writes.push(del(entry));
    const stored = storedItem(database.commits.read(itemPrefix(tableName) + key));
    if (stored === undefined || !hasExpired(stored, attribute, nowS)) continue;
    const data = { TableName: tableName, Key: keyOf(stored.item, table.KeySchema) };
    runActionNow('DeleteItem', staging.store, checkRequest('DeleteItem', data, staging.store));
  }
  await commitStaged(database, staging, 'ttl');
  return entries.length === SWEEP_ITEMS;
}

/** An item that expired more than five years ago is taken for a mistake and kept, as the real service does. */
function hasExpired({ item }: StoredItem, attribute: string, nowS: number): boolean {
  const seconds = expirySeconds(item, attribute);
  return seconds !== undefined && seconds <= nowS && seconds > nowS - FIVE_YEARS_S;
}

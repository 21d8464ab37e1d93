import { put, type Commits } from './commits.ts';
import { type KeyValueStore, type StoreWrite, type Table } from './engine.ts';
import { serviceError } from './service-error.ts';
import { all, within } from './key-range.ts';

const TABLE_PREFIX = 'table~';
const DROPPED_PREFIX = 'dropped~';

/** The descriptions of all tables, in memory: every request needs one. */
export class Tables {
  readonly #db: KeyValueStore;
  readonly #commits: Commits;
  readonly #byName = new Map<string, Table>();
  #lastJob: Promise<unknown> = Promise.resolve();

  private constructor(db: KeyValueStore, commits: Commits) {
    this.#db = db;
    this.#commits = commits;
  }

  /** Reads the descriptions, and finishes what a kill interrupted. */
  static async load(db: KeyValueStore, commits: Commits): Promise<Tables> {
    const tables = new Tables(db, commits);
    for (const text of await all(db.values({ ...within(TABLE_PREFIX), valueEncoding: 'utf8' }))) {
      const table = JSON.parse(text) as Table;
      tables.#byName.set(table.TableName, { ...table, TableStatus: 'ACTIVE' });
    }
    for (const name of await all(db.values({ ...within(DROPPED_PREFIX), valueEncoding: 'utf8' }))) {
      await tables.clearDropped(name);
    }
    return tables;
  }

  /** All names, in order. */
  names(): string[] {
    return [...this.#byName.keys()].sort();
  }

  find(name: string): Table | undefined {
    return this.#byName.get(name);
  }

  /** The table. Throws `ResourceNotFoundException`. */
  get(name: string): Table {
    const table = this.#byName.get(name);
    if (table === undefined) {
      throw serviceError('ResourceNotFoundException', `Requested resource not found: Table: ${name} not found`);
    }
    return table;
  }

  /** Keeps a description; the caller commits the write. */
  save(table: Table): StoreWrite {
    this.#byName.set(table.TableName, table);
    return put(TABLE_PREFIX + table.TableName, JSON.stringify(table));
  }

  /** Forgets a table; the caller commits the writes, and then clears what the table held with `clearDropped`. */
  drop(name: string): StoreWrite[] {
    this.#byName.delete(name);
    return [{ type: 'del', key: TABLE_PREFIX + name }, put(DROPPED_PREFIX + name, name)];
  }

  /** Removes the items, indexes and tags of a dropped table. */
  async clearDropped(name: string): Promise<void> {
    const prefixes = [
      `item-${name}~`,
      `index-local~${name}~`,
      `index-global~${name}~`,
      `tag-${name}~`,
      expiryPrefix(name),
    ];
    for (const prefix of prefixes) await this.#db.clear(within(prefix));
    await this.#commits.submit([{ type: 'del', key: DROPPED_PREFIX + name }]);
  }

  /** Runs jobs that change tables one after the other. */
  exclusively<T>(job: () => Promise<T>): Promise<T> {
    const run = this.#lastJob.then(job, job);
    this.#lastJob = run.catch(() => undefined);
    return run;
  }
}

/** The prefix of the index of a table's items by the time at which they expire. */
export function expiryPrefix(tableName: string): string {
  return `expiry~${tableName}~`;
}

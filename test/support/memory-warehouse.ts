import { parseEnvelopeLine } from '../../core/envelope.ts';
import type { Submission, WarehouseStatements } from '../../flows/load-ports.ts';
import type { Clock, MemoryStaging } from './staging.ts';

interface HeldRow {
  readonly version: string;
  /** Null for a tombstone. */
  readonly row: unknown;
}

interface HeldTable {
  readonly columns: string[];
  readonly rows: Map<string, HeldRow>;
}

interface LedgerRow {
  readonly table: string;
  readonly sequence: number;
  readonly snapshotId: number;
  readonly rows: number;
  readonly applied: number;
  readonly newest: number;
}

/** What a transaction has done so far. */
interface Work {
  readonly tables: Map<string, HeldTable>;
  readonly views: Map<string, string[]>;
  readonly staged: Map<string, ReturnType<typeof parseEnvelopeLine>[]>;
  readonly ledger: LedgerRow[];
}

/**
 * A Redshift in memory that understands just the statements that the loader makes: transactions, submissions that go on
 * by themselves, tokens, and a ledger. It knows which statement failed.
 */
export class MemoryWarehouse implements WarehouseStatements {
  /** How long a submission takes. */
  seconds = 2;
  /** Says why a submission fails that would else succeed; null lets it be. */
  breaks: (statements: readonly string[]) => { readonly message: string; readonly statement: number | null } | null =
    () => null;
  readonly batches: (readonly string[])[] = [];
  readonly queries: string[] = [];
  private readonly clock: Clock;
  private readonly staging: MemoryStaging;
  private readonly submissions = new Map<string, { readonly endsAtMillis: number; readonly end: Submission }>();
  private readonly tokens = new Map<string, string>();
  private held: Pick<Work, 'tables' | 'views' | 'ledger'> = { tables: new Map(), views: new Map(), ledger: [] };

  constructor(clock: Clock, staging: MemoryStaging) {
    this.clock = clock;
    this.staging = staging;
  }

  /** The rows that a reader of the view sees, by key hash. */
  rows(table: string): Map<string, HeldRow> {
    const rows = this.held.tables.get(table)?.rows ?? new Map<string, HeldRow>();
    return new Map([...rows].filter(([, held]) => held.row !== null));
  }

  columns(table: string): readonly string[] {
    return this.held.tables.get(table)?.columns ?? [];
  }

  get ledger(): readonly LedgerRow[] {
    return this.held.ledger;
  }

  /** Makes what Glasshouse did not. */
  makeView(name: string): void {
    this.held.views.set(name, ['theirs']);
  }

  /** As if a day had passed over every submission. */
  forget(): void {
    this.submissions.clear();
    this.tokens.clear();
  }

  submit(statements: readonly string[], token: string | null): Promise<string> {
    const known = token === null ? undefined : this.tokens.get(token);
    if (known !== undefined) return Promise.resolve(known);
    const id = `statement-${this.batches.length}`;
    this.batches.push(statements);
    if (token !== null) this.tokens.set(token, id);
    const endsAtMillis = this.clock.millis + this.seconds * 1000;
    this.submissions.set(id, { endsAtMillis, end: this.execute(statements, endsAtMillis) });
    return Promise.resolve(id);
  }

  describe(id: string, untilMillis: number): Promise<Submission> {
    const submission = this.submissions.get(id);
    if (submission === undefined) return Promise.resolve({ state: 'unknown' });
    this.clock.millis = Math.max(this.clock.millis, Math.min(untilMillis, submission.endsAtMillis));
    return Promise.resolve(this.clock.millis < submission.endsAtMillis ? { state: 'running' } : submission.end);
  }

  query(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    this.queries.push(sql);
    const ledger = /FROM "[^"]+"\."_ledger" WHERE "sequence" = (\d+)/.exec(sql);
    if (ledger) {
      const rows = this.held.ledger.filter(({ sequence }) => sequence === Number(ledger[1]));
      return Promise.resolve(
        rows.map((row) => [row.table, ...[row.snapshotId, row.rows, row.applied, row.newest].map(String)]),
      );
    }
    const columns = /table_schema = '([^']+)' AND table_name = '([^']+)'/.exec(sql);
    if (!columns) throw new Error(`The memory warehouse has no answer to ${sql}`);
    const table = columns[2] ?? '';
    const names = columns[1]?.endsWith('_base') ? this.columns(table) : (this.held.views.get(table) ?? []);
    return Promise.resolve(names.map((name) => [name]));
  }

  /** All of it, or nothing. */
  private execute(statements: readonly string[], endedAtMillis: number): Submission {
    const work: Work = {
      tables: structuredClone(this.held.tables),
      views: structuredClone(this.held.views),
      ledger: [...this.held.ledger],
      staged: new Map(),
    };
    const broken = this.breaks(statements);
    if (broken) return { state: 'failed', ...broken, endedAtMillis };
    for (const [index, statement] of statements.entries()) {
      try {
        this.executeOne(statement, work);
      } catch (thrown) {
        const message = thrown instanceof Error ? thrown.message : String(thrown);
        return { state: 'failed', message, statement: index, endedAtMillis };
      }
    }
    this.held = work;
    return { state: 'finished', endedAtMillis };
  }

  private executeOne(statement: string, work: Work): void {
    const created = /^CREATE TABLE IF NOT EXISTS "[^"]+"\."([^"]+)"/.exec(statement)?.[1];
    if (created !== undefined && created !== '_ledger' && !work.tables.has(created))
      work.tables.set(created, { columns: quotedLines(statement), rows: new Map() });
    const view = /^CREATE OR REPLACE VIEW "[^"]+"\."([^"]+)"/.exec(statement)?.[1];
    if (view !== undefined) work.views.set(view, quotedLines(statement));
    const added = /^ALTER TABLE "[^"]+"\."([^"]+)" ADD COLUMN "([^"]+)"/.exec(statement);
    if (added) addColumn(tableIn(work, added[1]), added[2] ?? '');
    const copied = /^COPY "(.+)__staged" FROM '([^']+)'/.exec(statement);
    if (copied) work.staged.set(copied[1] ?? '', this.staging.linesOf(copied[2] ?? '').map(readLine));
    const record =
      /^INSERT INTO "[^"]+"\."_ledger"[^]*?SELECT '([^']+)', COALESCE\(MAX\("load"\), 0\) \+ 1, (\d+), (\d+)/.exec(
        statement,
      );
    if (record) recordLoad(work, record[1] ?? '', Number(record[2]), Number(record[3]));
    const inserted = record ? null : /^INSERT INTO "[^"]+"\."([^"]+)" \(([^)]*)\)/.exec(statement);
    if (inserted) this.insert(work, inserted[1] ?? '', inserted[2] ?? '');
  }

  private insert(work: Work, name: string, columns: string): void {
    const table = tableIn(work, name);
    for (const [, column] of columns.matchAll(/"([^"]+)"/g))
      if (!table.columns.includes(column ?? '')) throw new Error(`column "${column ?? ''}" does not exist`);
    for (const envelope of work.staged.get(name) ?? []) {
      if (envelope.version <= (table.rows.get(envelope.keyHash)?.version ?? '')) continue;
      table.rows.set(envelope.keyHash, {
        version: envelope.version,
        row: envelope.row === null ? null : (JSON.parse(envelope.row) as unknown),
      });
    }
  }
}

function recordLoad(work: Work, table: string, sequence: number, snapshotId: number): void {
  const staged = work.staged.get(table) ?? [];
  const newest = Math.max(...staged.map((envelope) => envelope.committedAtMicros));
  work.ledger.push({ table, sequence, snapshotId, rows: staged.length, applied: 0, newest });
}

function tableIn(work: Work, name: string | undefined): HeldTable {
  const table = work.tables.get(name ?? '');
  if (table === undefined) throw new Error(`relation "${name ?? ''}" does not exist`);
  return table;
}

function addColumn(table: HeldTable, column: string): void {
  if (table.columns.includes(column)) throw new Error(`column "${column}" of relation already exists`);
  table.columns.push(column);
}

/** The names that lines begin with. */
function quotedLines(statement: string): string[] {
  return [...statement.matchAll(/^ {2}"([^"]+)"/gm)].map(([, name]) => name ?? '');
}

/** A staged line, whose `_row` is nested. */
function readLine(line: string): ReturnType<typeof parseEnvelopeLine> {
  let fields: { _row: unknown };
  try {
    fields = JSON.parse(line) as { _row: unknown };
  } catch {
    throw new Error(`Load into table 'staged' failed.  Check 'sys_load_error_detail' system table for details.`);
  }
  return parseEnvelopeLine(
    JSON.stringify({ ...fields, _row: fields._row === null ? null : JSON.stringify(fields._row) }),
  );
}

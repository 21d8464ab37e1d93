import type { ColumnType } from '../column.ts';
import { GlasshouseError } from '../errors.ts';

/** The engines that warehouse SQL is written for. The lakehouse's engines (athena, duckdb) get theirs beside these. */
export type DialectName = 'postgres' | 'redshift';

/** What an engine wants said its own way. A dialect is a table: it decides nothing. */
export interface Dialect {
  readonly name: DialectName;
  /** The longest name in bytes; a longer one is cut in silence, so it is refused here. */
  readonly maxNameBytes: number;
  /** The type of a column from the source. */
  typeName(type: ColumnType): string;
  /** The types of the columns that we add. */
  readonly types: {
    readonly key: string;
    readonly keyHash: string;
    readonly version: string;
    readonly timestamp: string;
    readonly json: string;
  };
  /** Stands after the type of the base table's `_key_hash`. */
  readonly keyHashConstraint: string;
  /** Stands after the base table's closing parenthesis, with its leading space. */
  readonly baseTableOptions: string;
  /** Stands after the view's query, with its leading space. */
  readonly viewOptions: string;
  /** The ledger's primary key, with its leading comma; empty where the engine enforces none. */
  readonly ledgerConstraint: string;
  /** The time of the statement, without zone, in UTC. */
  readonly now: string;
  /** What one transaction may hold; null where there is no limit. */
  readonly batchLimits: BatchLimits | null;
}

export interface BatchLimits {
  readonly maxStatements: number;
  readonly maxBytes: number;
}

/** A name as the engine takes it, whatever it holds: reserved words, quotes, spaces. */
export function quoteName(name: string, dialect: Dialect): string {
  if (name === '' || name.includes('\0')) {
    throw new GlasshouseError('config', `${JSON.stringify(name)} cannot be a name in ${dialect.name}; choose another.`);
  }
  const bytes = utf8Bytes(name);
  if (bytes > dialect.maxNameBytes) {
    throw new GlasshouseError(
      'config',
      `The name ${name} has ${bytes} bytes, and ${dialect.name} takes ${dialect.maxNameBytes}; choose a shorter one.`,
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal. */
export function quoteText(text: string, dialect: Dialect): string {
  const doubled = text.replaceAll("'", "''");
  // Redshift reads a backslash in a literal as an escape, as old PostgreSQL did.
  return dialect.name === 'redshift' ? `'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}

/** The statements, unless the engine would refuse them as one transaction: then GlasshouseError `config`. */
export function checkBatch(statements: readonly string[], dialect: Dialect, table: string): readonly string[] {
  const limits = dialect.batchLimits;
  if (!limits) return statements;
  const bytes = statements.reduce((sum, statement) => sum + utf8Bytes(statement), 0);
  if (statements.length > limits.maxStatements || bytes > limits.maxBytes) {
    throw new GlasshouseError(
      'config',
      `Loading ${table} takes ${statements.length} statements of ${bytes} bytes in one transaction, and ${dialect.name} takes ` +
        `${limits.maxStatements} of ${limits.maxBytes}. Lower maxColumns, or drop columns that nobody needs.`,
    );
  }
  return statements;
}

/** The length of a text in UTF-8. A lone surrogate counts as the three bytes that it would be written with. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    const isPair = code >= 0xd800 && code < 0xdc00 && text.charCodeAt(index + 1) >> 10 === 0x37;
    bytes += code < 0x800 ? 1 : 2;
    // The second half of a pair is counted with its first: two units, four bytes.
    if (isPair) index++;
  }
  return bytes;
}

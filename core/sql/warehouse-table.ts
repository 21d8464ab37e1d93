import type { TableSchema } from '../schema.ts';
import type { Dialect } from './dialect.ts';
import { quoteName } from './dialect.ts';

/** Where one mirrored table lives in a warehouse. */
export interface WarehouseTable {
  /** The mirror's name; its base tables and its ledger are in the schema `<mirror>_base`. */
  readonly mirror: string;
  /** The table's name: of the base table and of the view. */
  readonly table: string;
  /** The schema of the view that users query. */
  readonly viewSchema: string;
}

export const DEFAULT_VIEW_SCHEMA = 'public';

const LEDGER = '_ledger';

/** The quoted names of a table's parts. */
export interface TableNames {
  readonly baseSchema: string;
  readonly base: string;
  readonly viewSchema: string;
  readonly view: string;
  readonly ledger: string;
}

/** The unquoted name of the schema that a mirror's base tables are in. */
export function baseSchemaOf(mirror: string): string {
  return `${mirror}_base`;
}

export function namesOf(table: WarehouseTable, dialect: Dialect): TableNames {
  const baseSchema = quoteName(baseSchemaOf(table.mirror), dialect);
  const viewSchema = quoteName(table.viewSchema, dialect);
  const own = quoteName(table.table, dialect);
  return {
    baseSchema,
    base: `${baseSchema}.${own}`,
    viewSchema,
    view: `${viewSchema}.${own}`,
    ledger: `${baseSchema}.${quoteName(LEDGER, dialect)}`,
  };
}

/** A base table's columns in order: name as it is, and type with its constraint. */
export function baseColumns(
  schema: TableSchema,
  dialect: Dialect,
): readonly { readonly name: string; readonly type: string }[] {
  const { types } = dialect;
  return [
    { name: '_key_hash', type: types.keyHash + dialect.keyHashConstraint },
    { name: '_key', type: `${types.key} NOT NULL` },
    ...schema.columns.map((column) => ({ name: column.name, type: dialect.typeName(column.type) })),
    { name: '_version', type: `${types.version} NOT NULL` },
    { name: '_committed_at', type: `${types.timestamp} NOT NULL` },
    { name: '_rescued', type: types.json },
    { name: '_deleted', type: 'boolean NOT NULL' },
  ];
}

/** What the view shows of our own columns, after the user's. */
export const VIEW_COLUMNS: readonly string[] = ['_version', '_committed_at', '_rescued'];

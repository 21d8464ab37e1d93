import type { TableSchema } from '../../schema.ts';
import type { Dialect } from '../dialect.ts';
import { quoteName } from '../dialect.ts';
import type { WarehouseTable } from '../warehouse-table.ts';
import { VIEW_COLUMNS, namesOf } from '../warehouse-table.ts';
import { replaceView } from './create-warehouse.ts';

/** The columns that a warehouse has now, in order. */
export interface HeldColumns {
  readonly base: readonly string[];
  /** Empty where the view is not there. */
  readonly view: readonly string[];
}

/**
 * Brings a table that is there to a schema, in a step of its own before the load: it only ever adds, one column a
 * statement (Redshift takes no more), and replaces the view where it lacks any. Nothing to do gives no statement.
 */
export function planAddColumns(
  table: WarehouseTable,
  held: HeldColumns,
  schema: TableSchema,
  dialect: Dialect,
): readonly string[] {
  const { base } = namesOf(table, dialect);
  const heldInBase = new Set(held.base);
  const added = schema.columns
    .filter((column) => !heldInBase.has(column.name))
    .map(({ name, type }) => `ALTER TABLE ${base} ADD COLUMN ${quoteName(name, dialect)} ${dialect.typeName(type)}`);
  // PostgreSQL replaces a view only by one that begins with the same columns, so what is new comes last in it.
  const heldInView = new Set(held.view);
  const wanted = [...schema.columns.map((column) => column.name), ...VIEW_COLUMNS];
  const missing = wanted.filter((name) => !heldInView.has(name));
  return missing.length === 0 ? added : [...added, replaceView(table, [...held.view, ...missing], dialect)];
}

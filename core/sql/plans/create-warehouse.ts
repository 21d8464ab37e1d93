import type { TableSchema } from '../../schema.ts';
import type { Dialect } from '../dialect.ts';
import { quoteName, quoteText } from '../dialect.ts';
import type { TableNames, WarehouseTable } from '../warehouse-table.ts';
import { VIEW_COLUMNS, baseColumns, baseSchemaOf, namesOf } from '../warehouse-table.ts';

/** Makes a table's schemas, base table, ledger and view. What is there already stays as it is. */
export function planCreate(table: WarehouseTable, schema: TableSchema, dialect: Dialect): readonly string[] {
  const names = namesOf(table, dialect);
  const columns = baseColumns(schema, dialect).map(({ name, type }) => `  ${quoteName(name, dialect)} ${type}`);
  const viewed = [...schema.columns.map((column) => column.name), ...VIEW_COLUMNS];
  return [
    `CREATE SCHEMA IF NOT EXISTS ${names.baseSchema}`,
    `CREATE SCHEMA IF NOT EXISTS ${names.viewSchema}`,
    createLedger(names, dialect),
    `CREATE TABLE IF NOT EXISTS ${names.base} (\n${columns.join(',\n')}\n)${dialect.baseTableOptions}`,
    replaceView(table, viewed, dialect),
  ];
}

/**
 * One row a load: what `mark` reads, in the same transaction as the rows. `newest_committed_at` (epoch microseconds) is
 * written by loads that learn it in the warehouse; a ledger that was made before it was thought of lacks it.
 */
function createLedger(names: TableNames, dialect: Dialect): string {
  const name = dialect.name === 'redshift' ? 'VARCHAR(256)' : 'text';
  return (
    `CREATE TABLE IF NOT EXISTS ${names.ledger} (\n` +
    `  "table_name" ${name} NOT NULL,\n  "load" bigint NOT NULL,\n  "sequence" bigint NOT NULL,\n  "snapshot_id" bigint NOT NULL,\n` +
    `  "rows" bigint NOT NULL,\n  "applied" bigint NOT NULL,\n  "stale" bigint NOT NULL,\n` +
    `  "loaded_at" ${dialect.types.timestamp} NOT NULL,\n  "newest_committed_at" bigint${dialect.ledgerConstraint}\n)`
  );
}

/** The view with the columns in the order given: without tombstones, and without what only the load needs. */
export function replaceView(table: WarehouseTable, columns: readonly string[], dialect: Dialect): string {
  const names = namesOf(table, dialect);
  const list = columns.map((name) => `  ${quoteName(name, dialect)}`).join(',\n');
  return `CREATE OR REPLACE VIEW ${names.view} AS\nSELECT\n${list}\nFROM ${names.base}\nWHERE NOT "_deleted"${dialect.viewOptions}`;
}

/** Asks for the names of a relation's columns, in order: of the base table or of the view. No row: it is not there. */
export function heldColumnsQuery(table: WarehouseTable, part: 'base' | 'view', dialect: Dialect): string {
  const schema = quoteText(part === 'base' ? baseSchemaOf(table.mirror) : table.viewSchema, dialect);
  const relation = quoteText(table.table, dialect);
  switch (dialect.name) {
    case 'postgres':
      // The catalog itself: information_schema hides what the asking role may not read.
      return (
        'SELECT a.attname AS "name" FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace ' +
        `WHERE n.nspname = ${schema} AND c.relname = ${relation} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
      );
    case 'redshift':
      return `SELECT column_name AS "name" FROM svv_columns WHERE table_schema = ${schema} AND table_name = ${relation} ORDER BY ordinal_position`;
  }
}

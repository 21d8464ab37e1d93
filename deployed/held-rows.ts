import type { AthenaAccess } from '../adapters/aws/athena-statements.ts';
import { queryRows } from '../adapters/aws/athena-statements.ts';
import type { RedshiftAccess } from '../adapters/aws/redshift-data.ts';
import { redshiftRows } from '../adapters/aws/redshift-data.ts';
import type { KeyHash } from '../core/change.ts';
import { redshift } from '../core/sql/dialects/redshift.ts';
import { heldColumnsQuery } from '../core/sql/plans/create-warehouse.ts';
import { answeredRow, athenaColumnsQuery, athenaRowsQuery, redshiftRowsQuery } from '../core/sql/rows-query.ts';
import type { WarehouseTable } from '../core/sql/warehouse-table.ts';
import type { Target } from '../flows/ports.ts';

/** What is asked of a target: all rows, or those of some keys. */
type HeldRows = (keyHashes: readonly KeyHash[] | null) => Pick<Target, 'rows'>;

/** A large table's rows. */
const LONGEST_QUERY_MS = 30 * 60_000;

/** The rows of a state table in the lake. */
export function lakeRows(access: AthenaAccess, table: string): HeldRows {
  const { database } = access;
  return (keyHashes) => ({
    async *rows(schema) {
      const held = new Set<string>();
      for await (const page of queryRows(access, athenaColumnsQuery(database, table), deadline()))
        for (const [name] of page) held.add(name ?? '');
      const sql = athenaRowsQuery(database, table, { schema, held, keyHashes });
      for await (const page of queryRows(access, sql, deadline())) yield page.map((row) => answeredRow(row, schema));
    },
  });
}

/** The rows of a base table in Redshift, tombstones left out. */
export function warehouseRows(access: RedshiftAccess, table: WarehouseTable): HeldRows {
  return (keyHashes) => ({
    async *rows(schema) {
      const held = new Set<string>();
      for await (const page of redshiftRows(access, heldColumnsQuery(table, 'base', redshift), deadline()))
        for (const [name] of page) held.add(name ?? '');
      const sql = redshiftRowsQuery(table, { schema, held, keyHashes });
      for await (const page of redshiftRows(access, sql, deadline())) yield page.map((row) => answeredRow(row, schema));
    },
  });
}

function deadline(): number {
  return Date.now() + LONGEST_QUERY_MS;
}

import type { LoadFailureKind } from '../core/load-failure.ts';
import { loadFailureKind } from '../core/load-failure.ts';
import type { TableSchema } from '../core/schema.ts';
import type { Dialect } from '../core/sql/dialect.ts';
import { planAddColumns } from '../core/sql/plans/add-columns.ts';
import { heldColumnsQuery, planCreate } from '../core/sql/plans/create-warehouse.ts';
import { planBatches } from '../core/sql/statement-batches.ts';
import type { WarehouseTable } from '../core/sql/warehouse-table.ts';
import type { WarehouseStatements } from './load-ports.ts';

export type Prepared =
  | { readonly state: 'ready' }
  | { readonly state: 'running' }
  | { readonly state: 'failed'; readonly kind: LoadFailureKind; readonly message: string };

/** Brings tables to their schemas before they are loaded, and remembers which it has brought how far. */
export interface WarehousePreparation {
  /** Steps of their own, committed before any load: a change of a table locks out its readers. It only ever adds. */
  bring(table: WarehouseTable, schema: TableSchema, untilMillis: number): Promise<Prepared>;
  /** Looks at the tables anew the next time: whatever is wrong may be in them. */
  forget(): void;
}

const READY: Prepared = { state: 'ready' };

export function prepareWarehouse(statements: WarehouseStatements, dialect: Dialect): WarehousePreparation {
  const brought = new Map<string, number>();

  async function heldColumns(table: WarehouseTable, part: 'base' | 'view', untilMillis: number): Promise<string[]> {
    const rows = await statements.query(heldColumnsQuery(table, part, dialect), untilMillis);
    return rows.map(([name]) => name ?? '');
  }

  async function plan(
    table: WarehouseTable,
    schema: TableSchema,
    untilMillis: number,
  ): Promise<readonly string[] | null> {
    const base = await heldColumns(table, 'base', untilMillis);
    const view = await heldColumns(table, 'view', untilMillis);
    if (base.length > 0) return planAddColumns(table, { base, view }, schema, dialect);
    return view.length > 0 ? null : planCreate(table, schema, dialect);
  }

  return {
    async bring(table, schema, untilMillis) {
      if ((brought.get(table.table) ?? 0) >= schema.version) return READY;
      const planned = await plan(table, schema, untilMillis);
      if (planned === null) return taken(table);
      for (const batch of planBatches(planned, dialect.batchLimits)) {
        const id = await statements.submit(batch, null);
        const end = await statements.describe(id, untilMillis);
        // The next look asks for the columns again, and goes on from what is there by then.
        if (end.state === 'running' || end.state === 'unknown') return { state: 'running' };
        if (end.state === 'failed') {
          return { state: 'failed', kind: loadFailureKind(end.message), message: end.message };
        }
      }
      brought.set(table.table, schema.version);
      return READY;
    },
    forget: () => brought.clear(),
  };
}

function taken({ viewSchema, table }: WarehouseTable): Prepared {
  return {
    state: 'failed',
    kind: 'setting',
    message:
      `The warehouse has a ${viewSchema}.${table} that Glasshouse did not make, and would replace. ` +
      'Rename one of the two, or choose another schema for the views.',
  };
}

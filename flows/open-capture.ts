import { GlasshouseError } from '../core/errors.ts';
import type { JsonStyle } from '../core/json-text.ts';
import type { SchemaLimits, TableSchema } from '../core/schema.ts';
import { keyColumnsOf } from '../core/schema.ts';
import { Capture } from './capture.ts';
import type { SchemaRegistry } from './ports.ts';

/** A registry that can be asked for the newest version alone. */
export interface NewestSchema extends SchemaRegistry {
  /** Null where the table is new. */
  newest(table: string): Promise<TableSchema | null>;
}

/** A table of a deployed mirror. Its key and its declared columns are in the schema that the deployment registered. */
export interface DeployedTable {
  /** The mirror's name of the table. */
  readonly table: string;
  /** The source's table; null where records of any are taken. */
  readonly sourceTable: string | null;
  readonly limits: SchemaLimits;
}

/**
 * Opens capture of a table of a deployed mirror. `style` is how rows are quoted (`rowStyleFor`).
 * @throws GlasshouseError `config` where the deployment has not registered the table's schema.
 */
export async function openCapture(
  { table, sourceTable, limits }: DeployedTable,
  registry: NewestSchema,
  style: JsonStyle,
): Promise<Capture> {
  const schema = await registry.newest(table);
  if (schema === null) {
    throw new GlasshouseError(
      'config',
      `The table ${table} has no schema in the control table. The deployment registers it: run \`cdk deploy\` again. Nothing is lost while the stream keeps the changes, 24 hours.`,
    );
  }
  const key = keyColumnsOf(schema).map(({ attribute, keyType }) => ({ attribute, type: keyType ?? 'S' }));
  return Capture.of({ table, sourceTable, key, declared: {}, limits }, registry, schema, style);
}

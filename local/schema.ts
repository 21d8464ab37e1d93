import type { Mirror } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import { createFileSchemaRegistry } from '../adapters/files/schema-registry.ts';
import { layoutOf } from './layout.ts';
import { mirrorOf } from './mirror-file.ts';
import type { CommonOptions, SchemaReport } from './results.ts';

/** The newest schema of a table. Throws `usage` where the mirror has no such table, or nothing of it yet. */
export async function schemaOf(mirror: Mirror | null, table: string, options: CommonOptions): Promise<SchemaReport> {
  const layout = layoutOf(options.dir);
  const { tables } = await mirrorOf(mirror, layout);
  if (!tables.some((one) => one.name === table)) {
    throw new GlasshouseError(
      'usage',
      `The mirror has no table ${table}; it has ${tables.map((one) => one.name).join(', ')}.`,
    );
  }
  const schema = (await createFileSchemaRegistry(layout.schemas).load(table)).at(-1);
  if (schema !== undefined) return schema;
  throw new GlasshouseError(
    'usage',
    `Nothing of ${table} has been mirrored yet, so it has no schema: run the mirror first.`,
  );
}

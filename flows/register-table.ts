import type { RegistrarProperties } from '../core/contract.ts';
import { columnTypeText } from '../core/column.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { DeclaredColumns, KeyAttributes, SchemaLimits, TableSchema } from '../core/schema.ts';
import { addColumns, initialSchema, keyColumnsOf } from '../core/schema.ts';
import type { SchemaRegistry } from './ports.ts';
import type { LakeCatalog, LakeStatements, LakeUpkeep, SourceKeys } from './register-ports.ts';
import { readTableRequest } from './register-request.ts';

/** What registering a table needs. */
export interface RegisterParts {
  readonly registry: SchemaRegistry;
  readonly source: SourceKeys;
  /** Null where the mirror has no lakehouse. */
  readonly lake: LakeParts | null;
}

export interface LakeParts {
  readonly catalog: LakeCatalog;
  readonly upkeep: LakeUpkeep;
  readonly statements: LakeStatements;
  /** The statements that make a table's views, or make them anew. */
  readonly viewStatements: (table: string, schema: TableSchema) => readonly string[];
}

/**
 * Registers what one custom resource asks for, and returns the table's schema: its first schema or newly declared columns
 * (`schema`), or the lake's tables, their upkeep and their views, in this order (`lake`). Repeated, it finds its work done.
 * @throws GlasshouseError `config` where the configuration contradicts what is there, with the remedy.
 */
export async function registerTable(properties: RegistrarProperties, parts: RegisterParts): Promise<TableSchema> {
  return properties.part === 'schema' ? registerSchema(properties, parts) : registerLake(properties.table, parts);
}

async function registerLake(table: string, { registry, lake }: RegisterParts): Promise<TableSchema> {
  if (lake === null) {
    throw new GlasshouseError(
      'bug',
      `The tables of ${table} cannot be made: the mirror was deployed without a lakehouse. Deploy it again with \`cdk deploy\`.`,
    );
  }
  const schema = (await registry.load(table)).at(-1);
  if (schema === undefined) {
    throw new GlasshouseError(
      'config',
      `The table ${table} has no schema yet, from which its lake tables follow. Deploy the mirror's control stack first: \`cdk deploy --all\` keeps the order.`,
    );
  }
  await lake.catalog.ensure(table, schema);
  await lake.upkeep.keepUp(table);
  for (const statement of lake.viewStatements(table, schema)) await lake.statements.run(statement);
  return schema;
}

const MAX_REGISTRY_TRIES = 20;

/** By compare-and-set: after a conflict, onto what a capture has registered meanwhile. */
async function registerSchema(properties: RegistrarProperties, parts: RegisterParts): Promise<TableSchema> {
  const { table, sourceArn, key, declared, limits } = readTableRequest(properties);
  const keyInSource = key ?? (await parts.source.keyOf(sourceArn));
  for (let attempt = 1; ; attempt++) {
    const current = (await parts.registry.load(table)).at(-1);
    const next =
      current === undefined
        ? initialSchema(keyInSource, declared)
        : amended(table, current, keyInSource, declared, limits);
    if (next === current) return next;
    try {
      await parts.registry.save(table, next);
      return next;
    } catch (thrown) {
      const isConflict = thrown instanceof GlasshouseError && thrown.code === 'conflict';
      if (!isConflict || attempt === MAX_REGISTRY_TRIES) throw thrown;
    }
  }
}

/** The schema with the declared columns that it lacks, or the same object where it has them all. */
function amended(
  table: string,
  current: TableSchema,
  key: KeyAttributes,
  declared: DeclaredColumns,
  limits: SchemaLimits,
): TableSchema {
  checkKey(table, current, key);
  checkTypes(table, current, declared);
  const wanted = Object.entries(declared).map(([attribute, type]) => ({ attribute, type }));
  const next = addColumns(current, wanted, limits);
  const known = new Set(next.columns.map((column) => column.attribute));
  const left = wanted.filter(({ attribute }) => !known.has(attribute)).map(({ attribute }) => attribute);
  if (left.length > 0) {
    throw new GlasshouseError(
      'config',
      `The table ${table} has ${current.columns.length} columns, and maxColumns is ${limits.maxColumns}: no room is left for the ` +
        `declared ${left.join(', ')}. Raise maxColumns, and deploy again.`,
    );
  }
  if (next === current) return current;
  return {
    ...next,
    columns: next.columns.map((column, index) =>
      index < current.columns.length ? column : { ...column, declared: true },
    ),
  };
}

function checkKey(table: string, current: TableSchema, key: KeyAttributes): void {
  const registered = keyColumnsOf(current).map(({ attribute, keyType }) => `${attribute} (${keyType ?? '?'})`);
  const asked = key.map(({ attribute, type }) => `${attribute} (${type})`);
  if (registered.join(', ') === asked.join(', ')) return;
  throw new GlasshouseError(
    'config',
    `The key of the table ${table} is ${asked.join(', ')}, but it was registered with ${registered.join(', ')}: it is another table ` +
      'now. Give it another name in the configuration, so that it is mirrored beside the old one.',
  );
}

/** A type is never changed in place, and what was declared is never passed over in silence. */
function checkTypes(table: string, current: TableSchema, declared: DeclaredColumns): void {
  const differing = current.columns.flatMap(({ attribute, type }) => {
    const wanted = Object.hasOwn(declared, attribute) ? declared[attribute] : undefined;
    const [is, asked] = [columnTypeText(type), wanted === undefined ? null : columnTypeText(wanted)];
    return asked === null || asked === is ? [] : [`${attribute} is ${is} and declared ${asked}`];
  });
  if (differing.length === 0) return;
  throw new GlasshouseError(
    'config',
    `In the table ${table}, the ${differing.length === 1 ? 'column' : 'columns'} ${differing.join('; ')}. A type is never changed in ` +
      'place: rows are there that were written with the old one. Declare the types that are registered (or leave them out), or ' +
      'mirror the table under another name, where the new types hold from the first row.',
  );
}

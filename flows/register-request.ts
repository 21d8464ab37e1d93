import type { RegistrarProperties } from '../core/contract.ts';
import type { KeyType } from '../core/column.ts';
import { parseColumnType } from '../core/column.ts';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import type { DeclaredColumns, KeyAttributes, SchemaLimits } from '../core/schema.ts';

/** What a custom resource asks for one table, parsed. */
export interface TableRequest {
  readonly table: string;
  readonly sourceArn: string;
  /** In key order; null where the source has to be asked. */
  readonly key: KeyAttributes | null;
  readonly declared: DeclaredColumns;
  readonly limits: SchemaLimits;
}

const PROPERTIES: readonly (keyof RegistrarProperties)[] = [
  'part',
  'table',
  'sourceArn',
  'key',
  'columns',
  'maxColumns',
];
const KEY_TYPES: ReadonlySet<unknown> = new Set<KeyType>(['S', 'N', 'B']);

/**
 * The properties of a custom resource, checked to be all there and text, as CloudFormation sends them.
 * @throws GlasshouseError `config` that names the property.
 */
export function registrarProperties(sent: unknown): RegistrarProperties {
  const given = isObject(sent) ? sent : {};
  for (const name of PROPERTIES) {
    if (typeof given[name] !== 'string') throw malformed(name, given[name], 'text');
  }
  const properties = given as unknown as RegistrarProperties;
  if (!['schema', 'lake'].includes(properties.part)) throw malformed('part', properties.part, '`schema` or `lake`');
  if (properties.table === '') throw malformed('table', properties.table, 'a name');
  return properties;
}

/** Parses the properties of one table. Throws GlasshouseError `config` that names the property that does not fit. */
export function readTableRequest({ table, sourceArn, key, columns, maxColumns }: RegistrarProperties): TableRequest {
  const limit = /^\d{1,9}$/.test(maxColumns) ? Number(maxColumns) : 0;
  if (limit < 1) throw malformed('maxColumns', maxColumns, 'a whole number from 1');
  return {
    table,
    sourceArn,
    key: key === '' ? null : readKey(key),
    declared: readColumns(columns),
    limits: { maxColumns: limit },
  };
}

function readKey(text: string): KeyAttributes {
  const wanted = 'JSON of one or two `{ "attribute": …, "type": "S" | "N" | "B" }`';
  const parsed = parseJson('key', text, wanted);
  if (!Array.isArray(parsed) || parsed.length < 1 || parsed.length > 2) throw malformed('key', text, wanted);
  return parsed.map((part: unknown) => {
    if (!isObject(part) || typeof part.attribute !== 'string' || !KEY_TYPES.has(part.type)) {
      throw malformed('key', text, wanted);
    }
    return { attribute: part.attribute, type: part.type as KeyType };
  });
}

function readColumns(text: string): DeclaredColumns {
  const wanted = 'JSON of column types by attribute, as `{ "total": "decimal(12,2)" }`';
  const parsed = text === '' ? {} : parseJson('columns', text, wanted);
  if (!isObject(parsed)) throw malformed('columns', text, wanted);
  return Object.fromEntries(
    Object.entries(parsed).map(([attribute, given]) => {
      const type = typeof given === 'string' ? parseColumnType(given) : null;
      if (type === null) throw malformed(`columns (${attribute})`, given, 'a column type');
      return [attribute, type];
    }),
  );
}

function parseJson(name: string, text: string, wanted: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GlasshouseError('config', `${malformed(name, text, wanted).message} (${messageOf(cause)})`, { cause });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(name: string, given: unknown, wanted: string): GlasshouseError {
  const shown = given === undefined ? 'missing' : JSON.stringify(given).slice(0, 200);
  return new GlasshouseError(
    'config',
    `The property ${name} of the mirror's custom resource is ${shown}, and should be ${wanted}. Deploy again with \`cdk deploy\` of ` +
      'the same version of Glasshouse as the registrar function.',
  );
}

import type { Column, ColumnType, ColumnTypeText, KeyType } from './column.ts';
import { DEFAULT_DECIMAL, FIRST_USER_COLUMN_ID, columnTypeText, parseColumnType } from './column.ts';
import { GlasshouseError } from './errors.ts';
import { columnNameOf, uniqueName } from './column-name.ts';

/** One version of a mirrored table's schema. A new version only ever adds columns. */
export interface TableSchema {
  /** 1 for the first; what an envelope's `_schema` names. */
  readonly version: number;
  /** In order of their ids. */
  readonly columns: readonly Column[];
}

/** What the configuration says about a table's columns, by attribute name. */
export type DeclaredColumns = Readonly<Record<string, ColumnType>>;

export interface SchemaLimits {
  /** The most columns a table may have; attributes beyond it go to `_rescued`. */
  readonly maxColumns: number;
}

export const DEFAULT_SCHEMA_LIMITS: SchemaLimits = { maxColumns: 500 };

/** A column that some records ask for: an attribute that the schema does not know, and the type that its values join to. */
export interface WantedColumn {
  readonly attribute: string;
  readonly type: ColumnType;
}

/** The key of a table: its attributes in key order (hash, then range), with their types in the source. */
export type KeyAttributes = readonly { readonly attribute: string; readonly type: KeyType }[];

const KEY_COLUMN_TYPES: Readonly<Record<KeyType, ColumnType>> = {
  S: { kind: 'string' },
  N: DEFAULT_DECIMAL,
  B: { kind: 'binary' },
};

/** The first schema of a table: its key, then what is declared, in the order of the declaration. */
export function initialSchema(key: KeyAttributes, declared: DeclaredColumns): TableSchema {
  const keyAttributes = new Set(key.map((column) => column.attribute));
  const columns: Column[] = [];
  for (const [index, wanted] of key.entries()) {
    const fixed = Object.hasOwn(declared, wanted.attribute) ? declared[wanted.attribute] : undefined;
    const column = newColumn(columns, wanted.attribute, fixed ?? KEY_COLUMN_TYPES[wanted.type], fixed !== undefined);
    columns.push({ ...column, keyIndex: index === 0 ? 0 : 1, keyType: wanted.type });
  }
  for (const [attribute, type] of Object.entries(declared)) {
    if (!keyAttributes.has(attribute)) columns.push(newColumn(columns, attribute, type, true));
  }
  return { version: 1, columns };
}

/**
 * The schema with the wanted columns added, in their order, or the same object where there is nothing to add (every
 * wanted attribute is known already, or the limit is reached).
 */
export function addColumns(schema: TableSchema, wanted: readonly WantedColumn[], limits: SchemaLimits): TableSchema {
  const known = new Set(schema.columns.map((column) => column.attribute));
  const columns = [...schema.columns];
  for (const { attribute, type } of wanted) {
    if (known.has(attribute) || columns.length >= limits.maxColumns) continue;
    known.add(attribute);
    columns.push(newColumn(columns, attribute, type, false));
  }
  return columns.length === schema.columns.length ? schema : { version: schema.version + 1, columns };
}

function newColumn(existing: readonly Column[], attribute: string, type: ColumnType, declared: boolean): Column {
  const taken = new Set(existing.map((column) => column.name));
  const id = existing.reduce((highest, column) => Math.max(highest, column.id), FIRST_USER_COLUMN_ID - 1) + 1;
  const column = { id, name: uniqueName(columnNameOf(attribute), taken), attribute, type };
  return declared ? { ...column, declared } : column;
}

/** The key columns in key order. */
export function keyColumnsOf(schema: TableSchema): readonly Column[] {
  return schema.columns
    .filter((column) => column.keyIndex !== undefined)
    .sort((a, b) => (a.keyIndex ?? 0) - (b.keyIndex ?? 0));
}

interface StoredColumn {
  readonly id: number;
  readonly name: string;
  readonly attribute: string;
  readonly type: ColumnTypeText;
  readonly keyIndex?: 0 | 1;
  readonly keyType?: KeyType;
  readonly declared?: true;
}

/** The schema as plain JSON data, as the registry keeps it. */
export function schemaToJson(schema: TableSchema): unknown {
  const columns: StoredColumn[] = schema.columns.map((column) => ({ ...column, type: columnTypeText(column.type) }));
  return { version: schema.version, columns };
}

/** Reads what `schemaToJson` made. */
export function schemaFromJson(json: unknown): TableSchema {
  const stored = json as { readonly version?: unknown; readonly columns?: unknown } | null;
  if (typeof stored?.version !== 'number' || !Array.isArray(stored.columns)) {
    throw new GlasshouseError(
      'corrupt',
      'A stored schema has no version or no columns; restore it, or replay the table into a new folder.',
    );
  }
  const columns = (stored.columns as readonly StoredColumn[]).map((column): Column => {
    const type = parseColumnType(column.type);
    if (!type)
      throw new GlasshouseError(
        'corrupt',
        `The stored type ${JSON.stringify(column.type)} of column ${column.name} is no column type.`,
      );
    return { ...column, type };
  });
  return { version: stored.version, columns };
}

/** The type of a column of the mirror. `long`, `double`, other decimals, `timestamp` and `date` are declared only, never inferred. */
export type ColumnType =
  | { readonly kind: 'string' | 'boolean' | 'binary' | 'json' | 'long' | 'double' | 'timestamp' | 'date' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

export type ColumnKind = ColumnType['kind'];

/** How a column type is written in configuration and in the registry. */
export type ColumnTypeText = Exclude<ColumnKind, 'decimal'> | `decimal(${number},${number})`;

const SIMPLE: ReadonlySet<string> = new Set([
  'string',
  'boolean',
  'binary',
  'json',
  'long',
  'double',
  'timestamp',
  'date',
]);
const DECIMAL = /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/;

/** What a DynamoDB number becomes when nothing is declared. */
export const DEFAULT_DECIMAL: ColumnType = { kind: 'decimal', precision: 38, scale: 9 };

/** Reads `string`, `decimal(38,9)` and so on; null where the text names no type. */
export function parseColumnType(text: string): ColumnType | null {
  if (SIMPLE.has(text)) return { kind: text as Exclude<ColumnKind, 'decimal'> };
  const parts = DECIMAL.exec(text);
  if (!parts) return null;
  const precision = Number(parts[1]);
  const scale = Number(parts[2]);
  return precision >= 1 && precision <= 38 && scale <= precision ? { kind: 'decimal', precision, scale } : null;
}

export function columnTypeText(type: ColumnType): ColumnTypeText {
  return type.kind === 'decimal' ? `decimal(${type.precision},${type.scale})` : type.kind;
}

/** The types that a DynamoDB key attribute can have. */
export type KeyType = 'S' | 'N' | 'B';

/** One column of a mirrored table that comes from the source. */
export interface Column {
  /** Stable for the life of the table: it is the Iceberg field id. Never used again, even if the column goes. */
  readonly id: number;
  /** lower_snake, unique in the table, at most 63 bytes. */
  readonly name: string;
  /** The attribute's name in the source, exactly. */
  readonly attribute: string;
  readonly type: ColumnType;
  /** Place in the key (0 or 1) where the attribute is part of it. */
  readonly keyIndex?: 0 | 1;
  /** The source's type of a key attribute; a record whose key has another is set aside. */
  readonly keyType?: KeyType;
  /** Whether the configuration fixed the type. */
  readonly declared?: true;
}

/**
 * The columns that Glasshouse adds to every state table. Their ids lie below `FIRST_USER_COLUMN_ID`.
 * `_key_hash` is what every merge joins on; see docs/decisions/0002-key-hash-in-the-state.md.
 */
export const STATE_COLUMNS = {
  keyHash: { id: 1, name: '_key_hash' },
  version: { id: 2, name: '_version' },
  committedAt: { id: 3, name: '_committed_at' },
  rescued: { id: 4, name: '_rescued' },
} as const;

export const FIRST_USER_COLUMN_ID = 101;

/** A value of a column, as the targets take it; null where there is none.
 * string, json: text; boolean; decimal: the number times ten to the scale, as a bigint; long: bigint; double: number;
 * binary: bytes; timestamp: epoch microseconds as a bigint; date: days since 1970-01-01 as a number. */
export type Cell = string | bigint | number | boolean | Uint8Array | null;

import { type IcebergField, type IcebergType, decimalParts } from '../../core/iceberg/fields.ts';

/** An identifier, quoted. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal. DuckDB's parser ends a statement at a NUL, so a NUL is joined in by its code. */
export function quoteText(text: string): string {
  const literal = (part: string) => `'${part.replaceAll("'", "''")}'`;
  if (!text.includes('\0')) return literal(text);
  return `(${text.split('\0').map(literal).join(' || chr(0) || ')})`;
}

const DUCK_TYPES = {
  string: 'VARCHAR',
  long: 'BIGINT',
  int: 'INTEGER',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  binary: 'BLOB',
  timestamp: 'TIMESTAMP',
  date: 'DATE',
} as const;

/** The DuckDB type of a column. */
export function duckType(type: IcebergType): string {
  const decimal = decimalParts(type);
  if (decimal !== undefined) return `DECIMAL(${decimal.precision},${decimal.scale})`;
  return DUCK_TYPES[type as keyof typeof DUCK_TYPES];
}

/** Columns of a `CREATE TABLE`. */
export function columnDefinitions(fields: readonly IcebergField[]): string {
  return fields.map((field) => `${quoteName(field.name)} ${duckType(field.type)}`).join(', ');
}

/** Options of a `COPY ... TO` that make the file an Iceberg data file. */
export function parquetOptions(fields: readonly IcebergField[]): string {
  const ids = fields.map((field) => `${quoteName(field.name)}: ${field.id}`).join(', ');
  return `(FORMAT parquet, COMPRESSION zstd, RETURN_STATS, USE_TMP_FILE false, FIELD_IDS {${ids}})`;
}

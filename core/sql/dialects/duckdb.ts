import type { Column, ColumnType } from '../../column.ts';
import type { LakeDialect } from '../lake-dialect.ts';

/** DuckDB: the embedded mirror's views, and the engine on which the merge's plan is tested. A plain table has its rows' files in `_file`. */
export const duckdb: LakeDialect = {
  name: 'duckdb',
  maxStatementBytes: null,
  field,
  rescued: `json_extract("_row", '$._rescued')::VARCHAR`,
  fileColumn: '"_file"',
  atSnapshot: (table) => table,
  hoursAgo: (hours) => `((now() AT TIME ZONE 'UTC') - INTERVAL '${hours}' HOUR)`,
};

/** Numbers stand in `_row` exactly, as text where a JSON number would lose digits. */
function field(column: Column): string {
  const path = `'$."${column.name}"'`;
  if (column.type.kind === 'json') return `nullif(json_extract("_row", ${path}), 'null')::VARCHAR`;
  return cast(`json_extract_string("_row", ${path})`, column.type);
}

function cast(text: string, type: ColumnType): string {
  switch (type.kind) {
    case 'string':
    case 'json':
      return text;
    case 'decimal':
      return castDecimal(text, type.precision, type.scale);
    case 'long':
      return `${text}::BIGINT`;
    case 'double':
      return `${text}::DOUBLE`;
    case 'boolean':
      return `${text}::BOOLEAN`;
    case 'binary':
      return `from_base64(${text})`;
    case 'timestamp':
      return `${text}::TIMESTAMP`;
    case 'date':
      return `${text}::DATE`;
  }
}

/** DuckDB casts text to a decimal of more than 18 digits two hundred times slower than to a smaller one: most values fit the smaller. */
function castDecimal(text: string, precision: number, scale: number): string {
  const whole = `${text}::DECIMAL(${precision},${scale})`;
  if (precision <= 18 || scale > 17) return whole;
  return `coalesce(TRY_CAST(${text} AS DECIMAL(18,${scale}))::DECIMAL(${precision},${scale}), ${whole})`;
}

import type { Column, ColumnType } from '../../column.ts';
import type { LakeDialect } from '../lake-dialect.ts';

/**
 * Amazon Athena, engine version 3, which is Trino.
 * - `json_extract_scalar` gives a scalar's text as it stands in the JSON, so numbers keep every digit.
 * - `json_extract` reads a fraction as a double and writes it as Java does: `0.0001` becomes `1.0E-4`. The value is the same,
 *   since a number of more than 15 digits stands in `_row` as a string; the text of a `json` column may differ from the
 *   embedded mirror's, so it is compared as JSON.
 */
export const athena: LakeDialect = {
  name: 'athena',
  maxStatementBytes: 262_144,
  field,
  rescued: `json_format(json_extract("_row", '$._rescued'))`,
  fileColumn: '"$path"',
  atSnapshot: (table, snapshotId) => `${table} FOR VERSION AS OF ${snapshotId}`,
  hoursAgo: (hours) => `CAST(current_timestamp AT TIME ZONE 'UTC' AS TIMESTAMP(6)) - INTERVAL '${hours}' HOUR`,
};

/** Column names are lower_snake: a JSON path takes them as they are. */
function field(column: Column): string {
  const path = `'$.${column.name}'`;
  // A DynamoDB NULL is JSON's null, which is a value in Trino's type JSON.
  if (column.type.kind === 'json') return `nullif(json_format(json_extract("_row", ${path})), 'null')`;
  return cast(`json_extract_scalar("_row", ${path})`, column.type);
}

function cast(text: string, type: ColumnType): string {
  switch (type.kind) {
    case 'string':
    case 'json':
      return text;
    case 'decimal':
      return `CAST(${text} AS DECIMAL(${type.precision},${type.scale}))`;
    case 'long':
      return `CAST(${text} AS BIGINT)`;
    case 'double':
      return `CAST(${text} AS DOUBLE)`;
    case 'boolean':
      return `CAST(${text} AS BOOLEAN)`;
    case 'binary':
      return `from_base64(${text})`;
    case 'timestamp':
      // A plain TIMESTAMP would be cut to milliseconds.
      return `CAST(${text} AS TIMESTAMP(6))`;
    case 'date':
      return `CAST(${text} AS DATE)`;
  }
}

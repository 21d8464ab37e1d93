import type { Column, ColumnType } from '../../column.ts';
import { GlasshouseError } from '../../errors.ts';
import type { Dialect } from '../dialect.ts';
import { quoteName } from '../dialect.ts';

/** Amazon Redshift, loaded through the Data API: one batch is one transaction of at most 40 statements and 100 KB. */
export const redshift: Dialect = {
  name: 'redshift',
  maxNameBytes: 127,
  typeName,
  types: {
    key: 'VARCHAR(65535)',
    keyHash: 'VARCHAR(32)',
    version: 'VARCHAR(58)',
    timestamp: 'TIMESTAMP',
    json: 'SUPER',
  },
  // Redshift enforces no key, and a declared one that does not hold gives wrong answers: none is declared.
  keyHashConstraint: ' NOT NULL',
  baseTableOptions: ' DISTKEY ("_key_hash") SORTKEY ("_key_hash")',
  // Bound late, a view can be replaced by one with more columns, and holds no lock on the base table's definition.
  viewOptions: ' WITH NO SCHEMA BINDING',
  ledgerConstraint: '',
  now: 'SYSDATE',
  batchLimits: { maxStatements: 40, maxBytes: 100_000 },
};

const MAX_SCALE = 37;

function typeName(type: ColumnType): string {
  switch (type.kind) {
    case 'string':
      return 'VARCHAR(65535)';
    case 'boolean':
      return 'BOOLEAN';
    case 'binary':
      return 'VARBYTE';
    case 'json':
      return 'SUPER';
    case 'long':
      return 'BIGINT';
    case 'double':
      return 'DOUBLE PRECISION';
    case 'decimal':
      return decimalName(type.precision, type.scale);
    case 'timestamp':
      return 'TIMESTAMP';
    case 'date':
      return 'DATE';
  }
}

/** Up to 19 digits are kept in 64 bits, which hold only part of the 19-digit numbers: one digit more has 128. */
function decimalName(precision: number, scale: number): string {
  if (scale > MAX_SCALE) {
    throw new GlasshouseError(
      'config',
      `A decimal(${precision},${scale}) has more than Redshift's ${MAX_SCALE} fractional digits; declare fewer.`,
    );
  }
  return `DECIMAL(${precision === 19 ? 20 : precision},${scale})`;
}

/** A field of the staged row (`document`, a SUPER) as the column's type. */
export function superField(document: string, column: Column): string {
  const field = `${document}.${quoteName(column.name, redshift)}`;
  switch (column.type.kind) {
    case 'json':
      return field;
    case 'binary':
      return `TO_VARBYTE(${field}::VARCHAR(65535), 'base64')`;
    // SUPER has no dates: they are texts in it, and a text is what casts to one.
    case 'timestamp':
    case 'date':
      return `${field}::VARCHAR(64)::${typeName(column.type)}`;
    default:
      return `${field}::${typeName(column.type)}`;
  }
}

/** A timestamp from epoch microseconds, which COPY does not read (its TIMEFORMAT has seconds and milliseconds). */
export function timestampOfMicros(micros: string): string {
  return `DATEADD(microsecond, CAST(MOD(${micros}, 1000000) AS INTEGER), TIMESTAMP 'epoch' + (${micros} / 1000000) * INTERVAL '1 second')`;
}

import { type BoundValue, lowerBound, upperBound } from '../../core/iceberg/bounds.ts';
import type { DataFile, Partition } from '../../core/iceberg/data-file.ts';
import { type IcebergField, type IcebergType, decimalParts } from '../../core/iceberg/fields.ts';
import { quoteName } from './sql-text.ts';

/** What `COPY ... (RETURN_STATS)` says of the file, numbers and values as text. */
export interface CopyStatistics {
  readonly recordCount: number;
  readonly sizeBytes: number;
  /** By quoted column name: `min`, `max`, `null_count`, `column_size_bytes`, `has_nan`. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** The manifest's view of a data file that `COPY` wrote. */
export function describeDataFile(
  statistics: CopyStatistics,
  file: { readonly path: string; readonly partition: Partition; readonly fields: readonly IcebergField[] },
): DataFile {
  const columnSizes = new Map<number, number>();
  const valueCounts = new Map<number, number>();
  const nullCounts = new Map<number, number>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const field of file.fields) {
    const column = statistics.columns.get(quoteName(field.name));
    if (column === undefined) continue;
    valueCounts.set(field.id, statistics.recordCount);
    const size = column.get('column_size_bytes');
    if (size !== undefined) columnSizes.set(field.id, Number(size));
    const nulls = column.get('null_count');
    if (nulls !== undefined) nullCounts.set(field.id, Number(nulls));
    // NaN has no place in the order that bounds are made of.
    if (column.get('has_nan') === 'true') continue;
    const low = boundValue(field.type, column.get('min'));
    const high = boundValue(field.type, column.get('max'));
    if (low !== undefined) lowerBounds.set(field.id, lowerBound(field.type, low));
    const rounded = high === undefined ? undefined : upperBound(field.type, high);
    if (rounded !== undefined) upperBounds.set(field.id, rounded);
  }
  const { recordCount, sizeBytes } = statistics;
  const { path, partition } = file;
  const metrics = { columnSizes, valueCounts, nullCounts, lowerBounds, upperBounds };
  return { content: 'data', path, recordCount, sizeBytes, partition, ...metrics };
}

/** A bound's value from DuckDB's text. Undefined when there is none, or none that is read for certain. */
export function boundValue(type: IcebergType, text: string | undefined): BoundValue | undefined {
  if (text === undefined) return undefined;
  if (decimalParts(type) !== undefined) return unscaled(text, decimalParts(type)?.scale ?? 0);
  switch (type) {
    case 'string':
      return text;
    case 'long':
    case 'int':
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined;
    case 'double':
      return finite(Number(text));
    case 'boolean':
      return text === '1' || text === 'true';
    case 'binary':
      return blobBytes(text);
    case 'timestamp':
      return timestampMicros(text);
    case 'date': {
      const micros = timestampMicros(`${text} 00:00:00`);
      return micros === undefined ? undefined : micros / 86_400_000_000n;
    }
    default:
      return undefined;
  }
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function unscaled(text: string, scale: number): bigint | undefined {
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const digits = `${match[2] ?? ''}${(match[3] ?? '').padEnd(scale, '0')}`;
  if ((match[3] ?? '').length > scale || digits === '') return undefined;
  return match[1] === '-' ? -BigInt(digits) : BigInt(digits);
}

function timestampMicros(text: string): bigint | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const date = new Date(0);
  // Date.UTC takes the years 0 to 99 for the twentieth century.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return BigInt(date.getTime()) * 1000n + BigInt((match[7] ?? '').padEnd(6, '0'));
}

/** Bytes from the text that DuckDB's statistics have for a BLOB: hexadecimal digits. */
function blobBytes(text: string): Uint8Array | undefined {
  return /^([0-9A-F]{2})*$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : undefined;
}

import {
  type DuckDBType,
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  INTEGER,
  TIMESTAMP,
  VARCHAR,
} from '@duckdb/node-api';
import duckdb, { type Vector } from '@duckdb/node-bindings';
import { GlasshouseError } from '../../core/errors.ts';
import { type IcebergField, type IcebergType, decimalParts } from '../../core/iceberg/fields.ts';
import { type TextBytes, VECTOR_ROWS, fillText, fillTextBytes } from './text-vectors.ts';

/**
 * A value of a column: text, a truth value, bytes, or a number. A decimal is its unscaled integer, a timestamp epoch
 * microseconds, a date days since 1970-01-01; integers are numbers or bigints.
 */
export type Cell = string | bigint | number | boolean | Uint8Array | null;

/** The values of one column, in row order: an array, a typed array of numbers or bigints, or text as bytes. */
export type ColumnValues = ArrayLike<Cell> | TextBytes;

/** The DuckDB type of a column, for a chunk. */
export function vectorType(type: IcebergType): DuckDBType {
  const decimal = decimalParts(type);
  if (decimal !== undefined) return DECIMAL(decimal.precision, decimal.scale);
  const simple = {
    string: VARCHAR,
    long: BIGINT,
    int: INTEGER,
    double: DOUBLE,
    boolean: BOOLEAN,
    binary: BLOB,
    timestamp: TIMESTAMP,
    date: DATE,
  };
  return simple[type as keyof typeof simple];
}

/** A range of rows of a column. */
interface CellRange {
  readonly values: ArrayLike<Cell>;
  readonly from: number;
  readonly count: number;
}

type ValueFiller = (vector: Vector, range: CellRange) => void;

/** Copies some rows of a column into a vector. Throws `bug` for a value that is not of the column's type. */
export type VectorFiller = (vector: Vector, values: ColumnValues, from: number, count: number) => void;

// The node API sets one value a call; these buffers are filled here and copied with one call a vector, which is five
// times quicker. Filling is synchronous, so that all fillers can share them.
const buffer = new ArrayBuffer(VECTOR_ROWS * 16);
const asBytes = new Uint8Array(buffer);
const asInts = new Int32Array(buffer);
const asWords = new Uint32Array(buffer);
const asLongs = new BigInt64Array(buffer);
const asDoubles = new Float64Array(buffer);
const validity = new Uint32Array(VECTOR_ROWS / 32);

/** The filler of a column. */
export function vectorFiller(field: IcebergField): VectorFiller {
  const fill = valueFiller(field);
  return (vector, values, from, count) => {
    let hasNulls: boolean;
    if ('bytes' in values) {
      if (field.type !== 'string') throw misfit(field, 'text');
      fillTextBytes(vector, values, { from, count });
      hasNulls = values.emptyIsNull && markNulls(count, (row) => isEmpty(values, from + row));
    } else {
      fill(vector, { values, from, count });
      hasNulls = markNulls(count, (row) => isAbsent(values[from + row]));
    }
    if (!hasNulls) return;
    if (field.required) throw misfit(field, null);
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, validity.buffer, 0, Math.ceil(count / 64) * 8);
  };
}

function isAbsent(value: Cell | undefined): boolean {
  return value === null || value === undefined;
}

function isEmpty({ offsets }: TextBytes, row: number): boolean {
  return offsets[row] === offsets[row + 1];
}

function markNulls(count: number, isNull: (row: number) => boolean): boolean {
  validity.fill(0xffffffff);
  let some = false;
  for (let row = 0; row < count; row++) {
    if (!isNull(row)) continue;
    const word = row >>> 5;
    validity[word] = (validity[word] ?? 0) & ~(1 << (row & 31));
    some = true;
  }
  return some;
}

function misfit(field: IcebergField, value: Cell | undefined): GlasshouseError {
  const shown = value === null || value === undefined ? 'no value' : `a ${typeof value} out of its range or kind`;
  return new GlasshouseError('bug', `Column "${field.name}" (${field.type}) was given ${shown}: normalise it first.`);
}

function valueFiller(field: IcebergField): ValueFiller {
  const decimal = decimalParts(field.type);
  if (decimal !== undefined) return decimalFiller(field, decimal.precision);
  switch (field.type) {
    case 'string':
      return textFiller(field);
    case 'binary':
      return (vector, range) => fillBytes(field, vector, range);
    case 'int':
    case 'date':
      return integerFiller(field, 4);
    case 'long':
    case 'timestamp':
      return integerFiller(field, 8);
    case 'double':
      return (vector, range) => fillDoubles(field, vector, range);
    case 'boolean':
      return (vector, range) => fillBooleans(field, vector, range);
    default:
      throw misfit(field, null);
  }
}

function copyBuffer(vector: Vector, bytes: number): void {
  duckdb.copy_data_to_vector(vector, 0, buffer, 0, bytes);
}

function integerFiller(field: IcebergField, width: 4 | 8): ValueFiller {
  return (vector, { values, from, count }) => {
    for (let row = 0; row < count; row++) {
      const value = values[from + row];
      if (value === null || value === undefined) continue;
      if (typeof value === 'number' && Number.isSafeInteger(value)) {
        if (width === 8) {
          // Two halves need no bigint.
          const high = Math.floor(value / 0x100000000);
          asWords[row * 2] = value - high * 0x100000000;
          asInts[row * 2 + 1] = high;
          continue;
        }
        if ((value | 0) === value) {
          asInts[row] = value;
          continue;
        }
      } else if (typeof value === 'bigint' && BigInt.asIntN(width * 8, value) === value) {
        if (width === 8) asLongs[row] = value;
        else asInts[row] = Number(value);
        continue;
      }
      throw misfit(field, value);
    }
    copyBuffer(vector, count * width);
  };
}

function fillDoubles(field: IcebergField, vector: Vector, { values, from, count }: CellRange): void {
  for (let row = 0; row < count; row++) {
    const value = values[from + row];
    if (value === null || value === undefined) continue;
    if (typeof value !== 'number') throw misfit(field, value);
    asDoubles[row] = value;
  }
  copyBuffer(vector, count * 8);
}

function fillBooleans(field: IcebergField, vector: Vector, { values, from, count }: CellRange): void {
  for (let row = 0; row < count; row++) {
    const value = values[from + row];
    if (value === null || value === undefined) continue;
    if (typeof value !== 'boolean') throw misfit(field, value);
    asBytes[row] = value ? 1 : 0;
  }
  copyBuffer(vector, count);
}

function decimalFiller(field: IcebergField, precision: number): ValueFiller {
  const width = precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16;
  const limit = 10n ** BigInt(precision);
  const asShorts = new Int16Array(buffer);
  return (vector, { values, from, count }) => {
    for (let row = 0; row < count; row++) {
      const value = values[from + row];
      if (value === null || value === undefined) continue;
      if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isSafeInteger(value)))
        throw misfit(field, value);
      const unscaled = BigInt(value);
      if (unscaled >= limit || unscaled <= -limit) throw misfit(field, value);
      if (width === 16) {
        asLongs[row * 2] = unscaled;
        asLongs[row * 2 + 1] = unscaled >> 64n;
      } else if (width === 8) asLongs[row] = unscaled;
      else if (width === 4) asInts[row] = Number(unscaled);
      else asShorts[row] = Number(unscaled);
    }
    copyBuffer(vector, count * width);
  };
}

function fillBytes(field: IcebergField, vector: Vector, { values, from, count }: CellRange): void {
  for (let row = 0; row < count; row++) {
    const value = values[from + row];
    if (value === null || value === undefined) continue;
    if (!(value instanceof Uint8Array)) throw misfit(field, value);
    duckdb.vector_assign_string_element_len(vector, row, value);
  }
}

function textFiller(field: IcebergField): ValueFiller {
  return (vector, range) => {
    const parts = new Array<string>(range.count);
    let units = 0;
    for (let row = 0; row < range.count; row++) {
      const value = range.values[range.from + row];
      if (typeof value === 'string') {
        parts[row] = value;
        units += value.length;
      } else if (value === null || value === undefined) parts[row] = '';
      else throw misfit(field, value);
    }
    fillText(vector, parts, units);
  };
}

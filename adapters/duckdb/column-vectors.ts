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

/**
 * A value of a column: text, a truth value, bytes, or a number. A decimal is its unscaled integer, a timestamp epoch
 * microseconds, a date days since 1970-01-01; integers are numbers or bigints.
 */
export type Cell = string | bigint | number | boolean | Uint8Array | null;

/** The values of one column, in row order: an array, or a typed array of numbers or bigints. */
export type ColumnValues = ArrayLike<Cell>;

/** Rows that one vector of DuckDB holds. */
export const VECTOR_ROWS = 2048;

/** Text of a column is copied as one piece up to this many UTF-16 units; longer text value by value. */
const JOINED_TEXT_UNITS = 4 << 20;

/** A string_t of up to this many bytes holds its text itself; a longer one points to it. */
const INLINE_BYTES = 12;
const PADDING = INLINE_BYTES + 1;

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
export interface CellRange {
  readonly values: ColumnValues;
  readonly from: number;
  readonly count: number;
}

/** Copies a range of a column's values into a vector. Throws `bug` for a value that is not of the column's type. */
export type VectorFiller = (vector: Vector, range: CellRange) => void;

// The node API sets one value a call; these buffers are filled here and copied with one call a vector, which is five
// times quicker. Filling is synchronous, so that all fillers can share them.
const buffer = new ArrayBuffer(VECTOR_ROWS * 16);
const asBytes = new Uint8Array(buffer);
const asInts = new Int32Array(buffer);
const asWords = new Uint32Array(buffer);
const asLongs = new BigInt64Array(buffer);
const asDoubles = new Float64Array(buffer);
const validity = new Uint32Array(VECTOR_ROWS / 32);
let text = Buffer.alloc(1 << 20);

/** The filler of a column. */
export function vectorFiller(field: IcebergField): VectorFiller {
  const fill = valueFiller(field);
  return (vector, range) => {
    fill(vector, range);
    if (!markNulls(range)) return;
    if (field.required) throw misfit(field, null);
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, validity.buffer, 0, Math.ceil(range.count / 64) * 8);
  };
}

function markNulls({ values, from, count }: CellRange): boolean {
  validity.fill(0xffffffff);
  let some = false;
  for (let row = 0; row < count; row++) {
    const value = values[from + row];
    if (value !== null && value !== undefined) continue;
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

function valueFiller(field: IcebergField): VectorFiller {
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

function integerFiller(field: IcebergField, width: 4 | 8): VectorFiller {
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

function decimalFiller(field: IcebergField, precision: number): VectorFiller {
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

/**
 * Text as one piece: the column's values are joined, encoded at once and given to the vector as the text of its first
 * row; then the rows' string_t are laid over that piece. A string_t is 16 bytes: the length, then the text if it has at
 * most 12 bytes, else its first 4 bytes and a pointer. The node API's own reading knows the same layout.
 */
function textFiller(field: IcebergField): VectorFiller {
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
    if (units > JOINED_TEXT_UNITS || !layText(vector, parts, units)) {
      for (const [row, part] of parts.entries())
        duckdb.vector_assign_string_element_len(vector, row, Buffer.from(part));
    }
  };
}

function layText(vector: Vector, parts: readonly string[], units: number): boolean {
  if (text.length < units * 3 + PADDING) text = Buffer.alloc(units * 4 + PADDING);
  const bytes = text.write(parts.join(''), 0, 'utf8');
  // Padded, so that the piece is never short enough to be held without a pointer.
  text.fill(0, bytes, bytes + PADDING);
  duckdb.vector_assign_string_element_len(vector, 0, text.subarray(0, bytes + PADDING));
  const first = duckdb.vector_get_data(vector, 16);
  const pointer = new DataView(first.buffer, first.byteOffset, 16);
  const end = layPieces(parts, bytes === units, [pointer.getUint32(8, true), pointer.getUint32(12, true)]);
  // Two halves of a surrogate pair, at the end of one value and the beginning of the next, have become one character.
  if (end !== bytes) return false;
  copyBuffer(vector, parts.length * 16);
  return true;
}

/** Lays a string_t for each part over the joined text; gives where the last one ends. The pointer is low, then high. */
function layPieces(parts: readonly string[], ascii: boolean, pointer: readonly [number, number]): number {
  const [pointerLow, pointerHigh] = pointer;
  let offset = 0;
  for (let row = 0; row < parts.length; row++) {
    const part = parts[row] ?? '';
    const length = ascii ? part.length : Buffer.byteLength(part);
    const at = row * 4;
    asWords[at] = length;
    if (length <= INLINE_BYTES) {
      asWords[at + 1] = asWords[at + 2] = asWords[at + 3] = 0;
      const inline = at * 4 + 4;
      for (let index = 0; index < length; index++) asBytes[inline + index] = text[offset + index] ?? 0;
    } else {
      asWords[at + 1] = text.readUInt32LE(offset);
      const low = pointerLow + offset;
      const carry = low > 0xffffffff ? 1 : 0;
      asWords[at + 2] = low - carry * 0x100000000;
      asWords[at + 3] = pointerHigh + carry;
    }
    offset += length;
  }
  return offset;
}

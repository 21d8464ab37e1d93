import duckdb, { type Vector } from '@duckdb/node-bindings';

/** Texts one after the other, as UTF-8; text `i` stands between offsets `i` and `i + 1`. */
export interface TextBytes {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly length: number;
  /** Whether a text of no length is no text. */
  readonly emptyIsNull: boolean;
}

/** Rows that one vector of DuckDB holds. */
export const VECTOR_ROWS = 2048;

/** Text of a column is copied as one piece up to this many UTF-16 units; longer text value by value. */
const JOINED_TEXT_UNITS = 4 << 20;

/** A string_t of up to this many bytes holds its text itself; a longer one points to it. */
const INLINE_BYTES = 12;
const STRING_BYTES = 16;

// Filling is synchronous, so that all vectors can share these.
const buffer = new ArrayBuffer(VECTOR_ROWS * STRING_BYTES);
const asWords = new Uint32Array(buffer);
const asBytes = new Uint8Array(buffer);
const offsets = new Uint32Array(VECTOR_ROWS + 1);
let joined = Buffer.alloc(1 << 20);

/**
 * Fills a vector with text, copied as one piece: it is given to the vector as the text of its first row, and then the rows'
 * string_t are laid over it. A string_t is 16 bytes: the length, then the text if it has at most 12 bytes, else its first 4
 * bytes and a pointer. The node API's own reading knows the same layout.
 */
export function fillText(vector: Vector, parts: readonly string[], units: number): void {
  const bytes = units > JOINED_TEXT_UNITS ? -1 : joinText(parts, units);
  if (bytes === -1 || bytes <= INLINE_BYTES) {
    for (const [row, part] of parts.entries()) duckdb.vector_assign_string_element_len(vector, row, Buffer.from(part));
  } else layPieces(vector, joined.subarray(0, bytes), offsets, { from: 0, count: parts.length });
}

/** Puts the parts into `joined` and their places into `offsets`; the bytes that they take, or -1 where they cannot be joined. */
function joinText(parts: readonly string[], units: number): number {
  if (joined.length < units * 3) joined = Buffer.alloc(units * 4);
  const bytes = joined.write(parts.join(''), 0, 'utf8');
  let end = 0;
  for (let row = 0; row < parts.length; row++) {
    const part = parts[row] ?? '';
    end += bytes === units ? part.length : Buffer.byteLength(part);
    offsets[row + 1] = end;
  }
  // Two halves of a surrogate pair, at the end of one value and the beginning of the next, have become one character.
  return end === bytes ? bytes : -1;
}

/** Fills a vector with some rows of text that is bytes already. */
export function fillTextBytes(
  vector: Vector,
  column: TextBytes,
  rows: { readonly from: number; readonly count: number },
): void {
  const { from, count } = rows;
  const start = column.offsets[from] ?? 0;
  const end = column.offsets[from + count] ?? 0;
  if (end - start > INLINE_BYTES) {
    layPieces(vector, column.bytes.subarray(start, end), column.offsets, rows);
    return;
  }
  for (let row = 0; row < count; row++) {
    const piece = column.bytes.subarray(column.offsets[from + row], column.offsets[from + row + 1]);
    duckdb.vector_assign_string_element_len(vector, row, piece);
  }
}

/** Lays a string_t for each row over a piece that has more bytes than a string_t holds. */
function layPieces(
  vector: Vector,
  piece: Uint8Array,
  places: Uint32Array,
  { from, count }: { readonly from: number; readonly count: number },
): void {
  duckdb.vector_assign_string_element_len(vector, 0, piece);
  const first = duckdb.vector_get_data(vector, STRING_BYTES);
  const pointer = new DataView(first.buffer, first.byteOffset, STRING_BYTES);
  const pointerLow = pointer.getUint32(8, true);
  const pointerHigh = pointer.getUint32(12, true);
  const start = places[from] ?? 0;
  for (let row = 0; row < count; row++) {
    const offset = (places[from + row] ?? 0) - start;
    const length = (places[from + row + 1] ?? 0) - start - offset;
    const at = row * 4;
    asWords[at] = length;
    if (length <= INLINE_BYTES) {
      asWords[at + 1] = asWords[at + 2] = asWords[at + 3] = 0;
      const inline = at * 4 + 4;
      for (let index = 0; index < length; index++) asBytes[inline + index] = piece[offset + index] ?? 0;
    } else {
      asWords[at + 1] = wordAt(piece, offset);
      const low = pointerLow + offset;
      const carry = low > 0xffffffff ? 1 : 0;
      asWords[at + 2] = low - carry * 0x100000000;
      asWords[at + 3] = pointerHigh + carry;
    }
  }
  duckdb.copy_data_to_vector(vector, 0, buffer, 0, count * STRING_BYTES);
}

function wordAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return a | (b << 8) | (c << 16) | (d << 24);
}

import { decimalParts, type IcebergType } from './fields.ts';

/** How much of a long value a bound keeps: code points of a string, bytes of a binary. */
export const BOUND_LENGTH = 16;

const UTF8 = new TextEncoder();

/** A value that a bound is made of: text, an integer (scaled, for a decimal), a double, a truth value, or bytes. */
export type BoundValue = string | bigint | number | boolean | Uint8Array;

/**
 * A value in Iceberg's single-value serialisation (specification, appendix D). Integers may be numbers or bigints;
 * timestamps are microseconds, dates days, decimals the unscaled integer.
 */
export function serializeValue(type: IcebergType, value: BoundValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return UTF8.encode(value);
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
  if (decimalParts(type) !== undefined) return minimalTwosComplement(BigInt(value));
  if (type === 'int' || type === 'date') {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, Number(value), true);
    return bytes;
  }
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (type === 'double') view.setFloat64(0, Number(value), true);
  else view.setBigInt64(0, BigInt(value), true);
  return bytes;
}

/** The fewest big-endian bytes that hold the integer in two's complement. */
export function minimalTwosComplement(value: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(length * 8, value) !== value) length++;
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let index = length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** A lower bound: a long string or binary is cut, which can only lower it. */
export function lowerBound(type: IcebergType, value: BoundValue): Uint8Array {
  if (typeof value === 'string') return serializeValue(type, Array.from(value).slice(0, BOUND_LENGTH).join(''));
  if (value instanceof Uint8Array) return value.slice(0, BOUND_LENGTH);
  return serializeValue(type, value);
}

/** An upper bound: a long string or binary is cut and then rounded up. Undefined when no cut value is greater. */
export function upperBound(type: IcebergType, value: BoundValue): Uint8Array | undefined {
  if (typeof value === 'string') {
    const points = Array.from(value);
    if (points.length <= BOUND_LENGTH) return serializeValue(type, value);
    const rounded = roundUpString(points.slice(0, BOUND_LENGTH));
    return rounded === undefined ? undefined : serializeValue(type, rounded);
  }
  if (value instanceof Uint8Array)
    return value.length <= BOUND_LENGTH ? value : roundUpBytes(value.slice(0, BOUND_LENGTH));
  return serializeValue(type, value);
}

/** The least string, no longer than this one, that is greater than everything it begins. */
function roundUpString(points: readonly string[]): string | undefined {
  for (let index = points.length - 1; index >= 0; index--) {
    const next = nextCodePoint(points[index]?.codePointAt(0) ?? 0);
    if (next !== undefined) return points.slice(0, index).join('') + String.fromCodePoint(next);
  }
  return undefined;
}

function nextCodePoint(point: number): number | undefined {
  if (point >= 0x10ffff) return undefined;
  // Surrogates are no characters of their own, and UTF-8 cannot hold them.
  return point >= 0xd7ff && point < 0xe000 ? 0xe000 : point + 1;
}

function roundUpBytes(bytes: Uint8Array): Uint8Array | undefined {
  for (let index = bytes.length - 1; index >= 0; index--) {
    const byte = bytes[index] ?? 0;
    if (byte === 0xff) continue;
    const rounded = bytes.slice(0, index + 1);
    rounded[index] = byte + 1;
    return rounded;
  }
  return undefined;
}

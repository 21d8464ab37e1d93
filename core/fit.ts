import type { ColumnKind, ColumnType } from './column.ts';
import type { AttributeTag } from './dynamodb/attribute-value.ts';
import {
  binaryPayload,
  booleanPayload,
  numberPayload,
  payloadOf,
  plainJson,
  stringPayload,
} from './dynamodb/attribute-value.ts';
import { dayOf, dayText, instantText, microsOfEpoch, microsOfIso } from './instant.ts';
import type { JsonStyle } from './json-text.ts';
import { scaledInteger } from './number.ts';
import type { RowValue } from './row.ts';

/** What `fitValue` gives for a value that its column cannot hold exactly. */
export const MISFIT = Symbol('misfit');

const MIN_LONG = -(2n ** 63n);
const MAX_LONG = 2n ** 63n - 1n;

/**
 * The exact form of an attribute value in a column of this type, or MISFIT: a value is never rounded, cut or coerced.
 * `style` is how the text of a `json` column is quoted. Throws RecordFault where the value is no DynamoDB value at all, whatever the column.
 */
export function fitValue(
  value: unknown,
  tag: AttributeTag,
  type: ColumnType,
  style: JsonStyle,
): RowValue | typeof MISFIT {
  if (tag === 'NULL') return null;
  return isScalar(type) ? fitPayload(tag, payloadOf(value, tag), type) : plainJson(value, style);
}

/** A type of column that holds no nested values. */
export type ScalarType =
  { readonly kind: Exclude<ColumnKind, 'json' | 'decimal'> } | Extract<ColumnType, { kind: 'decimal' }>;

/** The same for what stands below a tag, and columns other than `json`. */
export function fitPayload(tag: AttributeTag, payload: unknown, type: ScalarType): RowValue | typeof MISFIT {
  switch (type.kind) {
    case 'string':
      return tag === 'S' ? stringPayload(payload) : tag === 'N' ? numberPayload(payload) : MISFIT;
    case 'boolean':
      return tag === 'BOOL' ? booleanPayload(payload) : MISFIT;
    case 'binary':
      return tag === 'B' ? binaryPayload(payload) : MISFIT;
    case 'decimal':
    case 'long':
    case 'double':
      return tag === 'N' ? fitNumber(numberPayload(payload), type) : MISFIT;
    case 'timestamp':
      return fitTimestamp(tag, payload);
    case 'date':
      return tag === 'S' ? fitDate(stringPayload(payload)) : MISFIT;
  }
}

/** Whether a column of this type holds no nested values. */
export function isScalar(type: ColumnType): type is ScalarType {
  return type.kind !== 'json';
}

function fitNumber(canonical: string, type: ColumnType): string | typeof MISFIT {
  switch (type.kind) {
    case 'decimal':
      return fitsDecimal(canonical, type.precision, type.scale) ? canonical : MISFIT;
    case 'long':
      return fitsLong(canonical) ? canonical : MISFIT;
    default:
      // Declared `double`: the nearest double is what was asked for; `_row` keeps the exact text.
      return canonical;
  }
}

function fitsDecimal(canonical: string, precision: number, scale: number): boolean {
  const dot = canonical.indexOf('.');
  const whole = dot === -1 ? canonical.length : dot;
  // A sign counted as a digit makes this no more than a quick yes; what is left is settled exactly.
  if (whole + scale <= precision && (dot === -1 || canonical.length - dot - 1 <= scale)) return true;
  return scaledInteger(canonical, precision, scale) !== null;
}

function fitsLong(canonical: string): boolean {
  if (canonical.includes('.')) return false;
  if (canonical.length <= 18) return true;
  const value = BigInt(canonical);
  return value >= MIN_LONG && value <= MAX_LONG;
}

function fitTimestamp(tag: AttributeTag, payload: unknown): string | typeof MISFIT {
  const micros =
    tag === 'S' ? microsOfIso(stringPayload(payload)) : tag === 'N' ? microsOfEpoch(numberPayload(payload)) : null;
  return micros === null ? MISFIT : instantText(micros);
}

function fitDate(text: string): string | typeof MISFIT {
  const day = dayOf(text);
  return day === null ? MISFIT : dayText(day);
}

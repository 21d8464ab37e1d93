import type { JsonStyle } from './json-text.ts';
import { PLAIN } from './json-text.ts';

/**
 * Exact decimal numbers as text. A canonical number is plain decimal text: no exponent, no plus sign, no needless zero
 * (`0`, `-12.5`, `1000`). No number here passes through a double.
 */

/** Why a text is no DynamoDB number. */
export type NumberFault = 'not-a-number' | 'too-many-digits' | 'out-of-range';

/** DynamoDB's limits: 38 significant digits, magnitudes from 1E-130 to below 1E126. */
export const MAX_DIGITS = 38;
const MIN_EXPONENT = -130;
const MAX_EXPONENT = 125;

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/** A number's text in canonical form, or why it is none. */
export function canonicalNumber(text: string): { readonly text: string } | { readonly fault: NumberFault } {
  return isPlainCanonical(text) ? { text } : canonicalise(text);
}

/** Whether a text is canonical already and within the limits whatever its digits are: true for nearly all that DynamoDB sends. */
export function isPlainCanonical(text: string): boolean {
  const length = text.length;
  const start = text.charCodeAt(0) === MINUS ? 1 : 0;
  if (length === start || length - start > MAX_DIGITS) return false;
  let dot = -1;
  for (let i = start; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (dot !== -1 || i === start) return false;
      dot = i;
    } else if (code < ZERO || code > NINE) return false;
  }
  const leadingZero = text.charCodeAt(start) === ZERO;
  if (dot === -1) return !leadingZero || (length === 1 && start === 0);
  if (leadingZero && dot !== start + 1) return false;
  const last = text.charCodeAt(length - 1);
  return last !== ZERO && last !== DOT;
}

const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;

function canonicalise(text: string): { readonly text: string } | { readonly fault: NumberFault } {
  const parts = NUMBER.exec(text);
  const whole = parts?.[2] ?? '';
  const fraction = parts?.[3] ?? '';
  if (!parts || whole.length + fraction.length === 0) return { fault: 'not-a-number' };
  const digitsWithZeros = whole + fraction;
  const leading = /^0*/.exec(digitsWithZeros)?.[0].length ?? 0;
  const digits = digitsWithZeros.slice(leading).replace(/0+$/, '');
  if (digits === '') return { text: '0' };
  if (digits.length > MAX_DIGITS) return { fault: 'too-many-digits' };
  // The power of ten of the first digit: 1E125 has 125, 0.01 has -2.
  const magnitude = Number(parts[4] ?? 0) + whole.length - leading - 1;
  if (magnitude < MIN_EXPONENT || magnitude > MAX_EXPONENT) return { fault: 'out-of-range' };
  return { text: (parts[1] === '-' ? '-' : '') + plainText(digits, magnitude) };
}

function plainText(digits: string, magnitude: number): string {
  if (magnitude < 0) return `0.${'0'.repeat(-magnitude - 1)}${digits}`;
  if (digits.length <= magnitude + 1) return digits + '0'.repeat(magnitude + 1 - digits.length);
  return `${digits.slice(0, magnitude + 1)}.${digits.slice(magnitude + 1)}`;
}

/** The most digits that every JSON reader keeps, whether it reads numbers as doubles or not. */
const SAFE_JSON_DIGITS = 15;

/** A canonical number as JSON: a number where no reader can lose a digit, else the same text as a string. */
export function jsonNumber(canonical: string, style: JsonStyle = PLAIN): string {
  return isSafeJsonNumber(canonical) ? canonical : style.quote + canonical + style.quote;
}

function isSafeJsonNumber(canonical: string): boolean {
  if (canonical.length <= SAFE_JSON_DIGITS) return true;
  const others = (canonical.charCodeAt(0) === MINUS ? 1 : 0) + (canonical.includes('.') ? 1 : 0);
  return canonical.length - others <= SAFE_JSON_DIGITS;
}

/**
 * A canonical number times ten to `scale`, as a bigint; null where it has more fractional digits than `scale` or more
 * digits than `precision`.
 */
export function scaledInteger(canonical: string, precision: number, scale: number): bigint | null {
  const dot = canonical.indexOf('.');
  const fraction = dot === -1 ? 0 : canonical.length - dot - 1;
  if (fraction > scale) return null;
  const sign = canonical.charCodeAt(0) === MINUS ? 1 : 0;
  const whole = (dot === -1 ? canonical.length : dot) - sign;
  if (whole + scale > precision && !fitsPrecision(canonical, sign, whole, precision - scale)) return null;
  const digits = dot === -1 ? canonical : canonical.slice(0, dot) + canonical.slice(dot + 1);
  // Up to 15 digits are exact in a double, and far quicker to make.
  const unscaled = digits.length <= SAFE_JSON_DIGITS ? BigInt(Number(digits)) : BigInt(digits);
  return fraction === scale ? unscaled : unscaled * powerOfTen(scale - fraction);
}

function fitsPrecision(canonical: string, sign: number, whole: number, room: number): boolean {
  return whole === 1 && room === 0 && canonical.charCodeAt(sign) === ZERO;
}

const POWERS: bigint[] = [1n];

function powerOfTen(exponent: number): bigint {
  const known = POWERS[exponent];
  if (known !== undefined) return known;
  const made = 10n ** BigInt(exponent);
  POWERS[exponent] = made;
  return made;
}

/** The canonical text of `unscaled` divided by ten to `scale`: the inverse of `scaledInteger`. */
export function unscaledText(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Compares two canonical numbers by value. */
export function compareNumbers(a: string, b: string): number {
  const negativeA = a.charCodeAt(0) === MINUS;
  const negativeB = b.charCodeAt(0) === MINUS;
  if (negativeA !== negativeB) return negativeA ? -1 : 1;
  return negativeA ? compareMagnitudes(b.slice(1), a.slice(1)) : compareMagnitudes(a, b);
}

function compareMagnitudes(a: string, b: string): number {
  const wholeA = a.includes('.') ? a.indexOf('.') : a.length;
  const wholeB = b.includes('.') ? b.indexOf('.') : b.length;
  if (wholeA !== wholeB) return wholeA - wholeB;
  return a < b ? -1 : a > b ? 1 : 0;
}

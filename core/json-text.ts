/**
 * How JSON text is quoted: `plain`, or `nested`, as it stands inside another JSON string. An envelope holds its row as a
 * string of JSON; writing that form at once costs a third of writing the plain form and escaping it.
 */
export interface JsonStyle {
  readonly quote: '"' | '\\"';
  /** Texts of names seen, since names come again and again (of a bounded number). */
  readonly prefixes: Map<string, string>;
}

export const PLAIN: JsonStyle = { quote: '"', prefixes: new Map() };
export const NESTED: JsonStyle = { quote: '\\"', prefixes: new Map() };

/** What JSON must escape, and surrogates, which may be halves: true for few of the strings of real data. */

const NEEDS_CARE = /[\u0000-\u001f"\\\ud800-\udfff]/;

/** A string as JSON, as `JSON.stringify` writes it, but quicker for a short one that needs no escapes. */
export function quoted(text: string, style: JsonStyle = PLAIN): string {
  if (!NEEDS_CARE.test(text)) return style.quote + text + style.quote;
  const plain = JSON.stringify(text);
  return style === PLAIN ? plain : JSON.stringify(plain).slice(1, -1);
}

const MAX_KNOWN_NAMES = 10_000;

/** `"name":` for an object's member. */
export function memberPrefix(name: string, style: JsonStyle): string {
  const known = style.prefixes.get(name);
  if (known !== undefined) return known;
  const prefix = `${quoted(name, style)}:`;
  if (style.prefixes.size < MAX_KNOWN_NAMES) style.prefixes.set(name, prefix);
  return prefix;
}

import { NamePath } from './name-path.ts';

/**
 * How JSON text is quoted: `plain`, or `nested`, as it stands inside another JSON string. An envelope holds its row as a
 * string of JSON; writing that form at once costs a third of writing the plain form and escaping it.
 */
export interface JsonStyle {
  readonly quote: '"' | '\\"';
  /** Texts of names seen, since names come again and again (of a bounded number). */
  readonly prefixes: Map<string, string>;
  /** The names of maps seen. */
  readonly maps: NamePath;
}

export const PLAIN: JsonStyle = { quote: '"', prefixes: new Map(), maps: NamePath.start() };
export const NESTED: JsonStyle = { quote: '\\"', prefixes: new Map(), maps: NamePath.start() };

/** What JSON must escape, and surrogates, which may be halves: true for few of the strings of real data. */
const NEEDS_CARE = /[\u0000-\u001f"\\\ud800-\udfff]/;

/** Whether a text stands in JSON as it is, whatever the style. Such a text has no surrogates. */
export function needsNoEscapes(text: string): boolean {
  return !NEEDS_CARE.test(text);
}

/** A string as JSON, as `JSON.stringify` writes it, but quicker for a short one that needs no escapes. */
export function quoted(text: string, style: JsonStyle = PLAIN): string {
  if (needsNoEscapes(text)) return style.quote + text + style.quote;
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

/**
 * The same text, stored as one piece. A text that was put together is a tree of its pieces until somebody reads it; a row
 * waits in memory, where the tree takes several times the room and the garbage collector walks it again and again.
 */
export function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}

/**
 * What `JSON.parse` gave, as JSON again, however deep: `JSON.stringify` ends with a RangeError at a few thousand levels, which a
 * line of some kilobytes has, and a record that is set aside must be kept whole.
 */
export function jsonOfAnyDepth(parsed: unknown): string {
  try {
    return JSON.stringify(parsed);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
  }
  let json = '';
  const toDo: ({ readonly text: string } | { readonly value: unknown })[] = [{ value: parsed }];
  for (let next = toDo.pop(); next !== undefined; next = toDo.pop()) {
    if ('text' in next) json += next.text;
    else if (typeof next.value !== 'object' || next.value === null) json += JSON.stringify(next.value);
    else for (const piece of piecesOf(next.value).reverse()) toDo.push(piece);
  }
  return json;
}

function piecesOf(value: object): ({ readonly text: string } | { readonly value: unknown })[] {
  const isList = Array.isArray(value);
  const members = Object.entries(value as Readonly<Record<string, unknown>>).flatMap(([name, member], index) => {
    const comma = index === 0 ? '' : ',';
    return [{ text: isList ? comma : `${comma}${JSON.stringify(name)}:` }, { value: member }];
  });
  return [{ text: isList ? '[' : '{' }, ...members, { text: isList ? ']' : '}' }];
}

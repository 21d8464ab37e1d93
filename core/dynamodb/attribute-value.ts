import type { JsonStyle } from '../json-text.ts';
import { PLAIN, memberPrefix, needsNoEscapes, quoted } from '../json-text.ts';
import type { NamedMember } from '../name-path.ts';
import type { NumberFault } from '../number.ts';
import { canonicalNumber, compareNumbers, isPlainCanonical, jsonNumber } from '../number.ts';
import { RecordFault } from './fault.ts';

/** The tags of DynamoDB's attribute values. */
export type AttributeTag = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'M' | 'L' | 'SS' | 'NS' | 'BS';

/** DynamoDB allows 32 levels. What is far deeper is no item of its, and could exhaust the stack. */
const MAX_DEPTH = 100;

/** The one tag of an attribute value such as `{"S":"x"}`. Throws RecordFault where it has not exactly one known tag. */
export function tagOf(value: unknown): AttributeTag {
  let found: AttributeTag | undefined;
  if (typeof value === 'object') {
    for (const tag in value) {
      if (found !== undefined || !isTag(tag)) throw notAValue(value);
      found = tag;
    }
  }
  if (found === undefined) throw notAValue(value);
  return found;
}

function isTag(tag: string): tag is AttributeTag {
  switch (tag) {
    case 'S':
    case 'N':
    case 'B':
    case 'BOOL':
    case 'NULL':
    case 'M':
    case 'L':
    case 'SS':
    case 'NS':
    case 'BS':
      return true;
    default:
      return false;
  }
}

function notAValue(value: unknown): RecordFault {
  const shown =
    typeof value === 'object' && value !== null
      ? `{${Object.keys(value)
          .map((tag) => JSON.stringify(tag))
          .join(',')}}`
      : typeof value;
  return new RecordFault(
    'unknown-type',
    `An attribute value has the type ${shown}; DynamoDB knows S, N, B, BOOL, NULL, M, L, SS, NS and BS.`,
  );
}

/** A value below a tag, which the caller has found with `tagOf`. */
export function payloadOf(value: unknown, tag: AttributeTag): unknown {
  return (value as Readonly<Record<string, unknown>>)[tag];
}

/** The text of an S; throws RecordFault where it is no string, or has half a surrogate pair, which no UTF-8 can carry. */
export function stringPayload(payload: unknown): string {
  if (typeof payload !== 'string') throw wrongPayload('S', 'a string', payload);
  if (!payload.isWellFormed()) throw loneSurrogate('A string');
  return payload;
}

/** An S as JSON. Throws as `stringPayload`. */
export function stringJson(payload: unknown, style: JsonStyle): string {
  // What needs no escapes has no surrogates either: one look at the text is enough.
  if (typeof payload === 'string' && needsNoEscapes(payload)) return style.quote + payload + style.quote;
  return quoted(stringPayload(payload), style);
}

/** The canonical text of an N. */
export function numberPayload(payload: unknown): string {
  if (typeof payload !== 'string') throw wrongPayload('N', 'a string of digits', payload);
  if (isPlainCanonical(payload)) return payload;
  const canonical = canonicalNumber(payload);
  if ('text' in canonical) return canonical.text;
  throw new RecordFault(
    'bad-number',
    `The number ${JSON.stringify(payload.slice(0, 160))} ${NUMBER_FAULTS[canonical.fault]}.`,
  );
}

const NUMBER_FAULTS: Readonly<Record<NumberFault, string>> = {
  'not-a-number': 'is not a decimal number',
  'too-many-digits': 'has more than 38 significant digits, which DynamoDB does not hold',
  'out-of-range': 'lies outside 1E-130 to 9.9E+125, which DynamoDB does not hold',
};

/** The canonical base64 of a B. */
export function binaryPayload(payload: unknown): string {
  if (typeof payload !== 'string') throw wrongPayload('B', 'base64 text', payload);
  if (Buffer.from(payload, 'base64').toString('base64') !== payload) {
    throw new RecordFault('bad-binary', `A binary value is not base64: ${JSON.stringify(payload.slice(0, 40))}.`);
  }
  return payload;
}

export function booleanPayload(payload: unknown): boolean {
  if (typeof payload !== 'boolean') throw wrongPayload('BOOL', 'true or false', payload);
  return payload;
}

/**
 * A value as plain canonical JSON: what a `json` column holds. Objects have their names sorted, sets are sorted arrays,
 * binary is base64, and a number is a JSON number where no digit can be lost, else a string.
 */
export function plainJson(value: unknown, style: JsonStyle = PLAIN, depth = 0): string {
  const tag = tagOf(value);
  const payload = payloadOf(value, tag);
  switch (tag) {
    case 'S':
      return stringJson(payload, style);
    case 'N':
      return jsonNumber(numberPayload(payload), style);
    case 'B':
      return style.quote + binaryPayload(payload) + style.quote;
    case 'BOOL':
      return booleanPayload(payload) ? 'true' : 'false';
    case 'NULL':
      return 'null';
    case 'M':
      return objectJson(payload, style, depth, plainJson);
    case 'L':
      return listJson(payload, style, depth, plainJson);
    case 'NS':
      return `[${sortedSet(tag, payload)
        .map((text) => jsonNumber(text, style))
        .join(',')}]`;
    case 'SS':
    case 'BS':
      return setJson(tag, payload, style);
  }
}

/** A value as canonical DynamoDB JSON, tags and all digits kept: what `_rescued` holds. */
export function typedJson(value: unknown, style: JsonStyle = PLAIN, depth = 0): string {
  const tag = tagOf(value);
  return `{${style.quote}${tag}${style.quote}:${typedPayloadJson(tag, payloadOf(value, tag), style, depth)}}`;
}

function typedPayloadJson(tag: AttributeTag, payload: unknown, style: JsonStyle, depth: number): string {
  switch (tag) {
    case 'S':
      return stringJson(payload, style);
    case 'N':
      return style.quote + numberPayload(payload) + style.quote;
    case 'B':
      return style.quote + binaryPayload(payload) + style.quote;
    case 'BOOL':
      return booleanPayload(payload) ? 'true' : 'false';
    case 'NULL':
      return 'true';
    case 'M':
      return objectJson(payload, style, depth, typedJson);
    case 'L':
      return listJson(payload, style, depth, typedJson);
    case 'SS':
    case 'NS':
    case 'BS':
      return setJson(tag, payload, style);
  }
}

type Render = (value: unknown, style: JsonStyle, depth: number) => string;

function objectJson(payload: unknown, style: JsonStyle, depth: number, render: Render): string {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw wrongPayload('M', 'an object', payload);
  if (depth >= MAX_DEPTH) throw tooDeep();
  const map = payload as Readonly<Record<string, unknown>>;
  let json = '{';
  for (const { name, prefix } of membersOf(map, style)) json += prefix + render(map[name], style, depth + 1);
  return `${json}}`;
}

/** A map's members, sorted by name. */
function membersOf(map: Readonly<Record<string, unknown>>, style: JsonStyle): readonly NamedMember[] {
  let path = style.maps;
  for (const name in map) {
    const next = path.next(name);
    if (next === null) return sortedMembers(map, style);
    path = next;
  }
  return path.members ?? path.remember(sortedMembers(map, style));
}

function sortedMembers(map: Readonly<Record<string, unknown>>, style: JsonStyle): NamedMember[] {
  return sortNames(Object.keys(map)).map((name, at) => {
    if (!name.isWellFormed()) throw loneSurrogate('A name in a map');
    const prefix = memberPrefix(name, style);
    return { name, prefix: at === 0 ? prefix : `,${prefix}` };
  });
}

function listJson(payload: unknown, style: JsonStyle, depth: number, render: Render): string {
  if (!Array.isArray(payload)) throw wrongPayload('L', 'an array', payload);
  if (depth >= MAX_DEPTH) throw tooDeep();
  let json = '';
  for (const element of payload as readonly unknown[]) {
    const text = render(element, style, depth + 1);
    json = json === '' ? text : `${json},${text}`;
  }
  return `[${json}]`;
}

const SET_ELEMENTS = { SS: stringPayload, NS: numberPayload, BS: binaryPayload } as const;

function sortedSet(tag: 'SS' | 'NS' | 'BS', payload: unknown): string[] {
  if (!Array.isArray(payload)) throw wrongPayload(tag, 'an array', payload);
  const elements = (payload as readonly unknown[]).map(SET_ELEMENTS[tag]);
  return tag === 'NS' ? sortNumbers(elements) : sortNames(elements);
}

function setJson(tag: 'SS' | 'NS' | 'BS', payload: unknown, style: JsonStyle): string {
  let json = '';
  for (const text of sortedSet(tag, payload))
    json = json === '' ? quoted(text, style) : `${json},${quoted(text, style)}`;
  return `[${json}]`;
}

/** Sorts canonical numbers by value, in place. */
export function sortNumbers(numbers: string[]): string[] {
  return numbers.sort(compareNumbers);
}

/** Above this many names the engine's own sort is quicker. */
const MAX_INSERTION_SORT = 24;

/** Sorts in place. Nearly all maps have a few names only, for which this takes a quarter of the time of `Array.prototype.sort`. */
export function sortNames(names: string[]): string[] {
  if (names.length > MAX_INSERTION_SORT) {
    return names.sort();
  }
  for (let i = 1; i < names.length; i++) {
    const name = names[i] ?? '';
    let at = i;
    for (; at > 0; at--) {
      const before = names[at - 1] ?? '';
      if (before <= name) break;
      names[at] = before;
    }
    names[at] = name;
  }
  return names;
}

function wrongPayload(tag: string, wanted: string, payload: unknown): RecordFault {
  return new RecordFault(
    'unknown-type',
    `A value of type ${tag} must be ${wanted}, not ${payload === null ? 'null' : typeof payload}.`,
  );
}

export function loneSurrogate(what: string): RecordFault {
  return new RecordFault(
    'lone-surrogate',
    `${what} has half of a surrogate pair, which UTF-8 cannot carry; write it whole at the source.`,
  );
}

function tooDeep(): RecordFault {
  return new RecordFault('too-deep', `A value is nested more than ${MAX_DEPTH} levels deep; DynamoDB allows 32.`);
}

import type { NumberFault } from '../number.ts';
import { canonicalNumber, compareNumbers, isPlainCanonical, jsonNumber } from '../number.ts';
import { RecordFault } from './fault.ts';

/** The tags of DynamoDB's attribute values. */
export type AttributeTag = 'S' | 'N' | 'B' | 'BOOL' | 'NULL' | 'M' | 'L' | 'SS' | 'NS' | 'BS';

const TAGS: ReadonlySet<string> = new Set(['S', 'N', 'B', 'BOOL', 'NULL', 'M', 'L', 'SS', 'NS', 'BS']);

/** DynamoDB allows 32 levels. What is far deeper is no item of its, and could exhaust the stack. */
const MAX_DEPTH = 100;

/** The one tag of an attribute value as a stream has it: `{"S":"x"}`. Throws RecordFault where it is none. */
export function tagOf(value: unknown): AttributeTag {
  if (typeof value !== 'object' || value === null) throw notAValue(value);
  let found: string | undefined;
  for (const tag in value) {
    if (found !== undefined) throw notAValue(value);
    found = tag;
  }
  if (found === undefined || !TAGS.has(found)) throw notAValue(value);
  return found as AttributeTag;
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
export function plainJson(value: unknown, depth = 0): string {
  const tag = tagOf(value);
  const payload = payloadOf(value, tag);
  switch (tag) {
    case 'S':
      return JSON.stringify(stringPayload(payload));
    case 'N':
      return jsonNumber(numberPayload(payload));
    case 'B':
      return `"${binaryPayload(payload)}"`;
    case 'BOOL':
      return booleanPayload(payload) ? 'true' : 'false';
    case 'NULL':
      return 'null';
    case 'M':
      return objectJson(payload, depth, plainJson);
    case 'L':
      return listJson(payload, depth, plainJson);
    case 'SS':
      return `[${sortedSet(tag, payload)
        .map((text) => JSON.stringify(text))
        .join(',')}]`;
    case 'NS':
      return `[${sortedSet(tag, payload).map(jsonNumber).join(',')}]`;
    case 'BS':
      return `[${sortedSet(tag, payload)
        .map((text) => `"${text}"`)
        .join(',')}]`;
  }
}

/** A value as canonical DynamoDB JSON, tags and all digits kept: what `_rescued` holds. */
export function typedJson(value: unknown, depth = 0): string {
  const tag = tagOf(value);
  const payload = payloadOf(value, tag);
  switch (tag) {
    case 'S':
      return `{"S":${JSON.stringify(stringPayload(payload))}}`;
    case 'N':
      return `{"N":"${numberPayload(payload)}"}`;
    case 'B':
      return `{"B":"${binaryPayload(payload)}"}`;
    case 'BOOL':
      return booleanPayload(payload) ? '{"BOOL":true}' : '{"BOOL":false}';
    case 'NULL':
      return '{"NULL":true}';
    case 'M':
      return `{"M":${objectJson(payload, depth, typedJson)}}`;
    case 'L':
      return `{"L":${listJson(payload, depth, typedJson)}}`;
    case 'SS':
    case 'NS':
    case 'BS':
      return `{"${tag}":[${sortedSet(tag, payload)
        .map((text) => JSON.stringify(text))
        .join(',')}]}`;
  }
}

type Render = (value: unknown, depth: number) => string;

function objectJson(payload: unknown, depth: number, render: Render): string {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw wrongPayload('M', 'an object', payload);
  if (depth >= MAX_DEPTH) throw tooDeep();
  const members = payload as Readonly<Record<string, unknown>>;
  const names = Object.keys(members);
  if (!isSorted(names)) names.sort();
  let json = '{';
  for (const name of names) {
    if (!name.isWellFormed()) throw loneSurrogate('A name in a map');
    json += `${json.length > 1 ? ',' : ''}${JSON.stringify(name)}:${render(members[name], depth + 1)}`;
  }
  return json + '}';
}

function listJson(payload: unknown, depth: number, render: Render): string {
  if (!Array.isArray(payload)) throw wrongPayload('L', 'an array', payload);
  if (depth >= MAX_DEPTH) throw tooDeep();
  let json = '[';
  for (const element of payload as readonly unknown[])
    json += `${json.length > 1 ? ',' : ''}${render(element, depth + 1)}`;
  return json + ']';
}

const SET_ELEMENTS = { SS: stringPayload, NS: numberPayload, BS: binaryPayload } as const;

function sortedSet(tag: 'SS' | 'NS' | 'BS', payload: unknown): string[] {
  if (!Array.isArray(payload)) throw wrongPayload(tag, 'an array', payload);
  const elements = (payload as readonly unknown[]).map(SET_ELEMENTS[tag]);
  return tag === 'NS' ? elements.sort(compareNumbers) : elements.sort();
}

function isSorted(names: readonly string[]): boolean {
  for (let i = 1; i < names.length; i++) {
    if ((names[i - 1] ?? '') > (names[i] ?? '')) return false;
  }
  return true;
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

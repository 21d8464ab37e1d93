import { createHash } from 'node:crypto';
import * as crypto from 'node:crypto';
import type { KeyHash } from './change.ts';
import type { KeyType } from './column.ts';
import { binaryPayload, numberPayload, payloadOf, stringJson, tagOf } from './dynamodb/attribute-value.ts';
import { RecordFault } from './dynamodb/fault.ts';
import type { Image } from './dynamodb/stream-record.ts';
import { PLAIN } from './json-text.ts';
import { jsonNumber } from './number.ts';

/** A key attribute and the type that it has in the source. */
export interface KeyAttribute {
  readonly attribute: string;
  readonly type: KeyType;
}

/** The canonical key: a JSON array of the key values in key order, `["c#17",42]`. Throws RecordFault where one is missing or of another type. */
export function keyJson(keys: Image, attributes: readonly KeyAttribute[]): string {
  let json = '[';
  for (const { attribute, type } of attributes) {
    const value = Object.hasOwn(keys, attribute) ? keys[attribute] : undefined;
    if (value === undefined)
      throw new RecordFault('no-keys', `The record's Keys have no attribute ${JSON.stringify(attribute)}.`);
    const tag = tagOf(value);
    if (tag !== type)
      throw new RecordFault(
        'key-type',
        `The key attribute ${JSON.stringify(attribute)} has the type ${tag}, not ${type}.`,
      );
    json += (json.length > 1 ? ',' : '') + keyValueJson(payloadOf(value, tag), type);
  }
  return json + ']';
}

function keyValueJson(payload: unknown, type: KeyType): string {
  switch (type) {
    case 'S':
      return stringJson(payload, PLAIN);
    case 'N':
      return jsonNumber(numberPayload(payload));
    case 'B':
      return `"${binaryPayload(payload)}"`;
  }
}

const HASH_DIGITS = 32;

/** One call instead of three where the runtime has it (Node 20.12 and later). */
const sha256Hex: (text: string) => string =
  typeof crypto.hash === 'function'
    ? (text) => crypto.hash('sha256', text, 'hex')
    : (text) => createHash('sha256').update(text).digest('hex');

/** Hex SHA-256 of a canonical key in UTF-8, first 32 digits. */
export function keyHashOf(key: string): KeyHash {
  return sha256Hex(key).slice(0, HASH_DIGITS) as KeyHash;
}

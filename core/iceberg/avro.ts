import { GlasshouseError } from '../errors.ts';

/** A field of an Avro record; `field-id` is how Iceberg finds a field, whatever its name. */
export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly 'field-id'?: number;
  readonly default?: null;
}

/** The part of Avro that Iceberg's manifests use. A union is always `null` and one other type. */
export type AvroSchema =
  | 'null'
  | 'boolean'
  | 'int'
  | 'long'
  | 'double'
  | 'bytes'
  | 'string'
  | readonly ['null', AvroSchema]
  | { readonly type: 'record'; readonly name: string; readonly fields: readonly AvroField[] }
  | {
      readonly type: 'array';
      readonly items: AvroSchema;
      readonly logicalType?: string;
      readonly 'element-id'?: number;
    }
  | { readonly type: 'map'; readonly values: AvroSchema }
  | { readonly type: 'int' | 'long' | 'bytes' | 'string'; readonly logicalType: string };

/**
 * A value under a schema: records are objects by field name, arrays are arrays, maps are `Map`s, and an `int` or
 * `long` is a number where a double holds it exactly, else a bigint.
 */
export type AvroValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly AvroValue[]
  | AvroRecord
  | ReadonlyMap<string, AvroValue>;

export interface AvroRecord {
  readonly [field: string]: AvroValue;
}

const UTF8 = new TextEncoder();
const FROM_UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Bytes that grow as they are written. */
export interface AvroSink {
  bytes: Uint8Array;
  length: number;
}

/** An empty sink. */
export function avroSink(): AvroSink {
  return { bytes: new Uint8Array(4096), length: 0 };
}

/** What was written to the sink so far, without a copy. */
export function writtenBytes(sink: AvroSink): Uint8Array {
  return sink.bytes.subarray(0, sink.length);
}

function reserve(sink: AvroSink, count: number): void {
  if (sink.length + count <= sink.bytes.length) return;
  const grown = new Uint8Array(Math.max(sink.bytes.length * 2, sink.length + count));
  grown.set(writtenBytes(sink));
  sink.bytes = grown;
}

/** Appends bytes as they are. */
export function writeRaw(sink: AvroSink, bytes: Uint8Array): void {
  reserve(sink, bytes.length);
  sink.bytes.set(bytes, sink.length);
  sink.length += bytes.length;
}

/** Appends a zig-zag variable-length integer of at most 64 bits. */
export function writeLong(sink: AvroSink, value: number | bigint): void {
  reserve(sink, 10);
  // Most integers here are small: they need no bigint.
  if (typeof value === 'number' && value >= -0x40000000 && value <= 0x3fffffff) {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest > 0x7f) {
      sink.bytes[sink.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    sink.bytes[sink.length++] = rest;
    return;
  }
  const wide = BigInt(value);
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
  while (rest > 0x7fn) {
    sink.bytes[sink.length++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  sink.bytes[sink.length++] = Number(rest);
}

/** Appends a length and then the bytes. */
export function writeSized(sink: AvroSink, bytes: Uint8Array): void {
  writeLong(sink, bytes.length);
  writeRaw(sink, bytes);
}

function mismatch(schema: AvroSchema, value: AvroValue | undefined): GlasshouseError {
  return new GlasshouseError(
    'bug',
    `Avro: a value of type ${value === null ? 'null' : typeof value} does not fit the schema ${JSON.stringify(schema).slice(0, 120)}.`,
  );
}

function isRecord(value: AvroValue | undefined): value is AvroRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Map)
  );
}

/** Appends one value. Throws `bug` when the value is not of the schema. */
export function writeAvro(sink: AvroSink, schema: AvroSchema, value: AvroValue | undefined): void {
  if (typeof schema === 'string') {
    writePrimitive(sink, schema, value);
  } else if (isUnion(schema)) {
    if (value === null || value === undefined) {
      writeLong(sink, 0);
    } else {
      writeLong(sink, 1);
      writeAvro(sink, schema[1], value);
    }
  } else if (schema.type === 'record') {
    if (!isRecord(value)) throw mismatch(schema, value);
    for (const field of schema.fields) writeAvro(sink, field.type, value[field.name]);
  } else if (schema.type === 'array') {
    if (!Array.isArray(value)) throw mismatch(schema, value);
    const items: readonly AvroValue[] = value;
    if (items.length > 0) writeLong(sink, items.length);
    for (const item of items) writeAvro(sink, schema.items, item);
    writeLong(sink, 0);
  } else if (schema.type === 'map') {
    if (!(value instanceof Map)) throw mismatch(schema, value);
    const entries: ReadonlyMap<string, AvroValue> = value;
    if (entries.size > 0) writeLong(sink, entries.size);
    for (const [key, item] of entries) {
      writeSized(sink, UTF8.encode(key));
      writeAvro(sink, schema.values, item);
    }
    writeLong(sink, 0);
  } else {
    writePrimitive(sink, schema.type, value);
  }
}

function isUnion(schema: AvroSchema): schema is readonly ['null', AvroSchema] {
  return Array.isArray(schema);
}

function writePrimitive(sink: AvroSink, type: Extract<AvroSchema, string>, value: AvroValue | undefined): void {
  if (type === 'null' && value === null) return;
  if (type === 'boolean' && typeof value === 'boolean') {
    writeRaw(sink, Uint8Array.of(value ? 1 : 0));
  } else if ((type === 'int' || type === 'long') && isInteger(value)) {
    writeLong(sink, value);
  } else if (type === 'double' && typeof value === 'number') {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    writeRaw(sink, bytes);
  } else if (type === 'bytes' && value instanceof Uint8Array) {
    writeSized(sink, value);
  } else if (type === 'string' && typeof value === 'string') {
    writeSized(sink, UTF8.encode(value));
  } else {
    throw mismatch(type, value);
  }
}

function isInteger(value: AvroValue | undefined): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/** Bytes being read, and how far. */
export interface AvroSource {
  readonly bytes: Uint8Array;
  offset: number;
}

function corrupt(what: string): GlasshouseError {
  return new GlasshouseError('corrupt', `Avro: ${what}. The file is damaged or is no Avro file: restore it.`);
}

/** Takes the next bytes, without a copy. Throws `corrupt` past the end. */
export function takeBytes(source: AvroSource, count: number): Uint8Array {
  const end = source.offset + count;
  if (count < 0 || end > source.bytes.length) {
    throw corrupt(`${count} bytes wanted at ${source.offset}, and the file ends at ${source.bytes.length}`);
  }
  const taken = source.bytes.subarray(source.offset, end);
  source.offset = end;
  return taken;
}

/** Reads a zig-zag integer: a number where a double holds it exactly, else a bigint. */
export function readLong(source: AvroSource): number | bigint {
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = takeBytes(source, 1)[0] ?? 0;
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
  }
  let wide = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = takeBytes(source, 1)[0] ?? 0;
    wide |= BigInt(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    const value = BigInt.asIntN(64, (wide >> 1n) ^ -(wide & 1n));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  throw corrupt(`an integer of more than 64 bits at ${source.offset}`);
}

/** Reads a count or a length. Throws `corrupt` when it is larger than a file can be. */
export function readCount(source: AvroSource): number {
  const count = readLong(source);
  if (typeof count !== 'number') throw corrupt(`a length of ${String(count)} at ${source.offset}`);
  return count;
}

/** Reads one value that was written under the schema. Throws `corrupt` when the bytes are not of it. */
export function readAvro(source: AvroSource, schema: AvroSchema): AvroValue {
  if (typeof schema === 'string') return readPrimitive(source, schema);
  if (isUnion(schema)) {
    const branch = readCount(source);
    const chosen = schema[branch];
    if (chosen === undefined) throw corrupt(`branch ${branch} of a union of two`);
    return readAvro(source, chosen);
  }
  if (schema.type === 'record') {
    const record: Record<string, AvroValue> = {};
    for (const field of schema.fields) record[field.name] = readAvro(source, field.type);
    return record;
  }
  if (schema.type === 'array') {
    const items: AvroValue[] = [];
    eachBlockItem(source, () => items.push(readAvro(source, schema.items)));
    return items;
  }
  if (schema.type === 'map') {
    const entries = new Map<string, AvroValue>();
    eachBlockItem(source, () => entries.set(readString(source), readAvro(source, schema.values)));
    return entries;
  }
  return readPrimitive(source, schema.type);
}

function eachBlockItem(source: AvroSource, readItem: () => void): void {
  for (let count = readCount(source); count !== 0; count = readCount(source)) {
    // A negative count is followed by the block's size in bytes, for readers that skip it.
    if (count < 0) readCount(source);
    for (let index = Math.abs(count); index > 0; index--) readItem();
  }
}

/** Reads a length and the text of so many bytes. */
export function readString(source: AvroSource): string {
  const bytes = takeBytes(source, readCount(source));
  try {
    return FROM_UTF8.decode(bytes);
  } catch (cause) {
    throw new GlasshouseError('corrupt', `Avro: text that is not UTF-8 before ${source.offset}.`, { cause });
  }
}

function readPrimitive(source: AvroSource, type: Extract<AvroSchema, string>): AvroValue {
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return takeBytes(source, 1)[0] === 1;
    case 'int':
    case 'long':
      return readLong(source);
    case 'double': {
      const bytes = takeBytes(source, 8);
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
    }
    case 'bytes':
      // A copy: a slice of a Buffer would keep the whole file in memory.
      return new Uint8Array(takeBytes(source, readCount(source)));
    case 'string':
      return readString(source);
  }
}

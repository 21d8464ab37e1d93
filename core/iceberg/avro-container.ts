import { createHash } from 'node:crypto';
import { GlasshouseError } from '../errors.ts';
import {
  type AvroRecord,
  type AvroSchema,
  type AvroValue,
  avroSink,
  readAvro,
  readCount,
  takeBytes,
  writeAvro,
  writeLong,
  writeRaw,
  writeSized,
  writtenBytes,
} from './avro.ts';

/** Raw deflate (RFC 1951), given by whoever may use zlib: the core has no compression of its own. */
export interface Deflate {
  readonly compress: (bytes: Uint8Array) => Uint8Array;
  readonly decompress: (bytes: Uint8Array) => Uint8Array;
}

export interface AvroContainer {
  /** The writer's schema, as it stands in the file. */
  readonly schema: AvroSchema;
  /** The file's other properties, as text. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly records: readonly AvroRecord[];
}

const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 1);
const HEADER: AvroSchema = { type: 'map', values: 'bytes' };
const SYNC_BYTES = 16;
const BLOCK_BYTES = 1 << 20;
const UTF8 = new TextEncoder();
const FROM_UTF8 = new TextDecoder();

/**
 * An Avro object container file. With `deflate` the blocks are compressed, else stored as they are. Equal input gives
 * equal bytes: the sync marker, which Avro wants to be random, is a hash of the records.
 */
export function encodeContainer(container: AvroContainer, deflate?: Deflate): Uint8Array {
  const blocks: { count: number; bytes: Uint8Array }[] = [];
  let sink = avroSink();
  let count = 0;
  const closeBlock = () => {
    if (count > 0) blocks.push({ count, bytes: writtenBytes(sink) });
    sink = avroSink();
    count = 0;
  };
  for (const record of container.records) {
    writeAvro(sink, container.schema, record);
    count++;
    if (sink.length >= BLOCK_BYTES) closeBlock();
  }
  closeBlock();

  const hash = createHash('sha256');
  for (const block of blocks) hash.update(block.bytes);
  const sync = hash.digest().subarray(0, SYNC_BYTES);
  const header = new Map<string, AvroValue>([
    ['avro.schema', UTF8.encode(JSON.stringify(container.schema))],
    ['avro.codec', UTF8.encode(deflate === undefined ? 'null' : 'deflate')],
  ]);
  for (const [key, value] of container.metadata) header.set(key, UTF8.encode(value));
  const file = avroSink();
  writeRaw(file, MAGIC);
  writeAvro(file, HEADER, header);
  writeRaw(file, sync);
  for (const block of blocks) {
    writeLong(file, block.count);
    writeSized(file, deflate === undefined ? block.bytes : deflate.compress(block.bytes));
    writeRaw(file, sync);
  }
  return writtenBytes(file);
}

/**
 * Reads a container that any writer made with the `null` or `deflate` codec. Throws `corrupt` when the bytes are cut
 * or damaged, or when the codec is another one.
 */
export function decodeContainer(bytes: Uint8Array, deflate: Deflate): AvroContainer {
  const source = { bytes, offset: 0 };
  const magic = takeBytes(source, MAGIC.length);
  if (magic.some((byte, index) => byte !== MAGIC[index])) throw damaged('it does not begin with "Obj1"');
  const header = readAvro(source, HEADER);
  const metadata = new Map<string, string>();
  if (header instanceof Map) {
    for (const [key, value] of header)
      if (value instanceof Uint8Array) metadata.set(String(key), FROM_UTF8.decode(value));
  }
  const schema = parseSchema(metadata.get('avro.schema'));
  const codec = metadata.get('avro.codec') ?? 'null';
  if (codec !== 'null' && codec !== 'deflate')
    throw damaged(`its codec is "${codec}", and only null and deflate are read`);
  metadata.delete('avro.schema');
  metadata.delete('avro.codec');

  const sync = takeBytes(source, SYNC_BYTES);
  const records: AvroRecord[] = [];
  while (source.offset < bytes.length) {
    const count = readCount(source);
    const stored = takeBytes(source, readCount(source));
    const block = { bytes: codec === 'deflate' ? inflate(stored, deflate) : stored, offset: 0 };
    for (let index = 0; index < count; index++) records.push(readRecord(block, schema));
    if (takeBytes(source, SYNC_BYTES).some((byte, index) => byte !== sync[index])) {
      throw damaged(`a block before byte ${source.offset} does not end with the sync marker`);
    }
  }
  return { schema, metadata, records };
}

function readRecord(block: { readonly bytes: Uint8Array; offset: number }, schema: AvroSchema): AvroRecord {
  const value = readAvro(block, schema);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw damaged('its schema is no record');
  }
  return value as AvroRecord;
}

function inflate(stored: Uint8Array, deflate: Deflate): Uint8Array {
  try {
    return deflate.decompress(stored);
  } catch (cause) {
    throw damaged('a block cannot be decompressed', cause);
  }
}

function parseSchema(text: string | undefined): AvroSchema {
  try {
    return JSON.parse(text ?? '') as AvroSchema;
  } catch (cause) {
    throw damaged('its header has no schema', cause);
  }
}

function damaged(what: string, cause?: unknown): GlasshouseError {
  return new GlasshouseError('corrupt', `Not a readable Avro file: ${what}. Restore it from a copy.`, { cause });
}

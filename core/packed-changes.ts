import { ByteText } from './byte-text.ts';
import type { Cause, KeyHash, Operation } from './change.ts';
import type { Envelope } from './envelope.ts';
import { GlasshouseError } from './errors.ts';
import type { Version } from './version.ts';
import { EPOCH_DIGITS, POSITION_DIGITS } from './version.ts';

export const HASH_CHARACTERS = 32;
export const VERSION_CHARACTERS = EPOCH_DIGITS + 1 + POSITION_DIGITS;

/** Operations and causes by the numbers that stand for them in packed changes. */
export const OPERATIONS: readonly Operation[] = ['insert', 'update', 'delete', 'snapshot'];
export const CAUSES: readonly Cause[] = ['user', 'ttl', 'redrive', 'snapshot'];

/** Texts one after the other, as UTF-8; text `i` stands between offsets `i` and `i + 1`. */
export interface PackedTexts {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/**
 * Envelopes that were captured at one time to one schema, by column and as bytes: they cross threads without a copy and go
 * into DuckDB without ever being strings. A row that is no text is null: the change is a delete.
 */
export interface PackedChanges {
  readonly count: number;
  readonly schemaVersion: number;
  readonly capturedAtMicros: number;
  readonly keys: PackedTexts;
  /** ASCII, `HASH_CHARACTERS` each. */
  readonly keyHashes: Uint8Array;
  /** ASCII, `VERSION_CHARACTERS` each. */
  readonly versions: Uint8Array;
  readonly operations: Uint8Array;
  readonly causes: Uint8Array;
  readonly committedAtMicros: Float64Array;
  readonly rows: PackedTexts;
}

/** The memory that packed changes own, to hand to another thread. */
export function buffersOf(packed: PackedChanges): ArrayBuffer[] {
  const { keys, keyHashes, versions, operations, causes, committedAtMicros, rows } = packed;
  const arrays = [keys.bytes, keys.offsets, keyHashes, versions, operations, causes, committedAtMicros];
  return [...arrays, rows.bytes, rows.offsets].map((array) => array.buffer as ArrayBuffer);
}

/** One of some packed changes, whose fields are read when they are asked for. */
export class PackedChange implements Envelope {
  readonly packed: PackedChanges;
  readonly index: number;

  constructor(packed: PackedChanges, index: number) {
    this.packed = packed;
    this.index = index;
  }

  get key(): string {
    return textAt(this.packed.keys, this.index);
  }

  get keyHash(): KeyHash {
    return asciiAt(this.packed.keyHashes, this.index, HASH_CHARACTERS) as KeyHash;
  }

  get version(): Version {
    return asciiAt(this.packed.versions, this.index, VERSION_CHARACTERS) as Version;
  }

  get operation(): Operation {
    return named(OPERATIONS, this.packed.operations[this.index]);
  }

  get cause(): Cause {
    return named(CAUSES, this.packed.causes[this.index]);
  }

  get committedAtMicros(): number {
    return this.packed.committedAtMicros[this.index] ?? 0;
  }

  get capturedAtMicros(): number {
    return this.packed.capturedAtMicros;
  }

  get schemaVersion(): number {
    return this.packed.schemaVersion;
  }

  get row(): string | null {
    return this.operation === 'delete' ? null : textAt(this.packed.rows, this.index);
  }
}

/** Packed changes as envelopes. */
export function unpacked(received: PackedChanges): PackedChange[] {
  const { keys, keyHashes, versions, rows } = received;
  const packed: PackedChanges = {
    ...received,
    keys: { bytes: bufferOver(keys.bytes), offsets: keys.offsets },
    keyHashes: bufferOver(keyHashes),
    versions: bufferOver(versions),
    rows: { bytes: bufferOver(rows.bytes), offsets: rows.offsets },
  };
  return Array.from({ length: packed.count }, (_, index) => new PackedChange(packed, index));
}

function textAt({ bytes, offsets }: PackedTexts, index: number): string {
  return bufferOver(bytes).toString('utf8', offsets[index] ?? 0, offsets[index + 1] ?? 0);
}

function asciiAt(bytes: Uint8Array, index: number, width: number): string {
  return bufferOver(bytes).toString('latin1', index * width, index * width + width);
}

/** What comes from another thread is no Buffer any more. */
function bufferOver(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function named<T>(names: readonly T[], number: number | undefined): T {
  const name = names[number ?? -1];
  if (name === undefined) throw new GlasshouseError('bug', `Packed changes have the number ${number} for a name.`);
  return name;
}

/** Packs changes one after the other. What writes a change's columns itself ends it with `next`. */
export class ChangePacker {
  readonly keys = new ByteText(1 << 16);
  readonly keyHashes = new ByteText(1 << 16);
  readonly versions = new ByteText(1 << 17);
  readonly rows = new ByteText(1 << 20);
  private keyOffsets = new Uint32Array(FIRST_ROOM);
  private rowOffsets = new Uint32Array(FIRST_ROOM);
  private operations = new Uint8Array(FIRST_ROOM);
  private causes = new Uint8Array(FIRST_ROOM);
  private committedAtMicros = new Float64Array(FIRST_ROOM);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Packs an envelope. */
  add(envelope: Envelope): void {
    this.keys.text(envelope.key);
    this.keyHashes.text(envelope.keyHash);
    this.versions.text(envelope.version);
    if (envelope.row !== null) this.rows.text(envelope.row);
    this.next(envelope.operation, envelope.cause, envelope.committedAtMicros);
  }

  /** Ends a change whose key, hash, version and row (none for a delete) have been written. */
  next(operation: Operation, cause: Cause, committedAtMicros: number): void {
    if (this.count + 1 >= this.keyOffsets.length) this.grow();
    this.operations[this.count] = OPERATIONS.indexOf(operation);
    this.causes[this.count] = CAUSES.indexOf(cause);
    this.committedAtMicros[this.count] = committedAtMicros;
    this.count++;
    this.keyOffsets[this.count] = this.keys.length;
    this.rowOffsets[this.count] = this.rows.length;
  }

  /** Takes back what was written of a change that was not ended. */
  undo(): void {
    this.keys.length = this.keyOffsets[this.count] ?? 0;
    this.rows.length = this.rowOffsets[this.count] ?? 0;
    this.keyHashes.length = this.count * HASH_CHARACTERS;
    this.versions.length = this.count * VERSION_CHARACTERS;
  }

  /** All that was packed; it then begins anew. */
  take(schemaVersion: number, capturedAtMicros: number): PackedChanges {
    const { count } = this;
    this.count = 0;
    return {
      count,
      schemaVersion,
      capturedAtMicros,
      keys: { bytes: this.keys.take(), offsets: this.keyOffsets.slice(0, count + 1) },
      keyHashes: this.keyHashes.take(),
      versions: this.versions.take(),
      operations: this.operations.slice(0, count),
      causes: this.causes.slice(0, count),
      committedAtMicros: this.committedAtMicros.slice(0, count),
      rows: { bytes: this.rows.take(), offsets: this.rowOffsets.slice(0, count + 1) },
    };
  }

  private grow(): void {
    const room = this.keyOffsets.length * 2;
    this.keyOffsets = larger(this.keyOffsets, new Uint32Array(room));
    this.rowOffsets = larger(this.rowOffsets, new Uint32Array(room));
    this.operations = larger(this.operations, new Uint8Array(room));
    this.causes = larger(this.causes, new Uint8Array(room));
    this.committedAtMicros = larger(this.committedAtMicros, new Float64Array(room));
  }
}

const FIRST_ROOM = 4096;

function larger<T extends Uint8Array | Uint32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

import type { KeyHash } from './change.ts';
import type { Epoch, Version } from './version.ts';
import { EPOCH_DIGITS, UNKNOWN_EPOCH } from './version.ts';

/** Where the current row of a key stands: the file by a number that the caller gave it, the row by its ordinal in the file. */
export interface RowPosition {
  readonly file: number;
  readonly row: number;
}

/** Keys with their versions and places as the index holds them: as numbers. */
export interface PlacedKeys {
  readonly count: number;
  /** `HASH_WORDS` a key: its hash in groups of eight digits. */
  readonly hashes: Uint32Array;
  readonly epochs: readonly Epoch[];
  /** `POSITION_WORDS` a key: its version's position in groups of eight digits. */
  readonly positions: Uint32Array;
  readonly files: Uint32Array;
  readonly rows: Uint32Array;
}

/**
 * The version held for every key of a table, and where its row stands, in 48 bytes a key and 5 to 11 for its slot.
 * Keys with a delete stay, without a position: a tombstone. Entries live in blocks of typed arrays, so nothing is copied
 * as it grows but the table of slots; the 128 bits of the key hash are all compared.
 */
export class PositionIndex {
  private slots = new Uint32Array(MIN_SLOTS);
  private readonly blocks: Uint32Array[] = [];
  private entries = 0;
  private readonly epochs: Epoch[] = [];
  private readonly scratch = new Uint32Array(HASH_WORDS);

  /** Keys held, tombstones included. */
  get size(): number {
    return this.entries;
  }

  /** The entry of a key, to ask the other methods about; -1 where the key is not held. */
  find(keyHash: KeyHash): number {
    readHash(keyHash, this.scratch);
    const slot = this.slotOf(this.scratch);
    return (this.slots[slot] ?? 0) - 1;
  }

  /** Whether a version is greater than the one that an entry holds. */
  isNewer(version: Version, entry: number): boolean {
    const block = this.blockOf(entry);
    const at = offsetOf(entry);
    const held = this.epochs[block[at + EPOCH] ?? 0] ?? '';
    const epoch = version.slice(0, EPOCH_DIGITS);
    if (epoch !== held) return epoch > held;
    for (let word = 0; word < POSITION_WORDS; word++) {
      const given = positionWord(version, word);
      const kept = block[at + POSITION + word] ?? 0;
      if (given !== kept) return given > kept;
    }
    return false;
  }

  /** Where an entry's row stands; null for a tombstone. */
  positionOf(entry: number): RowPosition | null {
    const block = this.blockOf(entry);
    const at = offsetOf(entry);
    const file = block[at + FILE] ?? NO_FILE;
    return file === NO_FILE ? null : { file, row: block[at + ROW] ?? 0 };
  }

  /** Sets what is held for a key, whatever was held before; a null position is a tombstone. */
  set(keyHash: KeyHash, version: Version, position: RowPosition | null): void {
    readHash(keyHash, this.scratch);
    const entry = this.entryFor(this.scratch);
    const block = this.blockOf(entry);
    const at = offsetOf(entry);
    block[at + FILE] = position?.file ?? NO_FILE;
    block[at + ROW] = position?.row ?? 0;
    block[at + EPOCH] = this.epochNumber(version.slice(0, EPOCH_DIGITS) as Epoch);
    for (let word = 0; word < POSITION_WORDS; word++) block[at + POSITION + word] = positionWord(version, word);
  }

  /** `set` for many keys at once; `fileNumbers` has the number of each of the files that the keys name. */
  setAll(keys: PlacedKeys, fileNumbers: readonly number[]): void {
    const { hashes, positions } = keys;
    const { scratch } = this;
    for (let key = 0; key < keys.count; key++) {
      for (let word = 0; word < HASH_WORDS; word++) scratch[word] = hashes[key * HASH_WORDS + word] ?? 0;
      const entry = this.entryFor(scratch);
      const block = this.blockOf(entry);
      const at = offsetOf(entry);
      block[at + FILE] = fileNumbers[keys.files[key] ?? -1] ?? NO_FILE;
      block[at + ROW] = keys.rows[key] ?? 0;
      block[at + EPOCH] = this.epochNumber(keys.epochs[key] ?? UNKNOWN_EPOCH);
      for (let word = 0; word < POSITION_WORDS; word++)
        block[at + POSITION + word] = positions[key * POSITION_WORDS + word] ?? 0;
    }
  }

  /** The entry of a hash, made if it is not there. */
  private entryFor(hash: Uint32Array): number {
    const slot = this.slotOf(hash);
    const held = (this.slots[slot] ?? 0) - 1;
    if (held !== -1) return held;
    const entry = this.add(slot);
    this.blockOf(entry).set(hash, offsetOf(entry));
    if (this.entries * 4 > this.slots.length * 3) this.grow();
    return entry;
  }

  private add(slot: number): number {
    const entry = this.entries++;
    if (entry % BLOCK_ENTRIES === 0) this.blocks.push(new Uint32Array(BLOCK_ENTRIES * ENTRY_WORDS));
    this.slots[slot] = entry + 1;
    return entry;
  }

  /** The slot that holds a hash, or the free one where it would stand. */
  private slotOf(hash: Uint32Array): number {
    const mask = this.slots.length - 1;
    let slot = (hash[0] ?? 0) & mask;
    for (;;) {
      const entry = (this.slots[slot] ?? 0) - 1;
      if (entry === -1 || this.holds(entry, hash)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private holds(entry: number, hash: Uint32Array): boolean {
    const block = this.blockOf(entry);
    const at = offsetOf(entry);
    return block[at] === hash[0] && block[at + 1] === hash[1] && block[at + 2] === hash[2] && block[at + 3] === hash[3];
  }

  private grow(): void {
    this.slots = new Uint32Array(this.slots.length * 2);
    for (let entry = 0; entry < this.entries; entry++) {
      const at = offsetOf(entry);
      this.slots[this.slotOf(this.blockOf(entry).subarray(at, at + HASH_WORDS))] = entry + 1;
    }
  }

  private epochNumber(epoch: Epoch): number {
    const known = this.epochs.lastIndexOf(epoch);
    return known === -1 ? this.epochs.push(epoch) - 1 : known;
  }

  private blockOf(entry: number): Uint32Array {
    return this.blocks[Math.floor(entry / BLOCK_ENTRIES)] ?? EMPTY;
  }
}

// An entry is twelve words: the hash, the file and row, the epoch's number, the position as five groups of eight digits.
export const HASH_WORDS = 4;
const FILE = 4;
const ROW = 5;
const EPOCH = 6;
const POSITION = 7;
export const POSITION_WORDS = 5;
const POSITION_GROUP_DIGITS = 8;
const ENTRY_WORDS = 12;
const BLOCK_ENTRIES = 65_536;
const MIN_SLOTS = 1024;
const NO_FILE = 0xffff_ffff;
const EMPTY = new Uint32Array(0);

function offsetOf(entry: number): number {
  return (entry % BLOCK_ENTRIES) * ENTRY_WORDS;
}

function readHash(keyHash: KeyHash, into: Uint32Array): void {
  for (let word = 0; word < HASH_WORDS; word++) into[word] = Number.parseInt(keyHash.slice(word * 8, word * 8 + 8), 16);
}

/** One group of eight digits of a version's position: groups compare as the position does, from the first on. */
function positionWord(version: Version, word: number): number {
  const from = EPOCH_DIGITS + 1 + word * POSITION_GROUP_DIGITS;
  return Number(version.slice(from, from + POSITION_GROUP_DIGITS));
}

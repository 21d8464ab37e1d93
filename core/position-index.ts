import type { KeyHash } from './change.ts';
import type { Epoch, Version } from './version.ts';
import { EPOCH_DIGITS } from './version.ts';

/** Where the current row of a key stands: the file by a number that the caller gave it, the row by its ordinal in the file. */
export interface RowPosition {
  readonly file: number;
  readonly row: number;
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
    const slot = this.slotOf(this.scratch);
    const held = (this.slots[slot] ?? 0) - 1;
    const entry = held === -1 ? this.add(slot) : held;
    const block = this.blockOf(entry);
    const at = offsetOf(entry);
    block.set(this.scratch, at);
    block[at + FILE] = position?.file ?? NO_FILE;
    block[at + ROW] = position?.row ?? 0;
    block[at + EPOCH] = this.epochNumber(version.slice(0, EPOCH_DIGITS) as Epoch);
    for (let word = 0; word < POSITION_WORDS; word++) block[at + POSITION + word] = positionWord(version, word);
    if (held === -1 && this.entries * 4 > this.slots.length * 3) this.grow();
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
const HASH_WORDS = 4;
const FILE = 4;
const ROW = 5;
const EPOCH = 6;
const POSITION = 7;
const POSITION_WORDS = 5;
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

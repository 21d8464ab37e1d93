import duckdb from '@duckdb/node-bindings';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import type { PlacedKeys } from '../../core/position-index.ts';
import { HASH_WORDS, POSITION_WORDS } from '../../core/position-index.ts';
import type { Epoch } from '../../core/version.ts';
import { EPOCH_DIGITS } from '../../core/version.ts';
import type { Duck } from './connection.ts';
import type { SnapshotRows } from './read.ts';
import { FILE_COLUMN, POSITION_COLUMN, snapshotSelect } from './read.ts';

/** Where some rows stand: `files` are indexes into the data files that were asked for. */
export type KeyPlaces = PlacedKeys;

/** Two groups of eight digits, as one number. */
const GROUP = 100_000_000;
const LARGEST_EXACT_HIGH = 0x1f_ffff;
/** What DuckDB turns round in the first word of a UUID, so that they sort as signed numbers. */
const UUID_SIGN = 0x8000_0000;

/**
 * Streams the key hash, the version and the place of every live row of a snapshot, as numbers: as text they would have to be
 * made into strings one by one, which takes several times as long. Throws `unavailable` when a file cannot be read.
 */
export async function* scanKeyPlaces(
  duck: Duck,
  rows: SnapshotRows,
  columns: { readonly keyHash: string; readonly version: string },
): AsyncGenerator<KeyPlaces> {
  const { keyHash, version } = columns;
  const digits = (from: number, count: number): string => `substr(${version}, ${EPOCH_DIGITS + 2 + from}, ${count})`;
  const select = [
    `${keyHash}::UUID`,
    `substr(${version}, 1, ${EPOCH_DIGITS})::UBIGINT`,
    `${digits(0, 16)}::UBIGINT`,
    `${digits(16, 16)}::UBIGINT`,
    `${digits(32, 8)}::UINTEGER`,
    `${FILE_COLUMN}::UINTEGER`,
    `${POSITION_COLUMN}::UINTEGER`,
  ];
  const connection = await duck.connect();
  try {
    const result = await connection.stream(`SELECT ${select.join(', ')} FROM (${snapshotSelect(rows, true)})`);
    for await (const chunk of result) {
      const count = chunk.rowCount;
      if (count === 0) continue;
      const words = (column: number, each: number): Uint32Array =>
        wordsOf(duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk.chunk, column), count * each * 4));
      yield {
        count,
        hashes: hashesOf(words(0, HASH_WORDS)),
        epochs: epochsOf(words(1, 2)),
        positions: positionsOf(words(2, 2), words(3, 2), words(4, 1)),
        files: words(5, 1),
        rows: words(6, 1),
      };
    }
  } catch (cause) {
    throw new GlasshouseError('unavailable', `The lakehouse's files cannot be read: ${messageOf(cause)}.`, { cause });
  } finally {
    connection.closeSync();
  }
}

/** A copy: the memory of a vector is gone with its chunk. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const copy = bytes.slice();
  return new Uint32Array(copy.buffer, 0, copy.length / 4);
}

/** A UUID's words stand from its last to its first. Changed in place. */
function hashesOf(words: Uint32Array): Uint32Array {
  for (let at = 0; at < words.length; at += HASH_WORDS) {
    const [last = 0, third = 0, second = 0, first = 0] = [words[at], words[at + 1], words[at + 2], words[at + 3]];
    words[at] = first ^ UUID_SIGN;
    words[at + 1] = second;
    words[at + 2] = third;
    words[at + 3] = last;
  }
  return words;
}

/** The epoch of each row; most rows have that of the row before. */
function epochsOf(words: Uint32Array): Epoch[] {
  const epochs: Epoch[] = [];
  let [low, high] = [-1, -1];
  let epoch = '' as Epoch;
  for (let at = 0; at < words.length; at += 2) {
    if (words[at] !== low || words[at + 1] !== high) {
      [low = 0, high = 0] = [words[at], words[at + 1]];
      epoch = ((BigInt(high) << 32n) | BigInt(low)).toString().padStart(EPOCH_DIGITS, '0') as Epoch;
    }
    epochs.push(epoch);
  }
  return epochs;
}

/** Each row's position in groups of eight digits, from two numbers of sixteen digits and one of eight. */
function positionsOf(first: Uint32Array, second: Uint32Array, last: Uint32Array): Uint32Array {
  const groups = new Uint32Array(last.length * POSITION_WORDS);
  for (let row = 0; row < last.length; row++) {
    const at = row * POSITION_WORDS;
    splitInto(groups, at, first[row * 2] ?? 0, first[row * 2 + 1] ?? 0);
    splitInto(groups, at + 2, second[row * 2] ?? 0, second[row * 2 + 1] ?? 0);
    groups[at + 4] = last[row] ?? 0;
  }
  return groups;
}

/** Cuts a number of sixteen digits into two groups. */
function splitInto(groups: Uint32Array, at: number, low: number, high: number): void {
  if (high <= LARGEST_EXACT_HIGH) {
    const value = high * 0x1_0000_0000 + low;
    const group = Math.floor(value / GROUP);
    groups[at] = group;
    groups[at + 1] = value - group * GROUP;
    return;
  }
  const value = (BigInt(high) << 32n) | BigInt(low);
  groups[at] = Number(value / BigInt(GROUP));
  groups[at + 1] = Number(value % BigInt(GROUP));
}

import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Envelope } from '../../core/envelope.ts';
import { parseEnvelopeLine } from '../../core/envelope.ts';
import { GlasshouseError, messageOf } from '../../core/errors.ts';

/** Whole microseconds: the reader's own way would make a Date, which has milliseconds. */
const PARSERS = {
  timestampFromMicroseconds: (micros: bigint) => Number(micros),
  timestampFromMilliseconds: (millis: bigint) => Number(millis) * 1000,
};

/**
 * The envelopes in a Parquet file of a changelog, in their order: a few megabytes, as Firehose writes them. Needs no DuckDB, so a
 * function can have it. Throws GlasshouseError `corrupt` where it is no such file.
 */
export async function readEnvelopeFile(parquet: Uint8Array): Promise<readonly Envelope[]> {
  // A copy: a Buffer is mostly a part of a larger piece of memory, and its own `slice` does not copy.
  const rows = await readRows(new Uint8Array(parquet).buffer);
  // Every field is checked as that of a line is.
  return rows.map((row) => parseEnvelopeLine(JSON.stringify(row, plainNumbers)));
}

async function readRows(file: ArrayBuffer): Promise<readonly Record<string, unknown>[]> {
  try {
    return await parquetReadObjects({ file, compressors, parsers: PARSERS });
  } catch (cause) {
    throw new GlasshouseError('corrupt', `The file is no Parquet that can be read: ${messageOf(cause)}.`, { cause });
  }
}

function plainNumbers(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

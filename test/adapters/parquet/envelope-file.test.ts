import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDuck, withConnection } from '../../../adapters/duckdb/connection.ts';
import { readEnvelopeFile } from '../../../adapters/parquet/envelope-file.ts';
import type { Envelope } from '../../../core/envelope.ts';
import { changeOf } from '../../support/changes.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SCHEMA = schemaOf({ note: { kind: 'string' } });
/** Times with microseconds, a delete, and texts that need care. */
const CHANGES: readonly Envelope[] = [
  {
    ...changeOf({ id: 'ä"\n', at: 1, image: { note: { S: '\u0000 😀' } } }, SCHEMA),
    committedAtMicros: 1_790_000_000_123_456,
  },
  { ...changeOf({ id: 'b', at: 2 }, SCHEMA), cause: 'ttl' },
];

const folder = temporaryFolder();

/** A file as Firehose's Iceberg writer has them: the changelog's columns. */
async function parquetOf(changes: readonly Envelope[], codec: string): Promise<Uint8Array> {
  const path = join(folder, `${codec}.parquet`);
  const names = '_key, _key_hash, _version, _op, _committed_at, _captured_at, _schema, _row, _cause';
  const rows = changes.map(valuesOf).join(', ');
  const duck = await openDuck();
  try {
    await withConnection(duck, (connection) =>
      connection.run(
        `COPY (SELECT * FROM (VALUES ${rows}) t(${names})) TO '${path}' (FORMAT parquet, CODEC '${codec}')`,
      ),
    );
    return await readFile(path);
  } finally {
    duck.close();
  }
}

function valuesOf(change: Envelope): string {
  const text = (value: string | null) =>
    value === null ? 'NULL' : `decode(from_hex('${Buffer.from(value).toString('hex')}')::BLOB)`;
  const { key, keyHash, version, operation, committedAtMicros, capturedAtMicros, schemaVersion, row, cause } = change;
  const times = [committedAtMicros, capturedAtMicros].map((micros) => `make_timestamp(${micros})`).join(', ');
  return `(${text(key)}, '${keyHash}', '${version}', '${operation}', ${times}, ${schemaVersion}::INTEGER, ${text(row)}, '${cause}')`;
}

describe('readEnvelopeFile', () => {
  it.each(['zstd', 'snappy', 'gzip'])('gives the envelopes as they were, to the microsecond (%s)', async (codec) => {
    expect(await readEnvelopeFile(await parquetOf(CHANGES, codec))).toEqual(CHANGES);
  });

  it('refuses what is no Parquet, or is cut', async () => {
    const whole = await parquetOf(CHANGES, 'zstd');
    await expect(readEnvelopeFile(Buffer.from('{"a":1}'))).rejects.toMatchObject({ code: 'corrupt' });
    await expect(readEnvelopeFile(whole.subarray(0, whole.length - 20))).rejects.toMatchObject({ code: 'corrupt' });
  });
});

import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Duck } from '../../../adapters/duckdb/connection.ts';
import { openDuck } from '../../../adapters/duckdb/connection.ts';
import { scanKeyPlaces } from '../../../adapters/duckdb/key-places.ts';
import { writeParquet } from '../../../adapters/duckdb/parquet.ts';
import type { IcebergField } from '../../../core/iceberg/fields.ts';
import { keyHashOf } from '../../../core/key.ts';
import { PositionIndex } from '../../../core/position-index.ts';
import type { Epoch } from '../../../core/version.ts';
import { streamVersion } from '../../../core/version.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();
let duck: Duck;
let written = 0;

beforeAll(async () => {
  duck = await openDuck({ memoryLimit: '256MB' });
});
afterAll(() => duck.close());

const FIELDS: readonly IcebergField[] = [
  { id: 1, name: 'h', type: 'string', required: true },
  { id: 2, name: 'v', type: 'string', required: true },
];

const anyVersion = fc
  .tuple(
    fc.constantFrom('00000000000000000', '20261122100000000', '99991231235959999'),
    fc.oneof(
      fc.constantFrom(0n, 10n ** 40n - 1n, 4_000_000_100_000_000_000_000n),
      fc.bigInt({ min: 0n, max: 10n ** 40n - 1n }),
    ),
  )
  .map(([epoch, position]) => streamVersion(epoch as Epoch, position.toString()));

it('finds the version and the place of every key, exactly', async () => {
  const anyFile = fc.array(anyVersion, { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(anyFile, { minLength: 1, maxLength: 3 }), async (versions) => {
      const hashOf = (file: number, row: number) => keyHashOf(`[${file},${row}]`);
      const data = [];
      for (const [file, rows] of versions.entries()) {
        const columns = [rows.map((_, row) => hashOf(file, row)), rows];
        const done = await writeParquet(duck, FIELDS, [columns], join(folder, `keys-${++written}.parquet`));
        data.push({ ...done, dataSequenceNumber: 1, fileSequenceNumber: 1, snapshotId: 1 });
      }
      const index = new PositionIndex();
      const snapshot = { fields: FIELDS, files: { data, deletes: [] } };
      for await (const keys of scanKeyPlaces(duck, snapshot, { keyHash: 'h', version: 'v' })) {
        index.setAll(
          keys,
          data.map((_, file) => file + 10),
        );
      }
      expect(index.size).toBe(versions.flat().length);
      for (const [file, rows] of versions.entries()) {
        for (const [row, version] of rows.entries()) {
          const entry = index.find(hashOf(file, row));
          expect(index.positionOf(entry)).toEqual({ file: file + 10, row });
          const alone = new PositionIndex();
          alone.set(hashOf(file, row), version, null);
          for (const other of rows) expect(index.isNewer(other, entry)).toBe(alone.isNewer(other, 0));
        }
      }
    }),
    { numRuns: 25 },
  );
});

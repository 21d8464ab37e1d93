import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keyHashOf } from '../../core/key.ts';
import { PositionIndex } from '../../core/position-index.ts';
import type { RowPosition } from '../../core/position-index.ts';
import type { Epoch, Version } from '../../core/version.ts';
import { epochOf, streamVersion } from '../../core/version.ts';

const anyVersion = fc
  .tuple(
    fc.constantFrom('20261122100000000', '20261122100000001', '20270101000000000'),
    fc.bigInt({ min: 0n, max: 10n ** 40n - 1n }),
  )
  .map(([epoch, position]) => streamVersion(epoch as Epoch, position.toString()));

it('holds for each key what was set last, through any growth', () => {
  const anySet = fc.tuple(
    fc.integer({ min: 0, max: 4000 }),
    anyVersion,
    fc.option(fc.record({ file: fc.integer({ min: 0, max: 100 }), row: fc.integer({ min: 0, max: 1_000_000 }) })),
  );
  fc.assert(
    fc.property(fc.array(anySet, { minLength: 1, maxLength: 5000, size: 'max' }), (sets) => {
      const index = new PositionIndex();
      const model = new Map<number, { version: Version; position: RowPosition | null }>();
      for (const [key, version, position] of sets) {
        index.set(keyHashOf(`[${key}]`), version, position);
        model.set(key, { version, position });
      }
      expect(index.size).toBe(model.size);
      for (const [key, held] of model) {
        const entry = index.find(keyHashOf(`[${key}]`));
        expect(index.positionOf(entry)).toEqual(held.position);
        expect(index.isNewer(held.version, entry)).toBe(false);
      }
      expect(index.find(keyHashOf('["never set"]'))).toBe(-1);
    }),
    { numRuns: 20 },
  );
});

it('ranks versions as their text does', () => {
  fc.assert(
    fc.property(anyVersion, anyVersion, (held, given) => {
      const index = new PositionIndex();
      const keyHash = keyHashOf('["a"]');
      index.set(keyHash, held, null);
      expect(index.isNewer(given, index.find(keyHash))).toBe(given > held);
    }),
  );
});

it('holds many keys set as numbers as it holds them set one by one', () => {
  const anyPlaced = fc.tuple(fc.integer({ min: 0, max: 300 }), anyVersion, fc.nat(1), fc.nat());
  fc.assert(
    fc.property(fc.array(anyPlaced, { minLength: 1, maxLength: 400, size: 'max' }), (placed) => {
      const [together, alone] = [new PositionIndex(), new PositionIndex()];
      const files = [7, 3];
      for (const [key, version, file, row] of placed) {
        alone.set(keyHashOf(`[${key}]`), version, { file: files[file] ?? -1, row });
      }
      const digits = (text: string, from: number, radix: number, groups: number): number[] =>
        Array.from({ length: groups }, (_, group) =>
          Number.parseInt(text.slice(from + group * 8, from + group * 8 + 8), radix),
        );
      together.setAll(
        {
          count: placed.length,
          hashes: Uint32Array.from(placed.flatMap(([key]) => digits(keyHashOf(`[${key}]`), 0, 16, 4))),
          epochs: placed.map(([, version]) => epochOf(version)),
          positions: Uint32Array.from(placed.flatMap(([, version]) => digits(version, 18, 10, 5))),
          files: Uint32Array.from(placed.map(([, , file]) => file)),
          rows: Uint32Array.from(placed.map(([, , , row]) => row)),
        },
        files,
      );
      expect(together.size).toBe(alone.size);
      for (const [key, version] of placed) {
        const [one, other] = [together, alone].map((index) => index.find(keyHashOf(`[${key}]`)));
        expect(together.positionOf(one ?? -1)).toEqual(alone.positionOf(other ?? -1));
        expect(together.isNewer(version, one ?? -1)).toBe(alone.isNewer(version, other ?? -1));
      }
    }),
    { numRuns: 40 },
  );
});

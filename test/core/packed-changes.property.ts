import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Envelope } from '../../core/envelope.ts';
import { keyHashOf } from '../../core/key.ts';
import { CAUSES, ChangePacker, OPERATIONS, buffersOf, unpacked } from '../../core/packed-changes.ts';
import type { Epoch } from '../../core/version.ts';
import { streamVersion } from '../../core/version.ts';

const anyEnvelope: fc.Arbitrary<Envelope> = fc
  .record({
    key: fc.string({ unit: 'binary', maxLength: 20 }),
    position: fc.bigInt({ min: 0n, max: 10n ** 40n - 1n }),
    operation: fc.constantFrom(...OPERATIONS),
    cause: fc.constantFrom(...CAUSES),
    committedAtMicros: fc.nat(),
    text: fc.string({ unit: 'binary', maxLength: 300 }),
  })
  .map(({ key, position, operation, cause, committedAtMicros, text }) => ({
    key,
    keyHash: keyHashOf(key),
    version: streamVersion('20261122100000000' as Epoch, position.toString()),
    operation,
    cause,
    committedAtMicros,
    capturedAtMicros: 5,
    schemaVersion: 3,
    row: operation === 'delete' ? null : JSON.stringify(text),
  }));

function fieldsOf(one: Envelope): Envelope {
  const { key, keyHash, version, operation, committedAtMicros, capturedAtMicros, schemaVersion, row, cause } = one;
  return { key, keyHash, version, operation, committedAtMicros, capturedAtMicros, schemaVersion, row, cause };
}

it('gives back what was packed, after it has crossed threads, and begins anew each time', () => {
  const packer = new ChangePacker();
  fc.assert(
    fc.property(fc.array(anyEnvelope, { maxLength: 50 }), (envelopes) => {
      for (const envelope of envelopes) packer.add(envelope);
      const packed = packer.take(3, 5);
      const crossed = structuredClone(packed, { transfer: buffersOf(packed) });
      expect(unpacked(crossed).map(fieldsOf)).toEqual(envelopes);
      expect(packer.size).toBe(0);
    }),
  );
});

it('packs more than it had room for at first', () => {
  const packer = new ChangePacker();
  const one = fc.sample(anyEnvelope, { numRuns: 1, seed: 1 })[0];
  if (one === undefined) throw new Error('A sample has one.');
  for (let at = 0; at < 10_000; at++) packer.add({ ...one, committedAtMicros: at });
  const all = unpacked(packer.take(3, 5));
  expect(all.map((change) => change.committedAtMicros)).toEqual(Array.from({ length: 10_000 }, (_, at) => at));
  expect(all.at(-1)?.key).toBe(one.key);
});

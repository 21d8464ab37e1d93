import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Packing } from '../../core/firehose-batches.ts';
import { FIREHOSE_LIMITS, longestLine, planBatches } from '../../core/firehose-batches.ts';

/** Lengths of lines as they come: mostly small, some as long as a record may be, and all that lie between. */
function lengths(packing: Packing): fc.Arbitrary<number[]> {
  const longest = longestLine(packing);
  const length = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 3000 }) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: longest }) },
    { weight: 1, arbitrary: fc.constantFrom(1, longest - 1, longest) },
  );
  const many = fc.tuple(fc.integer({ min: 400, max: 1200 }), fc.integer({ min: 1, max: 9000 }));
  return fc.oneof(
    fc.array(length, { maxLength: 60 }),
    many.map(([count, bytes]) => new Array<number>(count).fill(bytes)),
  );
}

/** What Firehose counts, with the whole request as it is sent: base64, names, braces and a stream's name of 64 characters. */
function sentBytes(recordBytes: readonly number[]): number {
  const records = recordBytes.map((bytes) => `{"Data":"${'A'.repeat(4 * Math.ceil(bytes / 3))}"}`.length + 1);
  return `{"DeliveryStreamName":"${'n'.repeat(64)}","Records":[]}`.length + records.reduce((sum, one) => sum + one, 0);
}

describe.each<Packing>(['apart', 'together'])('lines that travel %s', (packing) => {
  const end = packing === 'together' ? 1 : 0;

  it('never make a request or a record that Firehose refuses', () => {
    fc.assert(
      fc.property(lengths(packing), (lineBytes) => {
        for (const request of planBatches(lineBytes, packing)) {
          expect(request.length).toBeGreaterThan(0);
          expect(request.length).toBeLessThanOrEqual(FIREHOSE_LIMITS.recordsPerRequest);
          expect(sentBytes(request.map(({ bytes }) => bytes))).toBeLessThanOrEqual(FIREHOSE_LIMITS.requestBytes);
          for (const { bytes } of request) expect(bytes).toBeLessThanOrEqual(FIREHOSE_LIMITS.recordBytes);
        }
      }),
    );
  });

  it('are each in one record, in their order, and its bytes are theirs', () => {
    fc.assert(
      fc.property(lengths(packing), (lineBytes) => {
        let next = 0;
        for (const record of planBatches(lineBytes, packing).flat()) {
          expect(record.first).toBe(next);
          expect(record.end).toBeGreaterThan(record.first);
          const bytes = lineBytes.slice(record.first, record.end).reduce((sum, one) => sum + one + end, 0);
          expect(record.bytes).toBe(bytes);
          next = record.end;
        }
        expect(next).toBe(lineBytes.length);
      }),
    );
  });

  it('of none make no request', () => {
    expect(planBatches([], packing)).toEqual([]);
  });
});

it('lines for Iceberg have a record each', () => {
  const records = planBatches(new Array<number>(1201).fill(1500), 'apart').map((request) => request.length);
  expect(records).toEqual([500, 500, 201]);
});

it('lines for S3 share records, so that hardly anything is billed for rounding up to 5 KB', () => {
  const records = planBatches(new Array<number>(10_000).fill(1500), 'together').flat();
  const billed = records.reduce((sum, { bytes }) => sum + Math.ceil(bytes / 5120) * 5120, 0);
  const sent = records.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(sent).toBe(10_000 * 1501);
  expect(billed / sent).toBeLessThan(1.01);
});

it('a request is full where one more record would not be accepted', () => {
  const [first] = planBatches(new Array<number>(10).fill(FIREHOSE_LIMITS.recordBytes), 'apart');
  expect(first).toHaveLength(3);
});

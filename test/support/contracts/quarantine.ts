import { describe, expect, it } from 'vitest';
import type { Quarantine, QuarantineEntry } from '../../../flows/ports.ts';

function entry(line: number, change: Partial<QuarantineEntry> = {}): QuarantineEntry {
  return {
    table: 'orders',
    kind: 'not-json',
    reason: 'The line is no JSON.',
    place: { kind: 'file', file: 'changes.ndjson', line },
    raw: `{"broken": ${line}`,
    quarantinedAtMillis: 1_790_000_000_000,
    ...change,
  };
}

/** What every quarantine must do. `open` gives a new, empty one. */
export function quarantineContract(name: string, open: () => Quarantine): void {
  describe(`${name} as a quarantine`, () => {
    it('counts nothing for a table that has nothing in it', async () => {
      const quarantine = open();
      await quarantine.put([]);
      expect(await quarantine.counts('orders')).toEqual({});
    });

    it('counts by kind, for each table', async () => {
      const quarantine = open();
      await quarantine.put([entry(1), entry(2), entry(3, { kind: 'no-keys' }), entry(4, { table: 'customers' })]);
      await quarantine.put([entry(5)]);
      expect(await quarantine.counts('orders')).toEqual({ 'not-json': 3, 'no-keys': 1 });
      expect(await quarantine.counts('customers')).toEqual({ 'not-json': 1 });
    });

    it('counts a record once that a retry put in again, later and in another batch', async () => {
      const quarantine = open();
      const later = { quarantinedAtMillis: 1_790_000_099_000 };
      await quarantine.put([entry(1), entry(2)]);
      await quarantine.put([entry(1, later), entry(2, later)]);
      await quarantine.put([entry(2, later), entry(3, later)]);
      expect(await quarantine.counts('orders')).toEqual({ 'not-json': 3 });
    });

    it('tells records apart that have the same text at different places', async () => {
      const quarantine = open();
      await quarantine.put([entry(1, { raw: 'x' }), entry(2, { raw: 'x' })]);
      await quarantine.put([
        entry(1, { raw: 'x', place: { kind: 'stream', shardId: 's', sequenceNumber: '1' } }),
        entry(1, { raw: 'x', place: { kind: 'stream', shardId: 's', sequenceNumber: '2' } }),
      ]);
      expect(await quarantine.counts('orders')).toEqual({ 'not-json': 4 });
    });

    it('takes any text as a record: newlines, halves of surrogate pairs, NUL', async () => {
      const quarantine = open();
      await quarantine.put([entry(1, { raw: 'a\nb\r\n\0' }), entry(2, { raw: '\ud800' }), entry(3, { raw: '' })]);
      expect(await quarantine.counts('orders')).toEqual({ 'not-json': 3 });
    });
  });
}

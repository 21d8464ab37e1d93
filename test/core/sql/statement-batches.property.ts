import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8Bytes } from '../../../core/sql/dialect.ts';
import { planBatches } from '../../../core/sql/statement-batches.ts';

const LIMITS = { maxStatements: 4, maxBytes: 20 };

it('batches keep every statement in its order, and pass no limit', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 5 })), (statements) => {
      const batches = planBatches(statements, LIMITS);
      expect(batches.flat()).toEqual(statements);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(LIMITS.maxStatements);
        expect(batch.reduce((sum, statement) => sum + utf8Bytes(statement), 0)).toBeLessThanOrEqual(LIMITS.maxBytes);
      }
      expect(planBatches(statements, null).flat()).toEqual(statements);
    }),
  );
});

it('a statement that is too long by itself is refused', () => {
  expect(() => planBatches(['x'.repeat(21)], LIMITS)).toThrow(/21 bytes.*longer than the 20/);
});

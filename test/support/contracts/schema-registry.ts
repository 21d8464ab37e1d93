import { describe, expect, it } from 'vitest';
import type { SchemaRegistry } from '../../../flows/ports.ts';
import { addColumns } from '../../../core/schema.ts';
import { schemaOf } from '../dynamodb.ts';

const LIMITS = { maxColumns: 10 };

/** What every schema registry must do. `open` gives a new, empty one. */
export function schemaRegistryContract(name: string, open: () => SchemaRegistry): void {
  describe(`${name} as a schema registry`, () => {
    const first = schemaOf({ total: { kind: 'decimal', precision: 12, scale: 2 } });
    const withA = addColumns(first, [{ attribute: 'a', type: { kind: 'json' } }], LIMITS);
    const withB = addColumns(first, [{ attribute: 'b', type: { kind: 'binary' } }], LIMITS);

    it('has nothing of a table that is new', async () => {
      expect(await open().load('orders')).toEqual([]);
    });

    it('gives every version back, oldest first, each table’s own', async () => {
      const registry = open();
      await registry.save('orders', first);
      await registry.save('orders', withA);
      await registry.save('customers', first);
      expect(await registry.load('orders')).toEqual([first, withA]);
      expect(await registry.load('customers')).toEqual([first]);
    });

    it('gives the tenth version after the ninth', async () => {
      const registry = open();
      let schema = first;
      const all = [first];
      await registry.save('orders', first);
      for (let version = 2; version <= 11; version++) {
        schema = addColumns(schema, [{ attribute: `c${version}`, type: { kind: 'string' } }], { maxColumns: 50 });
        await registry.save('orders', schema);
        all.push(schema);
      }
      expect(await registry.load('orders')).toEqual(all);
    });

    it.each([
      ['a version that is stored already', [first, withA], withB],
      ['a version that leaves one out', [], withA],
      ['the first version again', [first], first],
    ])('refuses %s as a conflict, and keeps what it has', async (_, stored, offered) => {
      const registry = open();
      for (const schema of stored) await registry.save('orders', schema);
      await expect(registry.save('orders', offered)).rejects.toMatchObject({ code: 'conflict' });
      expect(await registry.load('orders')).toEqual(stored);
    });

    it('lets exactly one of two savers of a version win', async () => {
      const registry = open();
      await registry.save('orders', first);
      const outcomes = await Promise.allSettled([registry.save('orders', withA), registry.save('orders', withB)]);
      expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
      const winner = outcomes[0].status === 'fulfilled' ? withA : withB;
      expect(await registry.load('orders')).toEqual([first, winner]);
    });
  });
}

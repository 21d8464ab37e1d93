import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GlueTables } from '../../../adapters/aws/glue-tables.ts';
import type { ColumnType } from '../../../core/column.ts';
import { typeText } from '../../../core/glue-live-table.ts';
import { stateFields } from '../../../core/lake-tables.ts';
import { addColumns } from '../../../core/schema.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { virtualTiming } from '../../support/fake-dynamodb-streams.ts';
import { FakeGlue, type GlueFault } from '../../support/fake-glue.ts';

const aType: fc.Arbitrary<ColumnType> = fc.oneof(
  fc.constantFrom<ColumnType>({ kind: 'string' }, { kind: 'json' }, { kind: 'boolean' }, { kind: 'binary' }),
  fc.constantFrom<ColumnType>({ kind: 'long' }, { kind: 'double' }, { kind: 'timestamp' }, { kind: 'date' }),
  fc
    .integer({ min: 1, max: 38 })
    .chain((precision) =>
      fc.integer({ min: 0, max: precision }).map((scale) => ({ kind: 'decimal', precision, scale }) as const),
    ),
);
const aStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), types: fc.array(aType, { maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'foreign' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), nth: fc.nat({ max: 20 }) }) },
);
const aFault = fc.constantFrom<GlueFault>('ok', 'ok', 'refuse', 'lose-reply', 'overtake');

it('after any evolutions, faults and other writers, the state has exactly the schema’s columns, and no id was given twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(aStep, { maxLength: 8 }),
      fc.array(aFault, { maxLength: 20 }),
      fc.boolean(),
      async (steps, faults, renumbers) => {
        // The fake refuses a schema that gives an id to another column, or that of a dropped one again.
        const glue = new FakeGlue('shop', { faults, renumbers });
        const place = { database: 'shop', bucket: 'lake' };
        const tables = new GlueTables({ client: glue.client, place, caller: 'the test', timing: virtualTiming() });
        let schema = schemaOf();
        const foreign = new Set<string>();
        await tables.ensure('orders', schema);
        for (const [index, step] of steps.entries()) {
          if (step.kind === 'foreign') {
            glue.addForeignColumn('orders', `theirs_${index}`);
            foreign.add(`theirs_${index}`);
          } else if (step.kind === 'drop') {
            const column = schema.columns[step.nth % schema.columns.length];
            if (column) glue.dropColumn('orders', column.name);
          } else {
            const wanted = step.types.map((type, nth) => ({ attribute: `a${index}x${nth}`, type }));
            schema = addColumns(schema, wanted, { maxColumns: 100 });
          }
          await tables.evolveState('orders', schema);
          expect(await tables.evolveState('orders', schema)).toBe('unchanged');
        }
        const columns = (await tables.stateColumns('orders')) ?? [];
        const own = columns.filter((column) => !foreign.has(column.name));
        const wanted = stateFields(schema).map(({ name, type }) => ({ name, type: typeText(type) }));
        expect(own.map(({ name, type }) => ({ name, type })).sort(byName)).toEqual(wanted.sort(byName));
        expect(new Set(columns.map((column) => column.id)).size).toBe(columns.length);
      },
    ),
    { numRuns: 150 },
  );
});

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}

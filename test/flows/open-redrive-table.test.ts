import { expect, it } from 'vitest';
import { createMemorySchemaRegistry } from '../../adapters/memory/schema-registry.ts';
import type { DeliveryStream } from '../../flows/delivery-stream.ts';
import type { NewestSchema } from '../../flows/open-capture.ts';
import type { RedriveWays } from '../../flows/open-redrive-table.ts';
import { openRedriveTable } from '../../flows/open-redrive-table.ts';
import { changeOf } from '../support/changes.ts';
import { schemaOf } from '../support/dynamodb.ts';

const NOTE = { table: 'orders', sourceTable: 'Orders', maxColumns: 500 };
const SCHEMA = schemaOf();
const CHANGES = [1, 2].map((at) => changeOf({ id: 'a', at, image: {} }, SCHEMA));

function registryWith(schema: boolean): NewestSchema {
  const registry = createMemorySchemaRegistry();
  const saved = schema ? registry.save('orders', SCHEMA) : Promise.resolve();
  return {
    load: (table) => registry.load(table),
    save: (table, next) => registry.save(table, next),
    newest: async (table) => {
      await saved;
      return (await registry.load(table)).at(-1) ?? null;
    },
  };
}

function waysTo(streams: Partial<Record<'lakehouse' | 'warehouse', DeliveryStream>>, hasSchema = true): RedriveWays {
  return {
    registry: registryWith(hasSchema),
    streamOf: (_table, target) => streams[target] ?? null,
    oversized: { bucket: 'b', put: () => Promise.resolve() },
    metrics: { add: () => undefined },
    untilMillis: 17,
  };
}

/** A stream that keeps what it takes, and does not take the last so many lines. */
function streamThatLeaves(count: number) {
  const taken: string[] = [];
  const stream: DeliveryStream = {
    longestLine: 1_000_000,
    put: (lines, untilMillis) => {
      expect(untilMillis).toBe(17);
      taken.push(...lines.slice(0, lines.length - count));
      return Promise.resolve({ untaken: lines.map((_, index) => index).slice(lines.length - count), retried: 0 });
    },
  };
  return { stream, taken };
}

it('a table without a schema cannot be opened: nothing of it was captured', async () => {
  expect(await openRedriveTable(waysTo({}, false), NOTE)).toBeNull();
});

it('changes go to every target, and lines to the one that they are for', async () => {
  const [lakehouse, warehouse] = [streamThatLeaves(0), streamThatLeaves(0)];
  const table = await openRedriveTable(waysTo({ lakehouse: lakehouse.stream, warehouse: warehouse.stream }), NOTE);
  await table?.deliver(CHANGES, SCHEMA);
  await table?.putLines('warehouse', ['line']);
  expect([lakehouse.taken.length, warehouse.taken.length]).toEqual([2, 3]);
});

it('what is not taken in time is an error, so that nothing is moved away', async () => {
  const table = await openRedriveTable(waysTo({ lakehouse: streamThatLeaves(1).stream }), NOTE);
  await expect(table?.deliver(CHANGES, SCHEMA)).rejects.toThrow(
    'Firehose did not take 1 of 2 changes of orders in time.',
  );
  await expect(table?.putLines('lakehouse', ['a', 'b', 'c'])).rejects.toMatchObject({ code: 'throttled' });
});

it('lines for a target that the mirror lacks are not dropped', async () => {
  const table = await openRedriveTable(waysTo({ lakehouse: streamThatLeaves(0).stream }), NOTE);
  await expect(table?.putLines('warehouse', ['a'])).rejects.toThrow(
    'did not take 1 of 1 changes of orders for the warehouse',
  );
});

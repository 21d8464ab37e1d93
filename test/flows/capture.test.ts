import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemorySchemaRegistry } from '../../adapters/memory/schema-registry.ts';
import { columnTypeText } from '../../core/column.ts';
import { decodeRow } from '../../core/decode-row.ts';
import type { Epoch } from '../../core/version.ts';
import { Capture } from '../../flows/capture.ts';
import type { Delivered, SchemaRegistry } from '../../flows/ports.ts';
import { anyAttributeValue, streamRecord } from '../support/dynamodb.ts';
import type { Fault } from '../support/fault-script.ts';
import { FaultyRegistry } from '../support/faulty-ports.ts';
import { NOW_MILLIS, ORDERS, delivered } from '../support/mirror.ts';

function put(id: string, image: Readonly<Record<string, unknown>>, sequence = '1'): Record<string, unknown> {
  return streamRecord({ event: 'MODIFY', keys: { id: { S: id } }, image, sequence });
}

function columnsOf(capture: Capture): string[] {
  return capture.schema.columns.map((column) => `${column.name} ${columnTypeText(column.type)}`);
}

async function opened(registry: SchemaRegistry = createMemorySchemaRegistry()): Promise<Capture> {
  return Capture.open(ORDERS, registry);
}

describe('a batch of records', () => {
  it('becomes envelopes with the time of the capture, in their order', async () => {
    const capture = await opened();
    const { changes, quarantined, rescued } = await capture.capture(
      delivered(put('a', {}, '2'), put('b', {}, '1')),
      NOW_MILLIS,
    );
    expect(changes.map((change) => change.key)).toEqual(['["a"]', '["b"]']);
    expect(changes.every((change) => change.capturedAtMicros === NOW_MILLIS * 1000)).toBe(true);
    expect([quarantined, rescued]).toEqual([[], 0]);
  });

  it('is the same from text, from parsed records, and whatever text between the two', async () => {
    const records = [
      put('a', { n: { N: '1.50' }, s: { S: 'x\n"' } }),
      put('b', { n: { S: 'no number' }, tree: { M: { z: { N: '1' }, a: { NULL: true } } } }),
      streamRecord({ event: 'REMOVE', keys: { id: { S: 'c' } } }),
      streamRecord({ table: 'customers' }),
    ];
    const parsed = await (await opened()).capture(delivered(...records), NOW_MILLIS);
    for (const indent of [0, 2]) {
      const texts: Delivered[] = delivered(...records).map((one) => ({
        kind: 'text',
        text: JSON.stringify(one.kind === 'record' ? one.record : null, null, indent),
        place: one.place,
      }));
      const captured = await (await opened()).capture(texts, NOW_MILLIS);
      expect(captured.changes).toEqual(parsed.changes);
      expect(captured.schema).toEqual(parsed.schema);
      expect(captured.quarantined.map((entry) => entry.kind)).toEqual(parsed.quarantined.map((entry) => entry.kind));
    }
  });

  it('with items of a snapshot gives them the lowest version of their epoch', async () => {
    const snapshot = { epoch: '20261122100000000' as Epoch, takenAtMicros: 5 };
    const item: Delivered = {
      kind: 'item',
      item: { id: { S: 'a' } },
      snapshot,
      place: { kind: 'scan', table: 'orders' },
    };
    const { changes } = await (await opened()).capture([item, ...delivered(put('a', {}))], NOW_MILLIS);
    expect(changes.map(({ operation, cause }) => [operation, cause])).toEqual([
      ['snapshot', 'snapshot'],
      ['update', 'user'],
    ]);
    expect((changes[0]?.version ?? '') < (changes[1]?.version ?? '')).toBe(true);
  });
});

describe('what cannot be captured', () => {
  const poison: readonly (readonly [string, unknown])[] = [
    ['unknown-type', put('a', { poison: { X: '1' } })],
    ['bad-number', put('a', { poison: { N: '1'.repeat(39) } })],
    ['lone-surrogate', put('a', { poison: { S: '\ud800' } })],
    ['lone-surrogate', put('a', { 'poison\ud800': { S: 'x' } })],
    ['bad-binary', put('a', { poison: { B: '?' } })],
    ['too-deep', put('a', { poison: JSON.parse(`${'{"L":['.repeat(6000)}{"S":"x"}${']}'.repeat(6000)}`) as unknown })],
    ['key-type', streamRecord({ keys: { id: { N: '1' } }, image: { poison: { S: 'x' } } })],
    ['no-keys', streamRecord({ keys: {}, image: { poison: { S: 'x' } } })],
    ['other-table', streamRecord({ table: 'customers', image: { poison: { S: 'x' } } })],
    ['bad-sequence', put('a', { poison: { S: 'x' } }, 'one')],
    ['no-image', { ...streamRecord({}), dynamodb: { Keys: { id: { S: 'a' } }, SequenceNumber: '1' } }],
    ['not-a-record', 'text'],
    ['not-a-record', null],
    ['not-a-record', JSON.parse('[]')],
  ];

  it.each(poison)('%s is set aside whole with its place, and the rest of the batch goes on', async (kind, record) => {
    const capture = await opened();
    const batch = delivered(put('before', { total: { N: '1' } }), record, put('after', {}));
    const { changes, quarantined } = await capture.capture(batch, NOW_MILLIS);
    expect(changes.map((change) => change.key)).toEqual(['["before"]', '["after"]']);
    expect(quarantined).toHaveLength(1);
    const { raw = '', reason, ...rest } = quarantined[0] ?? {};
    expect(rest).toEqual({
      table: 'orders',
      kind,
      place: { kind: 'file', file: 'f', line: 2 },
      quarantinedAtMillis: NOW_MILLIS,
    });
    expect(reason).toMatch(/\.$/);
    if (kind !== 'too-deep') expect(JSON.parse(raw)).toEqual(record);
    else expect(raw.match(/"L":\[/g)).toHaveLength(6000);
    expect(columnsOf(capture)).toEqual(['id string', 'total decimal(38,9)']);
  });

  it('and what its source could not read, is set aside as the source told it', async () => {
    const place = { kind: 'file', file: 'f', line: 7 } as const;
    const unreadable: Delivered = {
      kind: 'unreadable',
      fault: 'truncated',
      reason: 'It ends early.',
      raw: '{"a',
      place,
    };
    const { changes, quarantined } = await (
      await opened()
    ).capture([unreadable, ...delivered(put('a', {}))], NOW_MILLIS);
    expect(changes).toHaveLength(1);
    expect(quarantined).toEqual([
      {
        table: 'orders',
        kind: 'truncated',
        reason: 'It ends early.',
        raw: '{"a',
        place,
        quarantinedAtMillis: NOW_MILLIS,
      },
    ]);
  });

  it('as text that is no JSON', async () => {
    const place = { kind: 'file', file: 'f', line: 1 } as const;
    const { quarantined } = await (await opened()).capture([{ kind: 'text', text: '{"a":', place }], NOW_MILLIS);
    expect(quarantined).toMatchObject([{ kind: 'not-json', raw: '{"a":', place }]);
  });

  it('every record is in one of the two, and the counts add up', async () => {
    const anyImage = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(anyAttributeValue, fc.constant({ X: 1 })));
    await fc.assert(
      fc.asyncProperty(fc.array(anyImage), async (images) => {
        const batch = delivered(...images.map((image, at) => put(`k${at}`, { ...image })));
        const { changes, quarantined } = await (await opened()).capture(batch, NOW_MILLIS);
        expect(changes.length + quarantined.length).toBe(images.length);
      }),
    );
  });
});

describe('columns of attributes that are new', () => {
  it('are added in the batch that brings them, and nothing of it is left in _rescued', async () => {
    const capture = await opened();
    const { changes, rescued, schema } = await capture.capture(
      delivered(put('a', { total: { N: '1.5' }, tags: { SS: ['b', 'a'] } })),
      NOW_MILLIS,
    );
    expect(columnsOf(capture)).toEqual(['id string', 'tags json', 'total decimal(38,9)']);
    expect(decodeRow(changes[0]?.row ?? '', schema)).toEqual({
      cells: ['a', '["a","b"]', 1_500_000_000n],
      rescued: null,
    });
    expect([rescued, schema.version, changes[0]?.schemaVersion]).toEqual([0, 2, 2]);
  });

  it('have a type that the order of the batch does not decide', async () => {
    const anyBatch = fc
      .array(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'A'), anyAttributeValue), { minLength: 1, maxLength: 6 })
      .chain((images) => fc.tuple(fc.constant(images), fc.shuffledSubarray(images, { minLength: images.length })));
    await fc.assert(
      fc.asyncProperty(anyBatch, async ([images, shuffled]) => {
        const [one, other] = [await opened(), await opened()];
        await one.capture(delivered(...images.map((image) => put('k', { ...image }))), NOW_MILLIS);
        await other.capture(delivered(...shuffled.map((image) => put('k', { ...image }))), NOW_MILLIS);
        expect(other.schema).toEqual(one.schema);
      }),
    );
  });

  it('are not made of a NULL, which says nothing', async () => {
    const capture = await opened();
    const { rescued } = await capture.capture(delivered(put('a', { nothing: { NULL: true } })), NOW_MILLIS);
    expect([columnsOf(capture), rescued]).toEqual([['id string'], 0]);
  });

  it('stop at the limit: what is beyond stands whole in _rescued', async () => {
    const capture = await Capture.open({ ...ORDERS, limits: { maxColumns: 3 } }, createMemorySchemaRegistry());
    const image = { d: { N: '4' }, b: { S: '2' }, a: { S: '1' }, c: { BOOL: true } };
    const { changes, rescued, schema } = await capture.capture(delivered(put('k', image)), NOW_MILLIS);
    expect(columnsOf(capture)).toEqual(['id string', 'a string', 'b string']);
    expect(decodeRow(changes[0]?.row ?? '', schema).rescued).toBe('{"c":{"BOOL":true},"d":{"N":"4"}}');
    expect(rescued).toBe(1);
    const again = await capture.capture(delivered(put('k', image, '2')), NOW_MILLIS);
    expect([again.rescued, again.schema.version]).toEqual([1, 2]);
  });
});

describe('a registry that others write to', () => {
  it('gives a second opening the schema that the first has made', async () => {
    const registry = createMemorySchemaRegistry();
    await (await opened(registry)).capture(delivered(put('a', { total: { N: '1' } })), NOW_MILLIS);
    expect(columnsOf(await opened(registry))).toEqual(['id string', 'total decimal(38,9)']);
  });

  it('is registered with once, by whoever is first of two that open at once', async () => {
    const registry = createMemorySchemaRegistry();
    const [one, two] = await Promise.all([opened(registry), opened(registry)]);
    expect(one.schema).toEqual(two.schema);
    expect(await registry.load('orders')).toEqual([one.schema]);
  });

  it('after a conflict is added to where the other left it', async () => {
    const registry = createMemorySchemaRegistry();
    const [one, two] = [await opened(registry), await opened(registry)];
    await one.capture(delivered(put('a', { mine: { S: 'x' }, both: { N: '1' } })), NOW_MILLIS);
    const { changes, rescued, schema } = await two.capture(
      delivered(put('b', { theirs: { S: 'y' }, both: { N: '2' } })),
      NOW_MILLIS,
    );
    expect(columnsOf(two)).toEqual(['id string', 'both decimal(38,9)', 'mine string', 'theirs string']);
    expect(decodeRow(changes[0]?.row ?? '', schema).cells).toEqual(['b', 2_000_000_000n, null, 'y']);
    expect(rescued).toBe(0);
    expect((await registry.load('orders')).map((stored) => stored.version)).toEqual([1, 2, 3]);
  });

  it.each<[readonly Fault[]]>([[['ok', 'conflict', 'conflict', 'ok']], [['ok', 'conflict']]])(
    'and that conflicts %j times is asked again',
    async (faults) => {
      const registry = new FaultyRegistry(createMemorySchemaRegistry(), faults);
      const capture = await opened(registry);
      const { rescued } = await capture.capture(delivered(put('a', { total: { N: '1' } })), NOW_MILLIS);
      expect([columnsOf(capture), rescued]).toEqual([['id string', 'total decimal(38,9)'], 0]);
    },
  );

  it('that cannot be reached stops the batch: no change is kept that its schema does not have', async () => {
    const registry = new FaultyRegistry(createMemorySchemaRegistry(), ['ok', 'refuse', 'lose-reply', 'ok']);
    const capture = await opened(registry);
    const batch = delivered(put('a', { total: { N: '1' } }));
    await expect(capture.capture(batch, NOW_MILLIS)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(capture.capture(batch, NOW_MILLIS)).rejects.toMatchObject({ code: 'unavailable' });
    // The second was saved all the same: the third finds it by its conflict.
    expect((await capture.capture(batch, NOW_MILLIS)).rescued).toBe(0);
    expect(columnsOf(capture)).toEqual(['id string', 'total decimal(38,9)']);
  });

  it('that is asked by two batches at once never takes the schema back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const memory = createMemorySchemaRegistry();
        await opened(memory);
        const capture = await opened({
          load: (table) => memory.load(table),
          // It is saved at once, and the answer comes in any order.
          save: (table, schema) => memory.save(table, schema).then(() => scheduler.schedule(Promise.resolve())),
        });
        const batches = ['a', 'b', 'c'].map((name) =>
          capture.capture(delivered(put(name, { [name]: { S: 'x' } })), NOW_MILLIS),
        );
        await scheduler.waitFor(Promise.all(batches));
        const captured = await Promise.all(batches);
        expect(capture.schema).toEqual((await memory.load('orders')).at(-1));
        expect(captured.map((one) => one.rescued)).toEqual([0, 0, 0]);
        for (const one of captured)
          expect(one.schema.version).toBeGreaterThanOrEqual(one.changes[0]?.schemaVersion ?? 99);
      }),
    );
  });
});

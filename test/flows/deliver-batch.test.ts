import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryQuarantine } from '../../adapters/memory/quarantine.ts';
import { createMemorySchemaRegistry } from '../../adapters/memory/schema-registry.ts';
import { createMemoryLog, createMemoryMetrics } from '../../adapters/memory/telemetry.ts';
import { parseEnvelopeLine } from '../../core/envelope.ts';
import { NESTED, PLAIN } from '../../core/json-text.ts';
import { materialize } from '../../core/merge.ts';
import type { OversizedValue } from '../../core/oversize.ts';
import { Capture } from '../../flows/capture.ts';
import type { DeliverBatchParts } from '../../flows/deliver-batch.ts';
import { deliverBatch, spanOfRecords } from '../../flows/deliver-batch.ts';
import { rowStyleFor } from '../../flows/deliver-changes.ts';
import { openCapture } from '../../flows/open-capture.ts';
import type { SchemaRegistry } from '../../flows/ports.ts';
import type { Happening } from '../support/changes.ts';
import { changeOf, recordOf, sequenceNumber } from '../support/changes.ts';
import { schemaOf, streamRecord } from '../support/dynamodb.ts';
import { FaultyQuarantine } from '../support/faulty-ports.ts';
import type { MemoryDelivery, PutScript } from '../support/memory-delivery.ts';
import { createMemoryDelivery, parseStagedLine } from '../support/memory-delivery.ts';
import { NOW_MILLIS, ORDERS } from '../support/mirror.ts';

interface Setting {
  readonly lakehouse?: PutScript | null;
  readonly warehouse?: PutScript | null;
  readonly longestLine?: number;
  readonly registry?: SchemaRegistry;
}

/** What delivers batches, all of it in memory. */
async function deliverer(setting: Setting = {}) {
  const stream = (script: PutScript | null = []): MemoryDelivery | null =>
    script === null ? null : createMemoryDelivery(setting.longestLine, script);
  const lakehouse = stream(setting.lakehouse);
  const warehouse = stream(setting.warehouse);
  const registry = setting.registry ?? createMemorySchemaRegistry();
  const { schema } = await Capture.open(ORDERS, registry);
  const objects = new Map<string, Uint8Array>();
  const oversized = {
    bucket: 'control',
    put: (values: readonly OversizedValue[]) => {
      for (const { key, content } of values) objects.set(key, content);
      return Promise.resolve();
    },
  };
  const parts = {
    table: 'orders',
    capture: Capture.of(ORDERS, registry, schema, rowStyleFor({ warehouse })),
    lakehouse,
    warehouse,
    oversized,
    quarantine: createMemoryQuarantine(),
    metrics: createMemoryMetrics(),
    log: createMemoryLog(),
    nowMillis: () => NOW_MILLIS,
  } satisfies DeliverBatchParts;
  return { ...parts, objects, deliver: (records: readonly unknown[]) => deliverBatch(parts, records, NOW_MILLIS + 1) };
}

function put(id: string, at: number, image: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return recordOf({ id, at, image });
}

const POISON = streamRecord({ keys: {}, sequence: sequenceNumber(3) });

function startAgainAt(at: number) {
  return { batchItemFailures: [{ itemIdentifier: sequenceNumber(at) }] };
}

describe('a batch that is delivered', () => {
  it('goes to both targets, each in its form, and nothing comes again', async () => {
    const { deliver, lakehouse, warehouse, metrics } = await deliverer();
    const record = put('a', 1, { note: { S: 'say "hi"' }, total: { N: '1.50' } });
    expect(await deliver([record, recordOf({ id: 'b', at: 2 })])).toEqual({ batchItemFailures: [] });
    const inLake = (lakehouse?.taken ?? []).map(parseEnvelopeLine);
    expect(inLake.map(({ row }) => row)).toEqual(['{"id":"a","note":"say \\"hi\\"","total":1.5}', null]);
    expect((warehouse?.taken ?? []).map(parseStagedLine)).toEqual(inLake);
    expect(warehouse?.taken[0]).toContain('"_row":{"id":"a","note":"say \\"hi\\"","total":1.5}');
    expect(metrics.total('CapturedChanges', { table: 'orders' })).toBe(2);
    expect(metrics.values('CaptureLag')).toEqual([NOW_MILLIS - 1_790_000_000_000]);
  });

  it.each([
    ['the lakehouse alone', { warehouse: null }, NESTED],
    ['the warehouse alone', { lakehouse: null }, PLAIN],
  ])('goes to %s', async (_, setting, style) => {
    const { deliver, lakehouse, warehouse, capture } = await deliverer(setting);
    await deliver([put('a', 1, { note: { S: '\\"\u0001ü' } })]);
    const rows = [...(lakehouse?.taken ?? []).map(parseEnvelopeLine), ...(warehouse?.taken ?? []).map(parseStagedLine)];
    expect(rows.map(({ row }) => row)).toEqual(['{"id":"a","note":"\\\\\\"\\u0001ü"}']);
    expect(capture.style).toBe(style);
  });

  it('of no records is nothing', async () => {
    const { deliver, lakehouse } = await deliverer();
    expect(await deliver([])).toEqual({ batchItemFailures: [] });
    expect(lakehouse?.taken).toEqual([]);
  });
});

describe('a batch that is not taken whole', () => {
  const records = [put('a', 1), put('b', 2), POISON, put('c', 4), put('d', 5)];

  it.each<[string, Setting, number, number, number]>([
    ['a change that the lakehouse lacks', { lakehouse: [(line) => line === 2] }, 4, 2, 1],
    ['a change that the warehouse lacks', { warehouse: [(line) => line === 1] }, 2, 1, 0],
    [
      'the first of those that either lacks',
      { lakehouse: [(line) => line > 2], warehouse: [(line) => line === 2] },
      4,
      2,
      1,
    ],
    ['the first change', { lakehouse: [() => true] }, 1, 0, 0],
  ])('comes again from %s', async (_, setting, from, changes, quarantined) => {
    const { deliver, metrics } = await deliverer(setting);
    expect(await deliver(records)).toEqual(startAgainAt(from));
    expect(metrics.total('CapturedChanges')).toBe(changes);
    expect(metrics.total('QuarantinedRecords')).toBe(quarantined);
    // What came again is counted when it is taken: each once.
    const rest = records.slice(records.findIndex((record) => sequenceOf(record) === sequenceNumber(from)));
    expect(await deliver(rest)).toEqual({ batchItemFailures: [] });
    expect(metrics.total('CapturedChanges')).toBe(4);
    expect(metrics.total('QuarantinedRecords')).toBe(1);
  });

  it('comes again whole where a stream cannot be put to', async () => {
    const { deliver } = await deliverer({ warehouse: ['fail'] });
    await expect(deliver(records)).rejects.toThrow('refused (scripted)');
  });

  it('is not delivered where its poison cannot be set aside', async () => {
    const parts = await deliverer();
    const quarantine = new FaultyQuarantine(parts.quarantine, ['refuse']);
    await expect(deliverBatch({ ...parts, quarantine }, records, 0)).rejects.toMatchObject({ code: 'unavailable' });
    expect(parts.lakehouse?.taken).toEqual([]);
  });
});

function sequenceOf(record: Record<string, unknown>): unknown {
  return (record.dynamodb as Record<string, unknown>).SequenceNumber;
}

describe('poison in a batch', () => {
  it('is set aside with its place, and the rest is delivered', async () => {
    const { deliver, quarantine, lakehouse } = await deliverer();
    expect(await deliver([null, put('a', 1), POISON, 'text'])).toEqual({ batchItemFailures: [] });
    expect(lakehouse?.taken).toHaveLength(1);
    expect(quarantine.all().map(({ kind, place }) => [kind, place])).toEqual([
      ['not-a-record', { kind: 'stream', shardId: '', sequenceNumber: '' }],
      ['no-keys', { kind: 'stream', shardId: '', sequenceNumber: sequenceNumber(3) }],
      ['not-a-record', { kind: 'stream', shardId: '', sequenceNumber: '' }],
    ]);
  });
});

describe('a row that no record holds', () => {
  const note = 'n'.repeat(5000);
  const sha256 = createHash('sha256').update(note).digest('hex');

  it('leaves its largest value in an object of its own, for both targets alike', async () => {
    const { deliver, objects, lakehouse, warehouse, metrics } = await deliverer({ longestLine: 2000 });
    await deliver([put('a', 1, { note: { S: note }, total: { N: '2' } }), put('b', 2)]);
    const [large, small] = (lakehouse?.taken ?? []).map(parseEnvelopeLine);
    const pointer = { bytes: 5000, sha256, s3: `s3://control/oversized/orders/${sha256}` };
    expect(JSON.parse(large?.row ?? '')).toEqual({ id: 'a', note: null, total: 2, _rescued: { note: pointer } });
    expect(small?.row).toBe('{"id":"b"}');
    expect((warehouse?.taken ?? []).map(parseStagedLine)).toEqual([large, small]);
    expect(Buffer.from(objects.get(`oversized/orders/${sha256}`) ?? []).toString()).toBe(note);
    expect(metrics.total('OversizedValues')).toBe(1);
  });

  it('does so where rows are made for the lakehouse alone, too', async () => {
    const { deliver, objects, lakehouse } = await deliverer({ longestLine: 2000, warehouse: null });
    await deliver([put('a', 1, { note: { S: note } })]);
    expect(objects.size).toBe(1);
    expect(Buffer.byteLength(lakehouse?.taken[0] ?? '')).toBeLessThanOrEqual(2000);
  });

  it('is not sent before the object is there', async () => {
    const parts = await deliverer({ longestLine: 2000 });
    const oversized = { bucket: 'control', put: () => Promise.reject(new Error('no bucket')) };
    const records = [put('a', 1, { note: { S: note } })];
    await expect(deliverBatch({ ...parts, oversized }, records, 0)).rejects.toThrow('no bucket');
    expect(parts.lakehouse?.taken).toEqual([]);
  });
});

describe('a key whose sequence number does not rise', () => {
  it('is counted and named by its hash, and delivered all the same', async () => {
    const { deliver, metrics, log, lakehouse } = await deliverer();
    await deliver([put('a', 5), put('b', 1), put('a', 4), put('a', 6), put('a', 6)]);
    expect(metrics.total('StaleSequences')).toBe(2);
    expect(lakehouse?.taken).toHaveLength(5);
    const warnings = log.lines.filter(({ level }) => level === 'warn');
    expect(
      warnings.map(({ fields }) => [fields.before, fields.after].map((version) => String(version).slice(-1))),
    ).toEqual([
      ['5', '4'],
      ['6', '6'],
    ]);
    expect(JSON.stringify(log.lines)).not.toContain('"a"');
  });

  it('is zero for ordinary batches', async () => {
    const { deliver, metrics, log } = await deliverer();
    await deliver([put('a', 1), put('b', 2), put('a', 3)]);
    expect(metrics.values('StaleSequences')).toEqual([0]);
    expect(log.lines.map(({ level }) => level)).toEqual(['info']);
  });
});

describe('opening capture of a deployed table', () => {
  const table = { table: 'orders', sourceTable: 'orders', limits: { maxColumns: 500 } };

  it('takes the key from the schema that is registered', async () => {
    const schema = schemaOf({}, [
      { attribute: 'customer', type: 'S' },
      { attribute: 'n', type: 'N' },
    ]);
    const registry = { ...createMemorySchemaRegistry(), newest: () => Promise.resolve(schema) };
    const capture = await openCapture(table, registry, NESTED);
    const record = streamRecord({ keys: { customer: { S: 'c' }, n: { N: '7' } } });
    const place = { kind: 'file', file: 'f', line: 1 } as const;
    const { changes } = await capture.capture([{ kind: 'record', record, place }], NOW_MILLIS);
    expect(changes[0]?.key).toBe('["c",7]');
    expect(changes[0]?.row).toBe('{\\"customer\\":\\"c\\",\\"n\\":7}');
  });

  it('says what to do where none is', async () => {
    const registry = { ...createMemorySchemaRegistry(), newest: () => Promise.resolve(null) };
    await expect(openCapture(table, registry, PLAIN)).rejects.toThrow(
      'The table orders has no schema in the control table. The deployment registers it: run `cdk deploy` again.',
    );
  });
});

it('log lines name the sequence numbers of the event', () => {
  expect(spanOfRecords({ Records: [put('a', 1), put('b', 9)] })).toEqual({
    records: 2,
    firstSequence: sequenceNumber(1),
    lastSequence: sequenceNumber(9),
  });
  expect(spanOfRecords({ Records: [] })).toEqual({ records: 0, firstSequence: '', lastSequence: '' });
});

describe('whatever fails, and however often a batch comes again', () => {
  const image = fc.oneof(
    fc.constant(undefined),
    fc.record({ total: fc.nat(99).map((n) => ({ N: `${n}` })) }),
    fc.record({ note: fc.string({ unit: 'binary', maxLength: 900 }).map((S) => ({ S })) }),
  );
  const history = fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c'), image }), { minLength: 1, maxLength: 30 });
  const fault = fc.oneof(
    fc.constantFrom('fail' as const, 'fail-after' as const),
    fc.nat(6).map((from) => (line: number) => line >= from),
    fc.nat(6).map((at) => (line: number) => line % 7 === at),
    fc.constant(() => false),
  );
  const script = fc.array(fault, { maxLength: 10 });

  it('both targets end equal to the source, with nothing lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.integer({ min: 1, max: 12 }),
        script,
        script,
        async (steps, size, lake, warehouse) => {
          const happenings = steps.map(({ id, image: after }, at): Happening =>
            after === undefined ? { id, at: at + 1 } : { id, at: at + 1, image: after },
          );
          const mirror = await deliverer({ lakehouse: lake, warehouse, longestLine: 700 });
          await playStream(happenings.map(recordOf), size, mirror.deliver);
          const expected = materialize(happenings.map((one) => changeOf(one, mirror.capture.schema)));
          const inLake = (mirror.lakehouse?.taken ?? []).map(parseEnvelopeLine);
          const inWarehouse = (mirror.warehouse?.taken ?? []).map(parseStagedLine);
          for (const changes of [inLake, inWarehouse]) {
            const rows = materialize(changes);
            expect([...rows.keys()].sort()).toEqual([...expected.keys()].sort());
            for (const [keyHash, { version, row }] of rows) {
              expect(version).toBe(expected.get(keyHash)?.version);
              if (!row?.includes('"s3":')) expect(row).toBe(withoutNul(expected.get(keyHash)?.row ?? '') ?? row);
            }
          }
        },
      ),
    );
  });
});

/** Redshift takes no NUL, and what has one is shaped: only that it is there is looked at here. */
function withoutNul(row: string): string | null {
  return row.includes('\\u0000') ? null : row;
}

/** Lambda's way with a shard: batches in order, each until it is done; a failed one again from the record that is named. */
async function playStream(
  records: readonly Record<string, unknown>[],
  size: number,
  deliver: (batch: readonly unknown[]) => ReturnType<typeof deliverBatch>,
): Promise<void> {
  let from = 0;
  while (from < records.length) {
    const batch = records.slice(from, from + size);
    const response = await deliver(batch).catch(() => null);
    if (response === null) continue;
    const failed = response.batchItemFailures[0]?.itemIdentifier;
    from += failed === undefined ? batch.length : batch.findIndex((record) => sequenceOf(record) === failed);
  }
}

describe('a batch of many records', () => {
  it('is delivered in parts, of which each record is in one', async () => {
    const { deliver, lakehouse, warehouse, metrics } = await deliverer();
    const records = Array.from({ length: 1203 }, (_, at) => put(`k${at}`, at + 1));
    records.splice(700, 0, POISON);
    expect(await deliver(records)).toEqual({ batchItemFailures: [] });
    const keys = records.filter((record) => record !== POISON).map((_, at) => `["k${at}"]`);
    expect((lakehouse?.taken ?? []).map((line) => parseEnvelopeLine(line).key).sort()).toEqual([...keys].sort());
    expect(warehouse?.taken).toHaveLength(1203);
    expect([metrics.total('CapturedChanges'), metrics.total('QuarantinedRecords')]).toEqual([1203, 1]);
  });

  it('comes again from the first record that is lacking, in whichever part it is', async () => {
    const records = Array.from({ length: 1203 }, (_, at) => put(`k${at}`, at + 1));
    records.splice(100, 0, POISON);
    const { deliver } = await deliverer({ lakehouse: [() => false, (line) => line === 20] });
    expect(await deliver(records)).toEqual(startAgainAt(1020));
  });

  it('fails whole where a part of it fails, and only after every part has come to its end', async () => {
    const records = Array.from({ length: 1203 }, (_, at) => put(`k${at}`, at + 1));
    const { deliver, lakehouse } = await deliverer({ lakehouse: [() => false, 'fail'] });
    await expect(deliver(records)).rejects.toThrow('refused (scripted)');
    expect(lakehouse?.taken).toHaveLength(1000);
  });

  it('gives a new column the type that all its values have, in whichever part they are', async () => {
    const records = Array.from({ length: 1203 }, (_, at) =>
      put(`k${at}`, at + 1, { code: at < 1100 ? { N: '1' } : { S: 'x' } }),
    );
    const { deliver, capture, lakehouse } = await deliverer();
    await deliver(records);
    expect(capture.schema.columns.map(({ name, type }) => [name, type.kind])).toEqual([
      ['id', 'string'],
      ['code', 'string'],
    ]);
    expect(lakehouse?.taken.filter((line) => line.includes('_rescued'))).toEqual([]);
  });
});

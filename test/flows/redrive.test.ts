import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryQuarantine } from '../../adapters/memory/quarantine.ts';
import { createMemorySchemaRegistry } from '../../adapters/memory/schema-registry.ts';
import type { Envelope } from '../../core/envelope.ts';
import { envelopeLine, parseEnvelopeLine } from '../../core/envelope.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { RedriveInput, RedrivePage } from '../../core/redrive-page.ts';
import { addReports, emptyReport } from '../../core/redrive-page.ts';
import { stagedLine } from '../../core/sql/staged-line.ts';
import { Capture } from '../../flows/capture.ts';
import type { QuarantineEntry } from '../../flows/ports.ts';
import { redrivePage } from '../../flows/redrive.ts';
import type { RedriveParts } from '../../flows/redrive-ports.ts';
import { changeOf, recordOf } from '../support/changes.ts';
import { schemaOf, streamRecord } from '../support/dynamodb.ts';
import { createMemoryShelf } from '../support/memory-shelf.ts';
import { NOW_MILLIS, ORDERS } from '../support/mirror.ts';

const NOTE = { table: 'orders', sourceTable: 'orders', maxColumns: 500 };
const INPUT: RedriveInput = { tables: [NOTE], cursor: null };
const QUARANTINED = 'quarantine/orders/2026-11-22/a.ndjson';
const CHANGE = changeOf({ id: 'a', at: 1, image: { note: { S: 'x' } } }, schemaOf());

/** Everything that a page works with, in memory, and what came out of it. */
function setUp() {
  const delivered: Envelope[] = [];
  const put: { readonly target: string; readonly line: string }[] = [];
  const counted: number[] = [];
  const registry = createMemorySchemaRegistry();
  const quarantine = createMemoryQuarantine();
  const shelves = {
    control: createMemoryShelf('control'),
    lake: createMemoryShelf('lake'),
    staging: createMemoryShelf('staging'),
  };
  const parts: RedriveParts = {
    ...shelves,
    quarantine,
    deadLetters: null,
    openTable: async () => ({
      capture: await Capture.open(ORDERS, registry),
      deliver: (changes) => Promise.resolve(void delivered.push(...changes)),
      putLines: (target, lines) => Promise.resolve(void put.push(...lines.map((line) => ({ target, line })))),
    }),
    readEnvelopes: (bytes) => Promise.resolve([parseEnvelopeLine(Buffer.from(bytes).toString())]),
    metrics: { add: (_name, value) => void counted.push(value) },
    nowMillis: () => NOW_MILLIS,
    hasTime: () => true,
  };
  return { ...shelves, delivered, put, counted, quarantine, parts };
}

let at: ReturnType<typeof setUp>;
beforeEach(() => {
  at = setUp();
});

function entryOf(record: unknown, more: Partial<QuarantineEntry> = {}): QuarantineEntry {
  const raw = JSON.stringify(record);
  const place = { kind: 'stream', shardId: 's', sequenceNumber: raw.slice(0, 30) } as const;
  return { table: 'orders', kind: 'key-type', reason: 'was refused', place, raw, quarantinedAtMillis: 1, ...more };
}

const linesOf = (entries: readonly QuarantineEntry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
const errorLine = (data: string): string =>
  JSON.stringify({ errorCode: 'x', rawData: Buffer.from(data).toString('base64') });

describe('quarantine', () => {
  it('what is accepted now goes on with its own version, what is not stays', async () => {
    const good = entryOf(recordOf({ id: 'a', at: 7 }));
    const bad = entryOf(streamRecord({ keys: { id: { N: '1' } } }));
    at.control.objects.set(QUARANTINED, linesOf([good, bad]));
    const page = await redrivePage(at.parts, INPUT);
    expect(page.counts.quarantine).toEqual({ found: 1, redriven: 1, refused: 1, unknown: 0 });
    expect(at.delivered).toMatchObject([
      {
        key: '["a"]',
        cause: 'redrive',
        operation: 'delete',
        version: changeOf({ id: 'a', at: 7 }, schemaOf()).version,
      },
    ]);
    expect(at.control.objects.get(QUARANTINED)).toBe(linesOf([bad]));
    expect(at.control.objects.get(`redriven/${QUARANTINED}`)).toBe(linesOf([good, bad]));
  });

  it('an object of which all is accepted is gone, and one of which nothing is stays as it is', async () => {
    const other = 'quarantine/orders/2026-11-22/b.ndjson';
    at.control.objects.set(QUARANTINED, linesOf([entryOf(recordOf({ id: 'a', at: 7 }))]));
    at.control.objects.set(other, linesOf([entryOf({ hello: 1 })]));
    await redrivePage(at.parts, INPUT);
    expect(at.control.left()).toEqual([other]);
    expect([...at.control.objects.keys()]).toHaveLength(2);
  });

  it('that a delete was by TTL stays known', async () => {
    const record = {
      ...recordOf({ id: 'a', at: 7 }),
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    };
    at.control.objects.set(QUARANTINED, linesOf([entryOf(record)]));
    await redrivePage(at.parts, INPUT);
    expect(at.delivered.map((change) => change.cause)).toEqual(['ttl']);
  });

  it('items of a snapshot stay: their entry does not say of which', async () => {
    at.control.objects.set(
      QUARANTINED,
      linesOf([entryOf({ id: { S: 'a' } }, { place: { kind: 'scan', table: 'orders' } })]),
    );
    expect((await redrivePage(at.parts, INPUT)).counts.quarantine).toEqual({
      found: 1,
      redriven: 0,
      refused: 1,
      unknown: 0,
    });
  });

  it('lines that are no entries, and tables that the mirror lacks, stay and are told', async () => {
    at.control.objects.set(QUARANTINED, 'not ours\n');
    at.control.objects.set('quarantine/others/a.ndjson', linesOf([entryOf({})]));
    const { counts, notes } = await redrivePage(at.parts, INPUT);
    expect(counts.quarantine).toEqual({ found: 2, redriven: 0, refused: 0, unknown: 2 });
    expect(notes).toEqual([
      `${QUARANTINED}: 1 of its lines are no entries of quarantine. They stay.`,
      'quarantine/others/a.ndjson: the mirror has no table others, or nothing of it was captured yet. The object stays.',
    ]);
    expect(at.control.left()).toHaveLength(2);
  });
});

describe('failed batches', () => {
  const key = 'aws/lambda/91eaeb7e/shardId-1/2026/11/22/a';
  const batch = (records: readonly unknown[]) =>
    JSON.stringify({
      DDBStreamBatchInfo: { shardId: 'shardId-1', streamArn: streamRecord({}).eventSourceARN },
      payload: JSON.stringify({ Records: records }),
    });

  it('are captured as they would have been: what is refused goes to quarantine', async () => {
    at.control.objects.set(key, batch([recordOf({ id: 'a', at: 1 }), streamRecord({ keys: { id: { N: '1' } } })]));
    const { counts } = await redrivePage(at.parts, INPUT);
    // Quarantine in memory is not in the bucket, so the page does not meet it again.
    expect(counts['failed-batches']).toEqual({ found: 1, redriven: 1, refused: 1, unknown: 0 });
    expect(at.delivered).toMatchObject([{ key: '["a"]', cause: 'user' }]);
    expect(at.quarantine.all()).toMatchObject([
      { kind: 'key-type', place: { kind: 'stream', shardId: 'shardId-1', sequenceNumber: '100000000000000000001' } },
    ]);
    expect(at.control.left()).toEqual([]);
  });

  it('of another table stay, as do pointers without payload', async () => {
    at.control.objects.set(key, batch([streamRecord({})]).replaceAll('table/orders', 'table/others'));
    at.control.objects.set(`${key}b`, '{"DDBStreamBatchInfo":{}}');
    const { counts } = await redrivePage(at.parts, INPUT);
    expect(counts['failed-batches']).toEqual({ found: 2, redriven: 0, refused: 0, unknown: 2 });
    expect(at.control.left()).toHaveLength(2);
  });

  it('come again after a lost reply, which repeats changes and loses none', async () => {
    at.control.objects.set(key, batch([recordOf({ id: 'a', at: 1 })]));
    at.control.failSettling(1);
    await expect(redrivePage(at.parts, INPUT)).rejects.toThrow('the reply was lost');
    const { counts } = await redrivePage(at.parts, INPUT);
    expect(counts['failed-batches'].found).toBe(0);
    expect(at.delivered).toHaveLength(1);
  });

  it('that cannot be delivered stay', async () => {
    at.control.objects.set(key, batch([recordOf({ id: 'a', at: 1 })]));
    const openTable: RedriveParts['openTable'] = async (note) => {
      const table = await at.parts.openTable(note);
      return table && { ...table, deliver: () => Promise.reject(new GlasshouseError('throttled', 'no more')) };
    };
    await expect(redrivePage({ ...at.parts, openTable }, INPUT)).rejects.toThrow('no more');
    expect(at.control.left()).toEqual([key]);
  });
});

describe('errors of Firehose', () => {
  const key = 'errors/orders/iceberg-failed/2026/11/22/10/a';
  const restamped = envelopeLine({ ...CHANGE, capturedAtMicros: NOW_MILLIS * 1000 });

  it('records are put to the changelog again with the time of now', async () => {
    at.lake.objects.set(key, `${errorLine(envelopeLine(CHANGE))}\n`);
    const { counts } = await redrivePage(at.parts, INPUT);
    expect(counts['lakehouse-errors']).toEqual({ found: 1, redriven: 1, refused: 0, unknown: 0 });
    expect(at.put).toEqual([{ target: 'lakehouse', line: restamped }]);
    expect(at.lake.left()).toEqual([]);
  });

  it('staged records are put to staging again, every line of them', async () => {
    const line = stagedLine(CHANGE, schemaOf());
    at.staging.objects.set(key, errorLine(`${line}\n${line}\n`));
    const { counts } = await redrivePage(at.parts, INPUT);
    expect(counts['staging-errors'].redriven).toBe(2);
    expect(at.put.map(({ target }) => target)).toEqual(['warehouse', 'warehouse']);
  });

  it('the rows of files that are in no snapshot are put again', async () => {
    const file = 'tables/orders__changes/data/a.parquet';
    at.lake.objects.set(file, envelopeLine(CHANGE));
    at.lake.objects.set(key, JSON.stringify({ dataFileKeys: [`s3://lake/${file}`] }));
    const { counts } = await redrivePage(at.parts, INPUT);
    expect(counts['lakehouse-errors']).toEqual({ found: 1, redriven: 1, refused: 0, unknown: 0 });
    expect(at.put).toEqual([{ target: 'lakehouse', line: restamped }]);
    expect(at.lake.left()).toEqual([file]);
  });

  it.each([
    ['that are gone', 's3://lake/tables/orders__changes/data/gone.parquet', 'is gone'],
    ['of another bucket', 's3://other/tables/orders__changes/data/a.parquet', "not of this mirror's tables"],
  ])('files %s are told, and stay named', async (_, url, told) => {
    at.lake.objects.set(key, `{"file":"${url}"}\n${errorLine(envelopeLine(CHANGE))}`);
    const { counts, notes } = await redrivePage(at.parts, INPUT);
    expect(counts['lakehouse-errors']).toEqual({ found: 1, redriven: 1, refused: 0, unknown: 1 });
    expect(notes.join()).toContain(told);
    expect(at.lake.objects.get(key)).toBe(`{"file":"${url}"}\n`);
    const again = await redrivePage(at.parts, INPUT);
    expect(again.counts['lakehouse-errors']).toEqual({ found: 1, redriven: 0, refused: 0, unknown: 1 });
  });

  it('a file that is no Parquet is told; any other failure is thrown', async () => {
    at.lake.objects.set('tables/x.parquet', 'x');
    at.lake.objects.set(key, 's3://lake/tables/x.parquet');
    const failing = (code: 'corrupt' | 'unavailable') => ({
      ...at.parts,
      readEnvelopes: () => Promise.reject(new GlasshouseError(code, 'cannot')),
    });
    expect((await redrivePage(failing('corrupt'), INPUT)).counts['lakehouse-errors'].unknown).toBe(1);
    await expect(redrivePage(failing('unavailable'), INPUT)).rejects.toThrow('cannot');
  });

  it('what is neither stays, and what was put is not put again', async () => {
    at.lake.objects.set(key, `a riddle\n${errorLine(envelopeLine(CHANGE))}\n${errorLine('{"not":"ours"}')}`);
    await redrivePage(at.parts, INPUT);
    await redrivePage(at.parts, INPUT);
    expect(at.put).toHaveLength(1);
    expect(at.lake.objects.get(key)).toBe(
      `a riddle\n{"rawData":"${Buffer.from('{"not":"ours"}').toString('base64')}"}\n`,
    );
  });
});

describe('pages', () => {
  it('end when the time does, and go on where they ended', async () => {
    for (let index = 0; index < 8; index++) {
      at.lake.objects.set(`errors/orders/${index}`, index % 2 === 0 ? 'a riddle' : errorLine(envelopeLine(CHANGE)));
    }
    let total = emptyReport();
    let pages = 0;
    for (let cursor: RedrivePage['cursor'] | undefined; cursor !== null; pages++) {
      const page: RedrivePage = await redrivePage(
        { ...at.parts, hasTime: () => false },
        { tables: [NOTE], cursor: cursor ?? null },
      );
      total = addReports(total, page.counts);
      cursor = page.cursor;
    }
    expect(pages).toBe(9);
    expect(total['lakehouse-errors']).toEqual({ found: 8, redriven: 4, refused: 0, unknown: 4 });
  });

  it('send dead letters back until there are none', async () => {
    const letters = [10, 10, 3, 0];
    const deadLetters = {
      sendBack: () => {
        const found = letters.shift() ?? 0;
        return Promise.resolve({ found, sent: Math.max(0, found - 1) });
      },
    };
    const { counts } = await redrivePage({ ...at.parts, deadLetters }, INPUT);
    expect(counts['dead-letters']).toEqual({ found: 23, redriven: 20, refused: 3, unknown: 0 });
  });

  it('have nothing to do where a mirror has but one target', async () => {
    const page = await redrivePage({ ...at.parts, lake: null, staging: null }, INPUT);
    expect(page).toEqual({ counts: emptyReport(), notes: [], cursor: null });
  });
});

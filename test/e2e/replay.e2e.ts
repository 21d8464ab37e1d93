import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateChangeLines } from '../../bench/records.ts';
import { createRandom } from '../../local/shop/random.ts';
import { streamRecord } from '../support/dynamodb.ts';
import type { Outcome } from './glasshouse-process.ts';
import { glasshouse, temporaryFolder } from './glasshouse-process.ts';

let folder = '';

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Summary {
  readonly tables: readonly {
    readonly records: number;
    readonly changes: number;
    readonly rows: Readonly<Record<string, number>>;
    readonly quarantined: Readonly<Record<string, number>>;
  }[];
}

function summaryOf(outcome: Outcome): Summary['tables'][number] {
  const table = (JSON.parse(outcome.stdout) as Summary).tables[0];
  if (table === undefined) throw new Error(`No table in ${outcome.stdout}${outcome.stderr}`);
  return table;
}

const ALL = 'select * from orders order by customer_id, order_id';

async function contentOf(dir: string): Promise<readonly string[]> {
  const lakehouse = await glasshouse(['query', ALL, '--dir', dir, '--json'], folder);
  const live = await glasshouse(['query', ALL.replace('orders', 'orders_live'), '--dir', dir, '--json'], folder);
  const warehouse = await glasshouse(['query', ALL, '--target', 'warehouse', '--dir', dir, '--json'], folder);
  expect([lakehouse.status, live.status, warehouse.status]).toEqual([0, 0, 0]);
  return [lakehouse.stdout, live.stdout, warehouse.stdout];
}

async function replayInto(dir: string, files: readonly string[], input?: string): Promise<Outcome> {
  const words = ['replay', ...files, '--table', 'Orders', '--key', 'customer_id,order_id', '--dir', dir, '--json'];
  return glasshouse(words, folder, input);
}

describe('a replay', () => {
  it('gives byte-equal results in order, shuffled, twice, in parts and as events', async () => {
    const lines = [...generateChangeLines({ changes: 3000, keys: 400, seed: 5 })];
    const shuffled = [...lines];
    const random = createRandom(9);
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j] ?? '', shuffled[i] ?? ''];
    }
    const text = (some: readonly string[]): string => some.map((line) => line.trimEnd()).join('\n');
    await writeFile(join(folder, 'plain.ndjson'), text(lines));
    await writeFile(join(folder, 'shuffled.ndjson.gz'), gzipSync(text(shuffled)));
    const event = (some: readonly string[]): string => `{"Records": [${some.join(',')}]}`;
    await writeFile(join(folder, 'event.json'), JSON.stringify(JSON.parse(event(shuffled.slice(0, 900))), null, 2));
    await writeFile(
      join(folder, 'events.ndjson'),
      `${event(shuffled.slice(800, 2000))}\n${event(shuffled.slice(2000))}\n`,
    );

    const plain = summaryOf(await replayInto('plain', ['plain.ndjson']));
    expect(plain).toMatchObject({ records: 3000, changes: 3000, quarantined: {} });
    expect(plain.rows.lakehouse).toBe(plain.rows.warehouse);
    const expected = await contentOf('plain');

    await replayInto('shuffled', ['shuffled.ndjson.gz']);
    expect(await contentOf('shuffled')).toEqual(expected);
    await replayInto('plain', ['shuffled.ndjson.gz']);
    expect(await contentOf('plain')).toEqual(expected);
    await replayInto('parts', ['-'], text(shuffled.slice(0, 1500)));
    const rest = await replayInto('parts', ['event.json', 'events.ndjson']);
    expect(summaryOf(rest)).toMatchObject({ records: 3100, quarantined: {} });
    expect(await contentOf('parts')).toEqual(expected);
  }, 180_000);

  it('sets every kind of bad input aside with its reason and its place, and stops for none', async () => {
    const keys = { customer_id: { S: 'c' }, order_id: { S: 'o' } };
    const good = (sequence: string): string => JSON.stringify(streamRecord({ table: 'Orders', keys, sequence }));
    const bad: readonly [kind: string, line: string][] = [
      ['not-json', '{"eventID": "1", "dynamodb": {'],
      ['not-json', 'hello'],
      ['not-a-record', '42'],
      ['no-keys', good('2').replace('"Keys"', '"Key"')],
      ['key-type', JSON.stringify(streamRecord({ table: 'Orders', keys: { ...keys, order_id: { N: '1' } } }))],
      ['unknown-type', JSON.stringify(streamRecord({ table: 'Orders', keys, image: { what: { X: '1' } } }))],
      ['bad-number', JSON.stringify(streamRecord({ table: 'Orders', keys, image: { n: { N: '1'.repeat(39) } } }))],
      ['lone-surrogate', JSON.stringify(streamRecord({ table: 'Orders', keys, image: { s: { S: '\ud800' } } }))],
      ['other-table', JSON.stringify(streamRecord({ table: 'Others', keys }))],
    ];
    const lines = [good('1'), ...bad.map(([, line]) => line), good('9')];
    await writeFile(join(folder, 'bad.ndjson'), lines.join('\n'));
    await writeFile(join(folder, 'cut.ndjson.gz'), gzipSync(`${good('7')}\n`.repeat(2000)).subarray(0, 300));

    const outcome = await replayInto('bad', ['bad.ndjson', 'cut.ndjson.gz']);
    expect(outcome.status).toBe(0);
    const counts: Record<string, number> = { truncated: 1 };
    for (const [kind] of bad) counts[kind] = (counts[kind] ?? 0) + 1;
    const summary = summaryOf(outcome);
    expect(summary.quarantined).toEqual(counts);
    expect(summary.rows).toEqual({ lakehouse: 1, warehouse: 1 });
    const status = await glasshouse(['status', '--dir', 'bad', '--json'], folder);
    expect(JSON.parse(status.stdout)).toMatchObject({ tables: [{ quarantined: counts }] });
    expect((await readdir(join(folder, 'bad', 'quarantine', 'orders'))).length).toBeGreaterThan(0);

    const again = await glasshouse(
      ['replay', 'bad.ndjson', '--table', 'Orders', '--key', 'customer_id,order_id', '--dir', 'bad', '--strict'],
      folder,
    );
    expect(again.status).toBe(1);
    const after = await glasshouse(['status', '--dir', 'bad', '--json'], folder);
    expect(JSON.parse(after.stdout)).toMatchObject({ tables: [{ quarantined: counts }] });
  }, 120_000);

  it('keeps a NUL exactly in the lakehouse, and escaped beside the null in the warehouse', async () => {
    const keys = { customer_id: { S: 'c' }, order_id: { S: 'o' } };
    const record = streamRecord({ table: 'Orders', keys, image: { note: { S: 'a\u0000b' }, plain: { S: 'x' } } });
    await writeFile(join(folder, 'nul.ndjson'), JSON.stringify(record));
    await replayInto('nul', ['nul.ndjson']);
    const rows = async (target: string): Promise<unknown> => {
      const sql = 'select note, plain, _rescued from orders';
      const outcome = await glasshouse(['query', sql, '--target', target, '--dir', 'nul', '--json'], folder);
      return (JSON.parse(outcome.stdout) as { rows: unknown[][] }).rows[0];
    };
    expect(await rows('lakehouse')).toEqual(['a\u0000b', 'x', null]);
    expect(await rows('warehouse')).toEqual([null, 'x', expect.stringContaining('a\\\\u0000b')]);
  }, 60_000);
});

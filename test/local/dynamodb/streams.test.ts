import {
  BatchWriteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  PutItemCommand,
  type StreamViewType,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-dynamodb-streams';
import { afterEach, describe, expect, test } from 'vitest';
import { type EmbeddedDynamoDbOptions } from '../../../local/dynamodb/server.ts';
import {
  createTable,
  eventually,
  type Embedded,
  outline,
  replay,
  scanTable,
  shardRecords,
  shardsOf,
  startEmbedded,
  streamRecords,
} from './embedded.ts';

const running: Embedded[] = [];
afterEach(async () => {
  for (const embedded of running.splice(0)) await embedded.close();
});

async function start(options: EmbeddedDynamoDbOptions = {}): Promise<Embedded> {
  const embedded = await startEmbedded(options);
  running.push(embedded);
  return embedded;
}

/** Puts `k0` to `k<count - 1>`, 25 in a request. */
async function putMany(db: DynamoDBClient, table: string, count: number, value = '0', text = ''): Promise<void> {
  for (let from = 0; from < count; from += 25) {
    const items = Array.from({ length: Math.min(25, count - from) }, (_, index) => ({
      id: { S: `k${from + index}` },
      v: { N: value },
      text: { S: text },
    }));
    await db.send(
      new BatchWriteItemCommand({ RequestItems: { [table]: items.map((Item) => ({ PutRequest: { Item } })) } }),
    );
  }
}

function put(db: DynamoDBClient, table: string, id: string, text = ''): Promise<unknown> {
  return db.send(new PutItemCommand({ TableName: table, Item: { id: { S: id }, text: { S: text } } }));
}

async function iterator(
  streams: DynamoDBStreamsClient,
  arn: string,
  type: ShardIteratorType,
  sequence?: string,
): Promise<string | undefined> {
  const [shard] = await shardsOf(streams, arn);
  const request = { StreamArn: arn, ShardId: shard?.ShardId, ShardIteratorType: type };
  const { ShardIterator } = await streams.send(
    new GetShardIteratorCommand(sequence === undefined ? request : { ...request, SequenceNumber: sequence }),
  );
  return ShardIterator;
}

describe('the view types show what they say', () => {
  test.each<[StreamViewType, boolean, boolean]>([
    ['NEW_AND_OLD_IMAGES', true, true],
    ['NEW_IMAGE', true, false],
    ['OLD_IMAGE', false, true],
    ['KEYS_ONLY', false, false],
  ])('%s', async (viewType, showsNew, showsOld) => {
    const { db, streams } = await start();
    const arn = await createTable(db, 'orders', viewType);
    await put(db, 'orders', 'a', '1');
    await put(db, 'orders', 'a', '2');
    const record = (await streamRecords(streams, arn))[1]?.dynamodb;
    expect(record?.StreamViewType).toBe(viewType);
    expect(record?.Keys).toEqual({ id: { S: 'a' } });
    expect(record?.NewImage?.text).toEqual(showsNew ? { S: '2' } : undefined);
    expect(record?.OldImage?.text).toEqual(showsOld ? { S: '1' } : undefined);
  });
});

describe('shards', () => {
  test('a full shard is closed, with one child or two in turns, at most four are open, and parents come first', async () => {
    const { db, streams } = await start({ shardRecords: 40 });
    const arn = await createTable(db, 'orders');
    for (let round = 0; round < 10; round += 1) await putMany(db, 'orders', 100, String(round));
    const shards = await shardsOf(streams, arn);
    const open = shards.filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined);
    expect(open).toHaveLength(4);
    const children = new Map<string, number>();
    for (const { ParentShardId: parent } of shards) if (parent) children.set(parent, (children.get(parent) ?? 0) + 1);
    expect(new Set(children.values())).toEqual(new Set([1, 2]));

    const seen = new Set<string>();
    for (const shard of shards) {
      if (shard.ParentShardId) expect(seen.has(shard.ParentShardId)).toBe(true);
      seen.add(shard.ShardId ?? '');
      const records = await shardRecords(streams, arn, shard.ShardId ?? '');
      const numbers = records.map((record) => record.dynamodb?.SequenceNumber ?? '');
      const { StartingSequenceNumber: first = '', EndingSequenceNumber: last } = shard.SequenceNumberRange ?? {};
      expect(numbers.every((number) => number >= first && (last === undefined || number <= last))).toBe(true);
      if (last !== undefined) {
        expect(records).toHaveLength(40);
        expect(numbers.at(-1)).toBe(last);
      }
    }
  });

  test('read parents first, every record of a key follows the one that it changed', async () => {
    const { db, streams } = await start({ shardRecords: 30 });
    const arn = await createTable(db, 'orders');
    for (let round = 0; round < 12; round += 1) await putMany(db, 'orders', 60, String(round));
    const records = await streamRecords(streams, arn);
    expect(records).toHaveLength(720);
    const last = new Map<string, unknown>();
    for (const { dynamodb } of records) {
      const id = dynamodb?.Keys?.id?.S ?? '';
      expect(dynamodb?.OldImage).toEqual(last.get(id));
      last.set(id, dynamodb?.NewImage);
    }
    expect(replay(records)).toEqual(await scanTable(db, 'orders'));
  });

  test('DescribeStream gives pages, and the children of one shard', async () => {
    const { db, streams } = await start({ shardRecords: 10 });
    const arn = await createTable(db, 'orders');
    await putMany(db, 'orders', 100);
    const shards = await shardsOf(streams, arn);
    const ids: (string | undefined)[] = [];
    let after: string | undefined;
    do {
      const request = { StreamArn: arn, Limit: 3, ...(after === undefined ? {} : { ExclusiveStartShardId: after }) };
      const { StreamDescription: page } = await streams.send(new DescribeStreamCommand(request));
      expect(page?.Shards?.length).toBeLessThanOrEqual(3);
      ids.push(...(page?.Shards ?? []).map((shard) => shard.ShardId));
      after = page?.LastEvaluatedShardId;
    } while (after !== undefined);
    expect(ids).toEqual(shards.map((shard) => shard.ShardId));

    const parent = shards.find((shard) => shards.filter((each) => each.ParentShardId === shard.ShardId).length === 2);
    const { StreamDescription } = await streams.send(
      new DescribeStreamCommand({ StreamArn: arn, ShardFilter: { Type: 'CHILD_SHARDS', ShardId: parent?.ShardId } }),
    );
    expect(StreamDescription?.Shards?.map((shard) => shard.ParentShardId)).toEqual([parent?.ShardId, parent?.ShardId]);
  });

  test('the end of a closed shard has no next iterator; an open one always has', async () => {
    const { db, streams } = await start({ shardRecords: 10 });
    const arn = await createTable(db, 'orders');
    await putMany(db, 'orders', 15);
    const [closed, open] = await shardsOf(streams, arn);
    const read = async (shardId: string | undefined) => {
      const { ShardIterator } = await streams.send(
        new GetShardIteratorCommand({ StreamArn: arn, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' }),
      );
      return streams.send(new GetRecordsCommand({ ShardIterator }));
    };
    const ended = await read(closed?.ShardId);
    expect([ended.Records?.length, ended.NextShardIterator]).toEqual([10, undefined]);
    const going = await read(open?.ShardId);
    expect(going.Records).toHaveLength(5);
    const next = await streams.send(new GetRecordsCommand({ ShardIterator: going.NextShardIterator }));
    expect(next.Records).toEqual([]);
    await put(db, 'orders', 'later');
    const later = await streams.send(new GetRecordsCommand({ ShardIterator: next.NextShardIterator }));
    expect(outline(later.Records ?? [])).toEqual(['INSERT later']);
  });
});

describe('iterators', () => {
  test('each of the four types starts where it says', async () => {
    const { db, streams } = await start();
    const arn = await createTable(db, 'orders');
    await putMany(db, 'orders', 3);
    const all = await streamRecords(streams, arn);
    const second = all[1]?.dynamodb?.SequenceNumber;
    const latest = await iterator(streams, arn, 'LATEST');
    await put(db, 'orders', 'new');
    const read = async (ShardIterator: string | undefined) =>
      outline((await streams.send(new GetRecordsCommand({ ShardIterator }))).Records ?? []);
    expect(await read(await iterator(streams, arn, 'TRIM_HORIZON'))).toEqual([
      'INSERT k0',
      'INSERT k1',
      'INSERT k2',
      'INSERT new',
    ]);
    expect(await read(await iterator(streams, arn, 'AT_SEQUENCE_NUMBER', second))).toEqual([
      'INSERT k1',
      'INSERT k2',
      'INSERT new',
    ]);
    expect(await read(await iterator(streams, arn, 'AFTER_SEQUENCE_NUMBER', second))).toEqual([
      'INSERT k2',
      'INSERT new',
    ]);
    expect(await read(await iterator(streams, arn, 'AFTER_SEQUENCE_NUMBER', second?.padStart(40, '0')))).toEqual([
      'INSERT k2',
      'INSERT new',
    ]);
    expect(await read(latest)).toEqual(['INSERT new']);
  });

  test('an iterator expires after fifteen minutes', async () => {
    let nowMs = Date.parse('2026-11-22T12:00:00Z');
    const { db, streams } = await start({ now: () => nowMs });
    const arn = await createTable(db, 'orders');
    const ShardIterator = await iterator(streams, arn, 'TRIM_HORIZON');
    nowMs += 15 * 60 * 1000;
    expect((await streams.send(new GetRecordsCommand({ ShardIterator }))).Records).toEqual([]);
    nowMs += 1;
    await expect(streams.send(new GetRecordsCommand({ ShardIterator }))).rejects.toMatchObject({
      name: 'ExpiredIteratorException',
    });
  });

  test('what is not there is refused with a clear error', async () => {
    const { db, streams } = await start();
    const arn = await createTable(db, 'orders');
    await expect(streams.send(new DescribeStreamCommand({ StreamArn: `${arn}0` }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    const request = {
      StreamArn: arn,
      ShardId: 'shardId-00000000000000000000-000000ff',
      ShardIteratorType: 'LATEST',
    } as const;
    await expect(streams.send(new GetShardIteratorCommand(request))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(iterator(streams, arn, 'AT_SEQUENCE_NUMBER')).rejects.toThrow(/SequenceNumber is missing/);
    await expect(iterator(streams, arn, 'AT_SEQUENCE_NUMBER', '7')).rejects.toThrow(/not in shard/);
    await expect(streams.send(new GetRecordsCommand({ ShardIterator: 'nonsense' }))).rejects.toThrow(
      /Invalid ShardIterator/,
    );
    const ShardIterator = await iterator(streams, arn, 'LATEST');
    await expect(streams.send(new GetRecordsCommand({ ShardIterator, Limit: 1001 }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });
});

describe('pages', () => {
  test('a page has at most 1,000 records, or as many as were asked for', async () => {
    const { db, streams } = await start();
    const arn = await createTable(db, 'orders');
    await putMany(db, 'orders', 1100);
    const first = await streams.send(
      new GetRecordsCommand({ ShardIterator: await iterator(streams, arn, 'TRIM_HORIZON') }),
    );
    expect(first.Records).toHaveLength(1000);
    const second = await streams.send(new GetRecordsCommand({ ShardIterator: first.NextShardIterator, Limit: 30 }));
    expect(second.Records).toHaveLength(30);
    const third = await streams.send(new GetRecordsCommand({ ShardIterator: second.NextShardIterator }));
    expect(outline([...(first.Records ?? []), ...(second.Records ?? []), ...(third.Records ?? [])])).toEqual(
      Array.from({ length: 1100 }, (_, index) => `INSERT k${index}`),
    );
  });

  test('a page has at most 1 MB, and one record at least', async () => {
    const { db, streams } = await start();
    const arn = await createTable(db, 'orders');
    for (let index = 0; index < 6; index += 1) await put(db, 'orders', `k${index}`, 'x'.repeat(390_000));
    let ShardIterator = await iterator(streams, arn, 'TRIM_HORIZON');
    const sizes: number[] = [];
    for (let page = 0; page < 3; page += 1) {
      const { Records, NextShardIterator } = await streams.send(new GetRecordsCommand({ ShardIterator }));
      sizes.push(Records?.length ?? 0);
      ShardIterator = NextShardIterator;
    }
    expect(sizes).toEqual([2, 2, 2]);
  });
});

describe('trimming', () => {
  test('what is older than the retention is gone, and a position before it is refused, never skipped', async () => {
    let nowMs = Date.parse('2026-11-22T12:00:00Z');
    const { db, streams } = await start({ now: () => nowMs, retentionMs: 60_000, ttlScanMs: 5, shardRecords: 10 });
    const arn = await createTable(db, 'orders');
    await putMany(db, 'orders', 12);
    const [closed, half] = await shardsOf(streams, arn);
    const old = await shardRecords(streams, arn, half?.ShardId ?? '');
    const position = (type: ShardIteratorType, sequence?: string) =>
      streams.send(
        new GetShardIteratorCommand({
          StreamArn: arn,
          ShardId: half?.ShardId,
          ShardIteratorType: type,
          ...(sequence === undefined ? {} : { SequenceNumber: sequence }),
        }),
      );
    const early = await position('TRIM_HORIZON');
    nowMs += 59_000;
    await put(db, 'orders', 'young');
    nowMs += 2_000;
    await eventually(() => shardsOf(streams, arn).then((shards) => shards.map((shard) => shard.ShardId))).not.toContain(
      closed?.ShardId,
    );
    await eventually(() => shardRecords(streams, arn, half?.ShardId ?? '').then(outline)).toEqual(['INSERT young']);
    await expect(streams.send(new GetRecordsCommand({ ShardIterator: early.ShardIterator }))).rejects.toMatchObject({
      name: 'TrimmedDataAccessException',
    });
    await expect(position('AT_SEQUENCE_NUMBER', old[0]?.dynamodb?.SequenceNumber)).rejects.toMatchObject({
      name: 'TrimmedDataAccessException',
    });
    await expect(position('AFTER_SEQUENCE_NUMBER', old[0]?.dynamodb?.SequenceNumber)).rejects.toMatchObject({
      name: 'TrimmedDataAccessException',
    });
    // Whoever has read the last record that was trimmed has missed nothing.
    const { ShardIterator } = await position('AFTER_SEQUENCE_NUMBER', old[1]?.dynamodb?.SequenceNumber);
    const { Records } = await streams.send(new GetRecordsCommand({ ShardIterator }));
    expect(outline(Records ?? [])).toEqual(['INSERT young']);
  });
});

describe('a stream is enabled, disabled and enabled again', () => {
  const specify = (db: DynamoDBClient, enabled: boolean) =>
    db.send(
      new UpdateTableCommand({
        TableName: 'orders',
        StreamSpecification: enabled ? { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } : { StreamEnabled: false },
      }),
    );

  test('the new stream has a new, greater label; the old one ends, and can be read until its retention', async () => {
    let nowMs = Date.parse('2026-11-22T12:00:00.123Z');
    const { db, streams } = await start({ now: () => nowMs, ttlScanMs: 5 });
    await createTable(db, 'orders', null);
    await put(db, 'orders', 'before');
    const { TableDescription: first } = await specify(db, true);
    expect(first?.LatestStreamLabel).toBe('2026-11-22T12:00:00.123');
    expect(first?.LatestStreamArn).toMatch(
      /^arn:aws:dynamodb:[^:]+:000000000000:table\/orders\/stream\/2026-11-22T12:00:00\.123$/,
    );
    await put(db, 'orders', 'first');
    await expect(specify(db, true)).rejects.toMatchObject({ name: 'ValidationException' });
    await specify(db, false);
    await put(db, 'orders', 'between');
    await expect(specify(db, false)).rejects.toMatchObject({ name: 'ValidationException' });
    const { TableDescription: second } = await specify(db, true);
    await put(db, 'orders', 'second');

    const { Table } = await db.send(new DescribeTableCommand({ TableName: 'orders' }));
    expect(Table?.LatestStreamArn).toBe(second?.LatestStreamArn);
    expect(Table?.StreamSpecification).toEqual({ StreamEnabled: true, StreamViewType: 'NEW_IMAGE' });
    expect((second?.LatestStreamLabel ?? '') > (first?.LatestStreamLabel ?? '')).toBe(true);
    expect(outline(await streamRecords(streams, first?.LatestStreamArn ?? ''))).toEqual(['INSERT first']);
    expect(outline(await streamRecords(streams, second?.LatestStreamArn ?? ''))).toEqual(['INSERT second']);
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: first?.LatestStreamArn }));
    expect(StreamDescription?.StreamStatus).toBe('DISABLED');
    expect(
      StreamDescription?.Shards?.every((shard) => shard.SequenceNumberRange?.EndingSequenceNumber !== undefined),
    ).toBe(true);

    nowMs += 24 * 60 * 60 * 1000 + 1;
    const arns = () =>
      streams
        .send(new ListStreamsCommand({ TableName: 'orders' }))
        .then((list) => list.Streams?.map((each) => each.StreamArn));
    await eventually(arns).toEqual([second?.LatestStreamArn]);
  });

  test('a table that is deleted and created again has a new stream and no items', async () => {
    const { db, streams } = await start({ now: () => 1_795_000_000_000 });
    const first = await createTable(db, 'orders');
    await put(db, 'orders', 'a');
    await db.send(new DeleteTableCommand({ TableName: 'orders' }));
    await expect(put(db, 'orders', 'b')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const second = await createTable(db, 'orders');
    expect(second > first).toBe(true);
    expect(await scanTable(db, 'orders')).toEqual(new Map());
    expect(outline(await streamRecords(streams, first))).toEqual(['INSERT a']);
    expect(outline(await streamRecords(streams, second))).toEqual([]);
  });

  test('a clock that went back still gives a greater label, even after the older stream is gone', async () => {
    let nowMs = Date.parse('2026-11-22T12:00:00Z');
    const { db, streams } = await start({ now: () => nowMs, ttlScanMs: 5 });
    const first = await createTable(db, 'orders');
    await db.send(new DeleteTableCommand({ TableName: 'orders' }));
    nowMs += 25 * 60 * 60 * 1000;
    await eventually(() => streams.send(new ListStreamsCommand()).then((list) => list.Streams)).toEqual([]);
    nowMs -= 48 * 60 * 60 * 1000;
    expect((await createTable(db, 'orders')) > first).toBe(true);
  });

  test('ListStreams gives pages', async () => {
    const { db, streams } = await start();
    const arns = [];
    for (const name of ['one', 'three', 'two']) arns.push(await createTable(db, name));
    const page = await streams.send(new ListStreamsCommand({ Limit: 2 }));
    expect(page.LastEvaluatedStreamArn).toBe(arns[1]);
    const rest = await streams.send(new ListStreamsCommand({ ExclusiveStartStreamArn: page.LastEvaluatedStreamArn }));
    expect([...(page.Streams ?? []), ...(rest.Streams ?? [])].map((each) => each.StreamArn)).toEqual(arns);
  });
});

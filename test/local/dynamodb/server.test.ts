import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { crc32 } from 'node:zlib';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  ListTagsOfResourceCommand,
  PutItemCommand,
  TagResourceCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedDynamoDb } from '../../../local/dynamodb/server.ts';
import {
  clientsOf,
  createTable,
  eventually,
  outline,
  replay,
  scanTable,
  shardsOf,
  startEmbedded,
  streamRecords,
} from './embedded.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedded-dynamodb-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const put = (db: DynamoDBClient, id: string, n = '1') =>
  db.send(new PutItemCommand({ TableName: 'orders', Item: { id: { S: id }, n: { N: n } } }));

describe('the folder', () => {
  test('keeps items, streams, settings and tags over a restart, and the sequence goes on', async () => {
    const path = join(folder, 'restart');
    const first = await startEmbedded({ path, shardRecords: 5 });
    const arn = await createTable(first.db, 'orders');
    const tableArn = arn.split('/stream/')[0];
    for (let index = 0; index < 12; index += 1) await put(first.db, `k${index}`);
    await first.db.send(
      new UpdateTimeToLiveCommand({
        TableName: 'orders',
        TimeToLiveSpecification: { Enabled: true, AttributeName: 'e' },
      }),
    );
    await first.db.send(new TagResourceCommand({ ResourceArn: tableArn, Tags: [{ Key: 'team', Value: 'shop' }] }));
    const shardsBefore = await shardsOf(first.streams, arn);
    const before = await streamRecords(first.streams, arn);
    await first.close();

    const second = await startEmbedded({ path, shardRecords: 5 });
    expect(await shardsOf(second.streams, arn)).toEqual(shardsBefore);
    expect(await streamRecords(second.streams, arn)).toEqual(before);
    await put(second.db, 'k0', '2');
    for (let index = 12; index < 20; index += 1) await put(second.db, `k${index}`);
    const after = await streamRecords(second.streams, arn);
    expect(after).toHaveLength(21);
    const numbers = after.map((record) => record.dynamodb?.SequenceNumber ?? '').sort();
    expect(new Set(numbers).size).toBe(21);
    expect(replay(after)).toEqual(await scanTable(second.db, 'orders'));
    const { TimeToLiveDescription } = await second.db.send(new DescribeTimeToLiveCommand({ TableName: 'orders' }));
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'e' });
    const { Tags } = await second.db.send(new ListTagsOfResourceCommand({ ResourceArn: tableArn }));
    expect(Tags).toEqual([{ Key: 'team', Value: 'shop' }]);
    await second.close();
  });

  test('is used by one server only: a second one is told so', async () => {
    const path = join(folder, 'shared');
    const first = await startEmbeddedDynamoDb({ path });
    await expect(startEmbeddedDynamoDb({ path })).rejects.toMatchObject({
      name: 'GlasshouseError',
      code: 'unavailable',
      message: `The folder ${path} is in use by another embedded DynamoDB. Stop that one, or choose another folder.`,
    });
    await first.close();
    const again = await startEmbeddedDynamoDb({ path });
    await again.close();
  });

  test('that cannot be opened is named', async () => {
    const path = join(folder, 'a-file');
    writeFileSync(path, '');
    await expect(startEmbeddedDynamoDb({ path })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(path) as string,
    });
  });
});

describe('the port', () => {
  test('that is in use is named, with the remedy, and the folder is free again', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const path = join(folder, 'port');
    await expect(startEmbeddedDynamoDb({ port, path })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(new RegExp(`Port ${port} .* is in use.*Choose another port`)) as string,
    });
    other.close();
    await once(other, 'close');
    const server = await startEmbeddedDynamoDb({ port, path });
    expect(server).toMatchObject({ port, endpoint: `http://127.0.0.1:${port}` });
    await server.close();
    await server.close();
  });
});

describe('the wire', () => {
  test('an answer has its checksum, an error its type; credentials are not asked for', async () => {
    const server = await startEmbeddedDynamoDb({});
    const post = (target: string, body: string) =>
      fetch(server.endpoint, { method: 'POST', headers: { 'x-amz-target': target }, body });
    const list = await post('DynamoDB_20120810.ListTables', '{}');
    const text = await list.text();
    expect(JSON.parse(text)).toEqual({ TableNames: [] });
    expect(list.headers.get('x-amz-crc32')).toBe(String(crc32(text)));
    expect(list.headers.get('content-type')).toBe('application/x-amz-json-1.0');

    const unknown = await post('DynamoDB_20120810.MakeCoffee', '{}');
    expect([unknown.status, await unknown.json()]).toMatchObject([
      400,
      {
        __type: 'com.amazon.coral.service#UnknownOperationException',
        message: expect.stringContaining('MakeCoffee') as string,
      },
    ]);
    for (const body of ['', '[]', '{"TableName":']) {
      const broken = await post('DynamoDB_20120810.PutItem', body);
      expect([broken.status, await broken.json()]).toMatchObject([
        400,
        { __type: expect.stringContaining('SerializationException') as string },
      ]);
    }
    const large = await post('DynamoDB_20120810.PutItem', `{"x":"${'x'.repeat(16 * 1024 * 1024)}"}`);
    expect(large.status).toBe(413);
    expect((await fetch(server.endpoint)).status).toBe(200);
    await server.close();
  });

  test('an index of an existing table is refused rather than forgotten', async () => {
    const { db, close } = await startEmbedded();
    await createTable(db, 'orders', null);
    const request = new UpdateTableCommand({
      TableName: 'orders',
      AttributeDefinitions: [{ AttributeName: 'c', AttributeType: 'S' }],
      GlobalSecondaryIndexUpdates: [
        {
          Create: {
            IndexName: 'byC',
            KeySchema: [{ AttributeName: 'c', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'ALL' },
          },
        },
      ],
    });
    await expect(db.send(request)).rejects.toThrow(/Create the table with its indexes/);
    const update = new UpdateTableCommand({
      TableName: 'orders',
      BillingMode: 'PROVISIONED',
      ProvisionedThroughput: { ReadCapacityUnits: 2, WriteCapacityUnits: 3 },
    });
    const { TableDescription } = await db.send(update);
    expect(TableDescription).toMatchObject({
      TableStatus: 'ACTIVE',
      ProvisionedThroughput: { ReadCapacityUnits: 2, WriteCapacityUnits: 3 },
    });
    await close();
  });
});

describe('a server that is killed while it is written to', () => {
  // Within the packages' folder, so that the bundle finds them.
  const bundle = join(
    import.meta.dirname,
    '..',
    '..',
    '..',
    'node_modules',
    '.cache',
    `embedded-dynamodb-${process.pid}`,
  );
  const script = join(bundle, 'server.mjs');
  beforeAll(async () => {
    mkdirSync(bundle, { recursive: true });
    const contents = `import { startEmbeddedDynamoDb } from './server.ts';
      const server = await startEmbeddedDynamoDb({ path: process.argv[2], shardRecords: 200 });
      console.log(server.endpoint);`;
    await build({
      stdin: { contents, resolveDir: join(import.meta.dirname, '..', '..', '..', 'local', 'dynamodb'), loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      outfile: script,
      logLevel: 'silent',
    });
  });
  afterAll(() => rmSync(bundle, { recursive: true, force: true }));

  async function spawnServer(path: string): Promise<{ child: ChildProcess; endpoint: string }> {
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) return { child, endpoint: line };
    throw new Error('The server ended before it listened.');
  }

  /** Writes in every way until the server is gone; adds the ids whose put was acknowledged. */
  async function writeUntilKilled(
    db: DynamoDBClient,
    round: number,
    worker: number,
    acknowledged: Set<string>,
  ): Promise<void> {
    const TableName = 'orders';
    try {
      for (let n = 0; ; n += 1) {
        const id = `own-${round}-${worker}-${n}`;
        const shared = { id: { S: `shared-${(n * 7 + worker) % 40}` } };
        await put(db, id);
        acknowledged.add(id);
        await db.send(
          new UpdateItemCommand({
            TableName,
            Key: shared,
            UpdateExpression: 'ADD n :one',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          }),
        );
        if (n % 3 === 0) await db.send(new DeleteItemCommand({ TableName, Key: shared }));
        const batch = Array.from({ length: 10 }, (_, index) => ({
          id: { S: `batch-${worker}-${index}` },
          n: { N: `${n}` },
        }));
        await db.send(
          new BatchWriteItemCommand({ RequestItems: { orders: batch.map((Item) => ({ PutRequest: { Item } })) } }),
        );
        const pair = ['left', 'right'].map((side) => ({ id: { S: `${side}-${worker}` }, n: { N: `${round}.${n}` } }));
        await db.send(
          new TransactWriteItemsCommand({ TransactItems: pair.map((Item) => ({ Put: { TableName, Item } })) }),
        );
      }
    } catch (thrown) {
      // The only way out: the connection is cut. Anything that the server says is a failure.
      expect((thrown as Error).name).not.toMatch(/Exception|InternalServerError/);
    }
  }

  test('its stream still makes exactly its table: no change is lost, and none is told twice', async () => {
    const path = join(folder, 'killed');
    const acknowledged = new Set<string>();
    let arn = '';
    for (let round = 0; round < 3; round += 1) {
      const { child, endpoint } = await spawnServer(path);
      const { db } = clientsOf(endpoint);
      if (round === 0) arn = await createTable(db, 'orders');
      const exited = once(child, 'exit');
      const writers = [0, 1, 2, 3].map((worker) => writeUntilKilled(db, round, worker, acknowledged));
      const enough = acknowledged.size + 40;
      await eventually(() => acknowledged.size).toBeGreaterThan(enough);
      child.kill('SIGKILL');
      await exited;
      await Promise.all(writers);
      db.destroy();
    }
    const { db, streams, close } = await startEmbedded({ path, shardRecords: 200 });
    const records = await streamRecords(streams, arn);
    const items = await scanTable(db, 'orders');
    expect(replay(records)).toEqual(items);
    for (const id of acknowledged) expect(items.has(id)).toBe(true);
    for (let worker = 0; worker < 4; worker += 1) {
      expect(items.get(`left-${worker}`)?.n).toEqual(items.get(`right-${worker}`)?.n);
    }
    const last = new Map<string, unknown>();
    for (const { dynamodb } of records) {
      const id = dynamodb?.Keys?.id?.S ?? '';
      expect(dynamodb?.OldImage).toEqual(last.get(id));
      last.set(id, dynamodb?.NewImage);
    }
    await put(db, 'after');
    expect(outline(await streamRecords(streams, arn)).at(-1)).toBeDefined();
    expect(replay(await streamRecords(streams, arn)).has('after')).toBe(true);
    await close();
  });
});

import {
  type DynamoDBClient,
  GetItemCommand,
  TransactGetItemsCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTable, type Embedded, outline, scanTable, startEmbedded, streamRecords } from './embedded.ts';

let embedded: Embedded;
let db: DynamoDBClient;
let nowMs = Date.parse('2026-11-22T12:00:00Z');
beforeAll(async () => {
  embedded = await startEmbedded({ now: () => nowMs, ttlScanMs: 5 });
  db = embedded.db;
});
afterAll(() => embedded.close());

const write = (items: TransactWriteItem[], token?: string) =>
  db.send(
    new TransactWriteItemsCommand({
      TransactItems: items,
      ...(token === undefined ? {} : { ClientRequestToken: token }),
    }),
  );
const put = (table: string, id: string, n = '1') => ({
  Put: { TableName: table, Item: { id: { S: id }, n: { N: n } } },
});

describe('a transaction does all of its actions or none', () => {
  test('puts, updates, deletes and checks over two tables, with a record for each change', async () => {
    const orders = await createTable(db, 'orders');
    const stock = await createTable(db, 'stock');
    await write([put('orders', 'gone'), put('stock', 'shoe', '5')]);
    await write([
      put('orders', 'new'),
      {
        Update: {
          TableName: 'stock',
          Key: { id: { S: 'shoe' } },
          UpdateExpression: 'ADD n :minus',
          ConditionExpression: 'n >= :one',
          ExpressionAttributeValues: { ':minus': { N: '-1' }, ':one': { N: '1' } },
        },
      },
      { Delete: { TableName: 'orders', Key: { id: { S: 'gone' } } } },
      {
        ConditionCheck: {
          TableName: 'stock',
          Key: { id: { S: 'absent' } },
          ConditionExpression: 'attribute_not_exists(id)',
        },
      },
    ]);
    expect(outline(await streamRecords(embedded.streams, orders))).toEqual([
      'INSERT gone',
      'INSERT new',
      'REMOVE gone',
    ]);
    expect(outline(await streamRecords(embedded.streams, stock))).toEqual(['INSERT shoe', 'MODIFY shoe']);
    expect((await scanTable(db, 'stock')).get('shoe')).toEqual({ id: { S: 'shoe' }, n: { N: '4' } });
  });

  test('one that fails leaves nothing and emits nothing, and gives a reason for each action', async () => {
    const arn = await createTable(db, 'failing');
    await write([put('failing', 'a')]);
    const failure = await write([
      put('failing', 'b'),
      {
        Delete: {
          TableName: 'failing',
          Key: { id: { S: 'a' } },
          ConditionExpression: 'n > :n',
          ExpressionAttributeValues: { ':n': { N: '1' } },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        },
      },
      { Put: { TableName: 'failing', Item: { id: { N: '1' } } } },
      {
        ConditionCheck: { TableName: 'failing', Key: { id: { S: 'c' } }, ConditionExpression: 'attribute_exists(id)' },
      },
    ]).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      name: 'TransactionCanceledException',
      message: expect.stringContaining(
        '[None, ConditionalCheckFailed, ValidationError, ConditionalCheckFailed]',
      ) as string,
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Item: { id: { S: 'a' }, n: { N: '1' } } },
        { Code: 'ValidationError' },
        { Code: 'ConditionalCheckFailed' },
      ],
    });
    expect([...(await scanTable(db, 'failing')).keys()]).toEqual(['a']);
    expect(outline(await streamRecords(embedded.streams, arn))).toEqual(['INSERT a']);
  });

  test('two actions on one item, more than a hundred, none, and an unknown table are refused', async () => {
    await createTable(db, 'refusing', null);
    await expect(
      write([put('refusing', 'a'), { Delete: { TableName: 'refusing', Key: { id: { S: 'a' } } } }]),
    ).rejects.toThrow(/multiple operations on one item/);
    await expect(write(Array.from({ length: 101 }, (_, index) => put('refusing', `k${index}`)))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(write([])).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(write([put('refusing', 'a'), put('unknown', 'a')])).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    expect(await scanTable(db, 'refusing')).toEqual(new Map());
    await write(Array.from({ length: 100 }, (_, index) => put('refusing', `k${index}`)));
    expect((await scanTable(db, 'refusing')).size).toBe(100);
  });

  test('a batch of changes that change nothing emits nothing', async () => {
    const arn = await createTable(db, 'idle');
    await write([put('idle', 'a')]);
    await write([put('idle', 'a'), { Delete: { TableName: 'idle', Key: { id: { S: 'absent' } } } }]);
    expect(outline(await streamRecords(embedded.streams, arn))).toEqual(['INSERT a']);
  });
});

describe('a client request token', () => {
  const add = (n: string): TransactWriteItem => ({
    Update: {
      TableName: 'tokens',
      Key: { id: { S: 'a' } },
      UpdateExpression: 'ADD n :n',
      ExpressionAttributeValues: { ':n': { N: n } },
    },
  });

  test('makes the same request do nothing again for ten minutes, and refuses another under it', async () => {
    const arn = await createTable(db, 'tokens');
    await write([add('1')], 'token-1');
    await write([add('1')], 'token-1');
    expect(outline(await streamRecords(embedded.streams, arn))).toEqual(['INSERT a']);
    await expect(write([add('2')], 'token-1')).rejects.toMatchObject({ name: 'IdempotentParameterMismatchException' });
    nowMs += 10 * 60 * 1000 + 1;
    await write([add('1')], 'token-1');
    expect(outline(await streamRecords(embedded.streams, arn))).toEqual(['INSERT a', 'MODIFY a']);
  });

  test('of a transaction that failed can be used again', async () => {
    await createTable(db, 'retried', null);
    const check = (id: string): TransactWriteItem => ({
      ConditionCheck: { TableName: 'retried', Key: { id: { S: id } }, ConditionExpression: 'attribute_exists(id)' },
    });
    const items = [put('retried', 'b'), check('a')];
    await expect(write(items, 'token-2')).rejects.toMatchObject({ name: 'TransactionCanceledException' });
    await write([put('retried', 'a')]);
    await write(items, 'token-2');
    expect([...(await scanTable(db, 'retried')).keys()].sort()).toEqual(['a', 'b']);
  });
});

test('TransactGetItems sees transactions whole, while they are written', async () => {
  await createTable(db, 'pairs', null);
  await write([put('pairs', 'left', '0'), put('pairs', 'right', '0')]);
  const get = (id: string) => ({ Get: { TableName: 'pairs', Key: { id: { S: id } } } });
  const writing = (async () => {
    for (let n = 1; n <= 100; n += 1) await write([put('pairs', 'left', String(n)), put('pairs', 'right', String(n))]);
  })();
  for (let read = 0; read < 100; read += 1) {
    const { Responses } = await db.send(
      new TransactGetItemsCommand({ TransactItems: [get('left'), get('right'), get('absent')] }),
    );
    expect(Responses?.[0]?.Item?.n).toEqual(Responses?.[1]?.Item?.n);
    expect(Responses?.[2]?.Item).toBeUndefined();
  }
  await writing;
  const { Item } = await db.send(new GetItemCommand({ TableName: 'pairs', Key: { id: { S: 'right' } } }));
  expect(Item?.n).toEqual({ N: '100' });
});

import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  CreateTableCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTable, type Embedded, outline, startEmbedded, streamRecords } from './embedded.ts';

let embedded: Embedded;
let db: DynamoDBClient;
beforeAll(async () => {
  embedded = await startEmbedded();
  db = embedded.db;
});
afterAll(() => embedded.close());

const put = (table: string, id: string, n: string) =>
  db.send(new PutItemCommand({ TableName: table, Item: { id: { S: id }, n: { N: n } } }));

describe('every write emits the change that it made', () => {
  test('a put, an update and a delete are an insert, a modify and a remove, with the images before and after', async () => {
    const arn = await createTable(db, 'single');
    await put('single', 'a', '1');
    await put('single', 'a', '2');
    const update = await db
      .send(
        new UpdateItemCommand({
          TableName: 'single',
          Key: { id: { S: 'a' } },
          UpdateExpression: 'ADD n :one SET m.#x = :x',
          ConditionExpression: 'attribute_not_exists(gone)',
          ExpressionAttributeNames: { '#x': 'x' },
          ExpressionAttributeValues: { ':one': { N: '1' }, ':x': { S: 'y' } },
          ReturnValues: 'ALL_NEW',
        }),
      )
      .catch((thrown: unknown) => thrown as Error);
    expect(update).toHaveProperty('name', 'ValidationException');
    await db.send(
      new UpdateItemCommand({
        TableName: 'single',
        Key: { id: { S: 'a' } },
        UpdateExpression: 'ADD n :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
      }),
    );
    const removed = await db.send(
      new DeleteItemCommand({ TableName: 'single', Key: { id: { S: 'a' } }, ReturnValues: 'ALL_OLD' }),
    );
    expect(removed.Attributes).toEqual({ id: { S: 'a' }, n: { N: '3' } });

    const records = await streamRecords(embedded.streams, arn);
    expect(
      records.map((record) => [record.eventName, record.dynamodb?.OldImage?.n, record.dynamodb?.NewImage?.n]),
    ).toEqual([
      ['INSERT', undefined, { N: '1' }],
      ['MODIFY', { N: '1' }, { N: '2' }],
      ['MODIFY', { N: '2' }, { N: '3' }],
      ['REMOVE', { N: '3' }, undefined],
    ]);
    const [first] = records;
    expect(first).toMatchObject({
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: arn.split(':')[3],
      dynamodb: { Keys: { id: { S: 'a' } }, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    });
    expect(first).not.toHaveProperty('userIdentity');
    expect(first?.dynamodb?.SizeBytes).toBeGreaterThan(0);
    expect(first?.dynamodb?.ApproximateCreationDateTime?.getMilliseconds()).toBe(0);
    expect(new Set(records.map((record) => record.eventID)).size).toBe(records.length);
  });

  test('a batch emits its puts and deletes in the order of the request', async () => {
    const arn = await createTable(db, 'batch');
    const ids = Array.from({ length: 20 }, (_, index) => `k${index}`);
    await db.send(
      new BatchWriteItemCommand({
        RequestItems: { batch: ids.map((id) => ({ PutRequest: { Item: { id: { S: id } } } })) },
      }),
    );
    await db.send(
      new BatchWriteItemCommand({
        RequestItems: {
          batch: [
            { DeleteRequest: { Key: { id: { S: 'k3' } } } },
            { DeleteRequest: { Key: { id: { S: 'absent' } } } },
            { PutRequest: { Item: { id: { S: 'k4' }, n: { N: '1' } } } },
          ],
        },
      }),
    );
    expect(outline(await streamRecords(embedded.streams, arn))).toEqual([
      ...ids.map((id) => `INSERT ${id}`),
      'REMOVE k3',
      'MODIFY k4',
    ]);
  });

  test('a batch of two tables writes to the stream of each', async () => {
    const left = await createTable(db, 'left');
    const right = await createTable(db, 'right');
    await db.send(
      new BatchWriteItemCommand({
        RequestItems: {
          left: [{ PutRequest: { Item: { id: { S: 'l' } } } }],
          right: [{ PutRequest: { Item: { id: { S: 'r' } } } }],
        },
      }),
    );
    expect(outline(await streamRecords(embedded.streams, left))).toEqual(['INSERT l']);
    expect(outline(await streamRecords(embedded.streams, right))).toEqual(['INSERT r']);
  });

  test('sequence numbers have 21 digits or more and rise, also over concurrent writes', async () => {
    const arn = await createTable(db, 'rising');
    await Promise.all(Array.from({ length: 200 }, (_, index) => put('rising', `k${index % 7}`, String(index))));
    const records = await streamRecords(embedded.streams, arn);
    const numbers = records.map((record) => record.dynamodb?.SequenceNumber ?? '');
    expect(numbers).toHaveLength(200);
    expect(numbers.every((number) => /^[1-9]\d{20,39}$/.test(number))).toBe(true);
    expect(numbers).toEqual([...new Set(numbers)].sort());
    // Each record's old image is the new image of the one before it: none was lost, and none came between.
    const last = new Map<string, unknown>();
    for (const { dynamodb } of records) {
      const id = dynamodb?.Keys?.id?.S ?? '';
      expect(dynamodb?.OldImage).toEqual(last.get(id));
      last.set(id, dynamodb?.NewImage);
    }
  });
});

describe('a write that changes nothing emits nothing', () => {
  test('the same item again, in another order too; the same value set; an absent item deleted', async () => {
    const arn = await createTable(db, 'same');
    const item = {
      id: { S: 'a' },
      tags: { SS: ['x', 'y'] },
      n: { N: '1.50' },
      m: { M: { p: { S: '1' }, q: { L: [{ BOOL: true }] } } },
    };
    const reordered = {
      m: { M: { q: { L: [{ BOOL: true }] }, p: { S: '1' } } },
      n: { N: '1.5' },
      tags: { SS: ['y', 'x'] },
      id: { S: 'a' },
    };
    await db.send(new PutItemCommand({ TableName: 'same', Item: item }));
    await db.send(new PutItemCommand({ TableName: 'same', Item: item }));
    await db.send(new PutItemCommand({ TableName: 'same', Item: reordered }));
    await db.send(
      new UpdateItemCommand({
        TableName: 'same',
        Key: { id: { S: 'a' } },
        UpdateExpression: 'SET n = :n REMOVE nothing',
        ExpressionAttributeValues: { ':n': { N: '1.5' } },
      }),
    );
    await db.send(new DeleteItemCommand({ TableName: 'same', Key: { id: { S: 'absent' } } }));
    expect(outline(await streamRecords(embedded.streams, arn))).toEqual(['INSERT a']);
  });

  test('a list in another order is a change', async () => {
    const arn = await createTable(db, 'lists');
    for (const list of [
      ['x', 'y'],
      ['y', 'x'],
    ]) {
      await db.send(
        new PutItemCommand({ TableName: 'lists', Item: { id: { S: 'a' }, l: { L: list.map((S) => ({ S })) } } }),
      );
    }
    expect(outline(await streamRecords(embedded.streams, arn))).toEqual(['INSERT a', 'MODIFY a']);
  });

  test('a write whose condition fails, which says what the item was', async () => {
    const arn = await createTable(db, 'conditions');
    await put('conditions', 'a', '1');
    const refused = await db
      .send(
        new PutItemCommand({
          TableName: 'conditions',
          Item: { id: { S: 'a' }, n: { N: '2' } },
          ConditionExpression: 'attribute_not_exists(id)',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      )
      .catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ name: 'ConditionalCheckFailedException', Item: { id: { S: 'a' }, n: { N: '1' } } });
    expect(outline(await streamRecords(embedded.streams, arn))).toEqual(['INSERT a']);
  });
});

test('every attribute type is given back exactly, in the item and in its images', async () => {
  const arn = await createTable(db, 'types');
  const item = {
    id: { S: 'a' },
    s: { S: '' },
    nul: { S: 'a\u0000b' },
    emoji: { S: '🜁"\\' },
    n: { N: '12345678901234567890123456789012345678' },
    tiny: { N: '0.0000000000000000000000000000000001' },
    b: { B: new Uint8Array([0, 255, 128]) },
    bool: { BOOL: false },
    null: { NULL: true as const },
    m: { M: { empty: { M: {} }, list: { L: [] } } },
    ss: { SS: ['b', 'a'] },
    ns: { NS: ['3', '1.5'] },
    bs: { BS: [new Uint8Array([1]), new Uint8Array([2, 3])] },
  };
  await db.send(new PutItemCommand({ TableName: 'types', Item: item }));
  const { Item } = await db.send(new GetItemCommand({ TableName: 'types', Key: { id: { S: 'a' } } }));
  expect(Item).toEqual(item);
  const [record] = await streamRecords(embedded.streams, arn);
  expect(record?.dynamodb?.NewImage).toEqual(item);
});

test('a number with more digits than DynamoDB has is refused, also as the result of an addition', async () => {
  const arn = await createTable(db, 'digits');
  await put('digits', 'a', '0.1');
  const add = new UpdateItemCommand({
    TableName: 'digits',
    Key: { id: { S: 'a' } },
    UpdateExpression: 'ADD n :n',
    ExpressionAttributeValues: { ':n': { N: '12345678901234567890123456789012345678' } },
  });
  await expect(db.send(add)).rejects.toThrow(/38 significant digits/);
  expect(outline(await streamRecords(embedded.streams, arn))).toEqual(['INSERT a']);
});

test('an attribute that dynalite would lose is refused', async () => {
  await createTable(db, 'proto', null);
  const item = JSON.parse('{"id":{"S":"a"},"__proto__":{"S":"x"}}') as Record<string, { S: string }>;
  await expect(db.send(new PutItemCommand({ TableName: 'proto', Item: item }))).rejects.toThrow(/__proto__/);
});

test('a secondary index follows its items', async () => {
  await db.send(
    new CreateTableCommand({
      TableName: 'indexed',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'id', AttributeType: 'S' },
        { AttributeName: 'at', AttributeType: 'N' },
        { AttributeName: 'colour', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'id', KeyType: 'HASH' },
        { AttributeName: 'at', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byColour',
          KeySchema: [{ AttributeName: 'colour', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
  const write = (at: string, colour: string) =>
    db.send(
      new PutItemCommand({ TableName: 'indexed', Item: { id: { S: 'a' }, at: { N: at }, colour: { S: colour } } }),
    );
  await write('10', 'red');
  await write('9', 'red');
  await write('-1', 'blue');
  await write('10', 'blue');
  const query = (colour: string) =>
    db.send(
      new QueryCommand({
        TableName: 'indexed',
        IndexName: 'byColour',
        KeyConditionExpression: 'colour = :c',
        ExpressionAttributeValues: { ':c': { S: colour } },
      }),
    );
  expect((await query('red')).Items?.map((item) => item.at)).toEqual([{ N: '9' }]);
  expect((await query('blue')).Items?.map((item) => item.at?.N).sort()).toEqual(['-1', '10']);
  const byKey = await db.send(
    new QueryCommand({
      TableName: 'indexed',
      KeyConditionExpression: 'id = :id AND #at < :at',
      ExpressionAttributeNames: { '#at': 'at' },
      ExpressionAttributeValues: { ':id': { S: 'a' }, ':at': { N: '10' } },
      ScanIndexForward: false,
    }),
  );
  expect(byKey.Items?.map((item) => item.at?.N)).toEqual(['9', '-1']);
});

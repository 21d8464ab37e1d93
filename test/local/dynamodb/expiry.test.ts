import {
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  PutItemCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createTable,
  eventually,
  type Embedded,
  outline,
  scanTable,
  startEmbedded,
  streamRecords,
} from './embedded.ts';

let embedded: Embedded;
let db: DynamoDBClient;
let nowS = 0;
beforeEach(async () => {
  nowS = Date.parse('2026-11-22T12:00:00Z') / 1000;
  embedded = await startEmbedded({ now: () => nowS * 1000, ttlScanMs: 5 });
  db = embedded.db;
});
afterEach(() => embedded.close());

const setTtl = (enabled: boolean, attribute = 'expires') =>
  db.send(
    new UpdateTimeToLiveCommand({
      TableName: 'sessions',
      TimeToLiveSpecification: { Enabled: enabled, AttributeName: attribute },
    }),
  );
const put = (id: string, expires: { N: string } | { S: string }) =>
  db.send(new PutItemCommand({ TableName: 'sessions', Item: { id: { S: id }, expires } }));
const ids = async () => [...(await scanTable(db, 'sessions')).keys()].sort();

test('an expired item is deleted, and its record says that the service did it', async () => {
  const arn = await createTable(db, 'sessions');
  await put('earlier', { N: String(nowS + 10) });
  await setTtl(true);
  await put('later', { N: String(nowS + 20) });
  await put('never', { S: String(nowS + 10) });
  await put('ancient', { N: String(nowS - 6 * 365 * 24 * 60 * 60) });
  await put('moved', { N: String(nowS + 10) });
  await db.send(
    new UpdateItemCommand({
      TableName: 'sessions',
      Key: { id: { S: 'moved' } },
      UpdateExpression: 'SET expires = :e',
      ExpressionAttributeValues: { ':e': { N: String(nowS + 1000) } },
    }),
  );
  nowS += 10;
  await eventually(ids).toEqual(['ancient', 'later', 'moved', 'never']);
  nowS += 10;
  await eventually(ids).toEqual(['ancient', 'moved', 'never']);
  const removed = (await streamRecords(embedded.streams, arn)).filter((record) => record.eventName === 'REMOVE');
  expect(outline(removed)).toEqual(['REMOVE earlier', 'REMOVE later']);
  for (const record of removed) {
    expect(record.userIdentity).toEqual({ Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' });
    expect(record.dynamodb?.OldImage?.id).toEqual(record.dynamodb?.Keys?.id);
  }
});

test('more items than one sweep takes are all deleted', async () => {
  await createTable(db, 'sessions');
  await setTtl(true);
  await Promise.all(Array.from({ length: 250 }, (_, index) => put(`s${index}`, { N: String(nowS + 1) })));
  nowS += 1;
  await eventually(ids).toEqual([]);
});

test('the setting is described, and cannot be made twice', async () => {
  await createTable(db, 'sessions', null);
  const describe = () =>
    db.send(new DescribeTimeToLiveCommand({ TableName: 'sessions' })).then((reply) => reply.TimeToLiveDescription);
  expect(await describe()).toEqual({ TimeToLiveStatus: 'DISABLED' });
  await setTtl(true);
  expect(await describe()).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' });
  await expect(setTtl(true)).rejects.toThrow(/already enabled/);
  await setTtl(false);
  await put('kept', { N: String(nowS + 1) });
  nowS += 1;
  // On another attribute, the old one says nothing any more.
  await setTtl(true, 'other');
  await db.send(new PutItemCommand({ TableName: 'sessions', Item: { id: { S: 'gone' }, other: { N: String(nowS) } } }));
  await eventually(ids).toEqual(['kept']);
});

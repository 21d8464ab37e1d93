import { CreateTableCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Embedded } from '../local/dynamodb/embedded.ts';
import { startEmbedded } from '../local/dynamodb/embedded.ts';
import type { SourceChange } from './source-changes.ts';
import { SPECIAL_ROWS, plannedChanges, specialKey, writeChanges } from './source-changes.ts';

const STEPS = plannedChanges();
const keyText = (change: SourceChange): string => JSON.stringify(change.key);

let source: Embedded;
beforeAll(async () => {
  source = await startEmbedded({ port: 0 });
  await source.db.send(
    new CreateTableCommand({
      TableName: 'Things',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'group', AttributeType: 'S' },
        { AttributeName: 'number', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'group', KeyType: 'HASH' },
        { AttributeName: 'number', KeyType: 'RANGE' },
      ],
    }),
  );
});
afterAll(() => source.close());

describe('the planned changes', () => {
  it('write a key at most once in a step, so that a step may be written side by side', () => {
    for (const step of STEPS) expect(new Set(step.map(keyText)).size).toBe(step.length);
  });

  it('change something each, so that each makes a record of the stream', () => {
    const rows = new Map<string, Record<string, unknown>>();
    for (const change of STEPS.flat()) {
      const key = keyText(change);
      const held = rows.get(key);
      if (change.kind === 'delete') {
        expect(held).toBeDefined();
        rows.delete(key);
      } else if (change.kind === 'put') {
        expect(held).not.toEqual(change.item);
        rows.set(key, { ...change.item });
      } else {
        expect(held?.[change.attribute]).not.toEqual(change.value);
        rows.set(key, { ...held, [change.attribute]: change.value });
      }
    }
    expect(rows.size).toBe(200 - 40 + 20 + 1 + Object.keys(SPECIAL_ROWS).length);
  });

  it('have every type of attribute', () => {
    const values = STEPS.flat().flatMap((change) => (change.kind === 'put' ? Object.values(change.item) : []));
    const types = new Set(values.flatMap((value) => Object.keys(value)));
    expect([...types].sort()).toEqual(['B', 'BOOL', 'BS', 'L', 'M', 'N', 'NS', 'NULL', 'S', 'SS']);
  });

  it('are taken by DynamoDB', async () => {
    for (const step of STEPS) await writeChanges(source.db, 'Things', step);
    const { Items: items = [] } = await source.db.send(
      new ScanCommand({
        TableName: 'Things',
        ProjectionExpression: '#g, revision',
        ExpressionAttributeNames: { '#g': 'group' },
      }),
    );
    expect(items.find((item) => item.group?.S === 'hot')?.revision?.N).toBe('999');
  });

  it('tell which table could not be written to', async () => {
    const one = STEPS[0]?.slice(0, 1) ?? [];
    await expect(writeChanges(source.db, 'Nothing', one)).rejects.toThrow('Could not write to the table Nothing');
  });
});

it('names a special row as verify does', () => {
  expect(specialKey('json-numbers')).toBe('["json-numbers",1]');
});

import { CreateTableCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { validateMirror } from '../../core/config.ts';
import { startEmbeddedDynamoDb } from '../../local/dynamodb/server.ts';
import { SHOP_MIRROR, SHOP_TABLE, type ShopRequest, shopWrites } from '../../local/shop.ts';
import { send } from '../../local/shop/keep-shop.ts';
import type { ShopItem, ShopWrite } from '../../local/shop/shop-write.ts';
import { itemsPut } from '../../local/shop/shop-write.ts';

const REQUEST: ShopRequest = { seed: 1, items: 60, changes: 400, startsAtMs: 1_790_000_000_000 };

const writesOf = (request: Partial<ShopRequest> = {}) => [...shopWrites({ ...REQUEST, ...request })];

/** Every tag in a value, nested ones included. */
function tagsIn(value: unknown, found: Set<string>): Set<string> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return found;
  for (const [tag, inner] of Object.entries(value)) {
    found.add(tag);
    const nested = tag === 'M' ? Object.values(inner as object) : tag === 'L' ? (inner as unknown[]) : [];
    for (const child of nested) tagsIn(child, found);
  }
  return found;
}

describe('shopWrites', () => {
  it('gives the same writes for the same request, and others for another seed', () => {
    expect(writesOf()).toEqual(writesOf());
    expect(writesOf({ seed: 2 })).not.toEqual(writesOf());
  });

  it.each([
    [0, 0],
    [1, 0],
    [26, 1],
    [60, 400],
    [0, 50],
  ])('writes exactly %d items and %d changes', (items, changes) => {
    const total = writesOf({ items, changes }).reduce((sum, write) => sum + write.changes, 0);
    expect(total).toBe(items + changes);
  });

  it('uses every write API', () => {
    expect([...new Set(writesOf().map((write) => write.api))].sort()).toEqual([
      'BatchWriteItem',
      'DeleteItem',
      'PutItem',
      'TransactWriteItems',
      'UpdateItem',
    ]);
  });

  it('has every type of value, and the oddities of real tables', () => {
    const items = writesOf().flatMap(itemsPut);
    const tags = new Set<string>();
    for (const item of items) for (const value of Object.values(item)) tagsIn(value, tags);
    expect([...tags].sort()).toEqual(['B', 'BOOL', 'BS', 'L', 'M', 'N', 'NS', 'NULL', 'S', 'SS']);
    const has = (test: (item: ShopItem) => boolean) => items.some(test);
    const numberIn = (item: ShopItem, name: string) => {
      const value = item[name];
      return value !== undefined && 'N' in value ? value.N : '';
    };
    expect({
      bigNumber: has((item) => numberIn(item, 'ledger_ref').length >= 30),
      tenthDecimal: has((item) => /\.\d{10,}$/.test(numberIn(item, 'fx_rate'))),
      mixed: has((item) => numberIn(item, 'reference') !== '') && has((item) => 'S' in (item.reference ?? {})),
      folding: has((item) => 'orderStatus' in item && 'order_status' in item),
      emptyString: has((item) => JSON.stringify(item.note) === '{"S":""}'),
      unicode: has((item) => /[^\u0000-\u00ff]/.test(JSON.stringify(item))),
      expires: has((item) => numberIn(item, 'expires_at') !== ''),
    }).toEqual({
      bigNumber: true,
      tenthDecimal: true,
      mixed: true,
      folding: true,
      emptyString: true,
      unicode: true,
      expires: true,
    });
  });

  it('brings new attributes only in the second half', () => {
    const writes = writesOf();
    const isNew = (write: ShopWrite) => JSON.stringify(write).includes('loyalty_points');
    const first = writes.findIndex(isNew);
    const before = writes.slice(0, first).reduce((sum, write) => sum + write.changes, 0);
    expect(before).toBeGreaterThanOrEqual(REQUEST.items + REQUEST.changes / 2);
    expect(writes.filter(isNew).length).toBeGreaterThan(10);
  });

  it('has a mirror that is valid and names its table', () => {
    expect(validateMirror(SHOP_MIRROR).tables[0]).toMatchObject({
      name: 'orders',
      from: SHOP_TABLE,
      ttl: 'expires_at',
    });
  });

  it('is accepted by DynamoDB, write by write', async () => {
    const server = await startEmbeddedDynamoDb({});
    const client = new DynamoDBClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    });
    try {
      await client.send(
        new CreateTableCommand({
          TableName: SHOP_TABLE,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [
            { AttributeName: 'customer_id', KeyType: 'HASH' },
            { AttributeName: 'order_id', KeyType: 'RANGE' },
          ],
          AttributeDefinitions: [
            { AttributeName: 'customer_id', AttributeType: 'S' },
            { AttributeName: 'order_id', AttributeType: 'S' },
          ],
        }),
      );
      for (const write of writesOf()) await send(client, write);
      const { Items: items = [] } = await client.send(new ScanCommand({ TableName: SHOP_TABLE }));
      // An update of what is not there would make an item of its own, without the rest of an order.
      expect(items.filter((item) => item.customerName === undefined)).toEqual([]);
      expect(items.length).toBeGreaterThan(60);
    } finally {
      client.destroy();
      await server.close();
    }
  });
});

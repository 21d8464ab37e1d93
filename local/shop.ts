import type { MirrorConfig } from '../core/config.ts';
import { deliveryWindow, money, number, ORDER_STATES, orderItem, orderKey, orderLine, text } from './shop/order.ts';
import { createRandom, type Random } from './shop/random.ts';
import type { BatchEntry, ShopItem, ShopWrite, UpdateInput } from './shop/shop-write.ts';

/** The DynamoDB table that the shop writes to. */
export const SHOP_TABLE = 'Orders';

/** The mirror of the shop: some columns declared, the rest inferred. */
export const SHOP_MIRROR = {
  name: 'shop',
  source: { endpoint: 'embedded' },
  tables: {
    orders: {
      from: SHOP_TABLE,
      key: { customer_id: 'S', order_id: 'S' },
      ttl: 'expires_at',
      columns: {
        order_status: 'string',
        placed_at: 'timestamp',
        total: 'decimal(38,2)',
        ledger_ref: 'decimal(38,0)',
        expires_at: 'timestamp',
      },
    },
  },
  targets: { lakehouse: true, warehouse: true },
} as const satisfies MirrorConfig;

export interface ShopRequest {
  readonly seed: number;
  /** Orders that the shop has at first. */
  readonly items: number;
  /** Changes after that: new, changed and removed orders. */
  readonly changes: number;
  /** Epoch milliseconds, when the shop opens. What expires does so some seconds later. */
  readonly startsAtMs: number;
}

const BATCH = 25;
/** Milliseconds of the shop's own time between two orders. */
const ORDER_EVERY_MS = 1700;
const CART_LIFE_SECONDS = 2;

interface Shop {
  readonly request: ShopRequest;
  readonly random: Random;
  /** Numbers of the orders that exist. Carts are not among them: they expire by themselves, and nobody touches them. */
  readonly alive: number[];
  opened: number;
  isLate: boolean;
}

/**
 * The writes of a small shop: its first orders in batches, then a mix of every write API. Together they write
 * `items + changes` items. The same request gives the same writes. It keeps only the numbers of the orders that exist.
 */
export function* shopWrites(request: ShopRequest): Generator<ShopWrite, void, undefined> {
  const shop: Shop = { request, random: createRandom(request.seed), alive: [], opened: 0, isLate: false };
  for (let written = 0; written < request.items; written += BATCH) {
    const count = Math.min(BATCH, request.items - written);
    yield batch(Array.from({ length: count }, () => ({ PutRequest: { Item: newOrder(shop) } })));
  }
  for (let written = 0; written < request.changes;) {
    shop.isLate = written >= request.changes / 2;
    const write = nextWrite(shop, request.changes - written);
    written += write.changes;
    yield write;
  }
}

/** A write of at most `limit` items. */
function nextWrite(shop: Shop, limit: number): ShopWrite {
  const throwOf100 = shop.random.below(100);
  if (shop.alive.length < 3 || throwOf100 < 18) return put(newOrder(shop));
  if (throwOf100 < 68) return { api: 'UpdateItem', changes: 1, input: orderUpdate(shop, anyOrder(shop)) };
  if (throwOf100 < 76) return put(rewrittenOrder(shop, anyOrder(shop)));
  if (throwOf100 < 86)
    return { api: 'DeleteItem', changes: 1, input: { TableName: SHOP_TABLE, Key: orderKey(removeOrder(shop)) } };
  return throwOf100 < 94 || limit < 3 ? mixedBatch(shop, limit) : transaction(shop);
}

function put(item: ShopItem): ShopWrite {
  return { api: 'PutItem', changes: 1, input: { TableName: SHOP_TABLE, Item: item } };
}

function batch(entries: BatchEntry[]): ShopWrite {
  return { api: 'BatchWriteItem', changes: entries.length, input: { RequestItems: { [SHOP_TABLE]: entries } } };
}

/** New orders, and the removal of some that were there before. */
function mixedBatch(shop: Shop, limit: number): ShopWrite {
  const count = Math.min(limit, 2 + shop.random.below(BATCH - 1));
  const removals = Math.min(Math.floor(count / 3), shop.alive.length - 2);
  const removed: BatchEntry[] = Array.from({ length: removals }, () => ({
    DeleteRequest: { Key: orderKey(removeOrder(shop)) },
  }));
  const added: BatchEntry[] = Array.from({ length: count - removals }, () => ({
    PutRequest: { Item: newOrder(shop) },
  }));
  return batch([...removed, ...added]);
}

/** An order is replaced by a new one, and a third takes note of it: all of it or nothing. */
function transaction(shop: Shop): ShopWrite {
  const removed = removeOrder(shop);
  const noted = anyOrder(shop);
  return {
    api: 'TransactWriteItems',
    changes: 3,
    input: {
      TransactItems: [
        { Delete: { TableName: SHOP_TABLE, Key: orderKey(removed) } },
        { Update: orderUpdate(shop, noted) },
        { Put: { TableName: SHOP_TABLE, Item: newOrder(shop) } },
      ],
    },
  };
}

function newOrder(shop: Shop): ShopItem {
  const orderNumber = ++shop.opened;
  const isCart = shop.random.oneIn(40);
  if (!isCart) shop.alive.push(orderNumber);
  const { startsAtMs } = shop.request;
  return orderItem(shop.random, {
    number: orderNumber,
    placedAtMs: startsAtMs + orderNumber * ORDER_EVERY_MS,
    isLate: shop.isLate,
    expiresAt: isCart ? Math.floor(startsAtMs / 1000) + CART_LIFE_SECONDS + shop.random.below(4) : null,
  });
}

function rewrittenOrder(shop: Shop, orderNumber: number): ShopItem {
  const placedAtMs = shop.request.startsAtMs + orderNumber * ORDER_EVERY_MS;
  return orderItem(shop.random, { number: orderNumber, placedAtMs, isLate: shop.isLate, expiresAt: null });
}

function anyOrder(shop: Shop): number {
  return shop.alive[shop.random.below(shop.alive.length)] ?? 1;
}

function removeOrder(shop: Shop): number {
  const index = shop.random.below(shop.alive.length);
  const last = shop.alive.pop() ?? 1;
  const removed = shop.alive[index] ?? last;
  if (index < shop.alive.length) shop.alive[index] = last;
  return removed;
}

type Change = (random: Random) => Omit<UpdateInput, 'TableName' | 'Key'>;

/** What the shop's software does to an order, in every way that an update expression can. */
const CHANGES: readonly [Change, ...Change[]] = [
  (random) => ({
    UpdateExpression: 'SET order_status = :status, orderStatus = :status',
    ExpressionAttributeValues: { ':status': text(random.pick(ORDER_STATES)) },
  }),
  (random) => ({
    UpdateExpression: 'SET #total = :total',
    ExpressionAttributeNames: { '#total': 'total' },
    ExpressionAttributeValues: { ':total': money(random) },
  }),
  (random) => ({
    UpdateExpression: 'SET address.city = :city, address.moved = :yes',
    ExpressionAttributeValues: { ':city': text(random.pick(['Bern', 'Zürich'])), ':yes': { BOOL: true } },
  }),
  (random) => ({
    UpdateExpression: 'SET #lines = list_append(#lines, :more)',
    ExpressionAttributeNames: { '#lines': 'lines' },
    ExpressionAttributeValues: { ':more': { L: [orderLine(random)] } },
  }),
  (random) => ({
    UpdateExpression: 'ADD visits :one, tags :tags',
    ExpressionAttributeValues: { ':one': number('1'), ':tags': { SS: [random.pick(['seen', 'gift', '再訪'])] } },
  }),
  () => ({
    UpdateExpression: 'REMOVE note, coupon DELETE tags :tags',
    ExpressionAttributeValues: { ':tags': { SS: ['express'] } },
  }),
  (random) => ({
    UpdateExpression: 'SET #reference = :reference',
    ExpressionAttributeNames: { '#reference': 'reference' },
    ExpressionAttributeValues: {
      ':reference': random.oneIn(2) ? text('by phone') : number(String(random.below(1000))),
    },
  }),
];

const LATE_CHANGE: Change = (random) => ({
  UpdateExpression: 'SET delivery = :delivery ADD loyalty_points :points',
  ExpressionAttributeValues: { ':delivery': deliveryWindow(random), ':points': number(String(random.below(100))) },
});

function orderUpdate(shop: Shop, orderNumber: number): UpdateInput {
  const change = shop.isLate && shop.random.oneIn(5) ? LATE_CHANGE : shop.random.pick(CHANGES);
  return { TableName: SHOP_TABLE, Key: orderKey(orderNumber), ...change(shop.random) };
}

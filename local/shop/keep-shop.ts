import { setTimeout as delay } from 'node:timers/promises';
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  PutItemCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { ShopRequest } from '../shop.ts';
import { SHOP_TABLE, shopWrites } from '../shop.ts';
import type { ShopWrite } from './shop-write.ts';

export interface KeepShopOptions {
  readonly signal: AbortSignal;
  /** Called when DynamoDB has acknowledged a write. */
  readonly onWritten: (write: ShopWrite) => void;
}

/** Writes a shop's changes through DynamoDB's API, so many a second after the first items. Returns how many changes it made. */
export async function keepShop(
  request: ShopRequest & { readonly rate: number },
  client: DynamoDBClient,
  options: KeepShopOptions,
): Promise<number> {
  const startedAtMs = Date.now();
  let written = 0;
  for (const write of shopWrites(request)) {
    const dueAtMs = startedAtMs + (Math.max(0, written - request.items) / request.rate) * 1000;
    const waitMs = dueAtMs - Date.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal: options.signal });
    options.signal.throwIfAborted();
    await send(client, write);
    options.onWritten(write);
    written += write.changes;
  }
  return written;
}

const LOOK_AGAIN_MS = 200;

/** Returns once DynamoDB has deleted every cart: what expires is deleted some time after its moment. */
export async function untilCartsExpired(client: DynamoDBClient, signal: AbortSignal): Promise<void> {
  while ((await countCarts(client)) > 0) await delay(LOOK_AGAIN_MS, undefined, { signal });
}

async function countCarts(client: DynamoDBClient): Promise<number> {
  let carts = 0;
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page = await client.send(
      new ScanCommand({
        TableName: SHOP_TABLE,
        Select: 'COUNT',
        FilterExpression: 'attribute_exists(expires_at)',
        ExclusiveStartKey: from,
      }),
    );
    carts += page.Count ?? 0;
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return carts;
}

/** Sends one write by the API that it names. */
export async function send(client: DynamoDBClient, write: ShopWrite): Promise<void> {
  switch (write.api) {
    case 'PutItem':
      await client.send(new PutItemCommand(write.input));
      return;
    case 'UpdateItem':
      await client.send(new UpdateItemCommand(write.input));
      return;
    case 'DeleteItem':
      await client.send(new DeleteItemCommand(write.input));
      return;
    case 'BatchWriteItem':
      await client.send(new BatchWriteItemCommand(write.input));
      return;
    case 'TransactWriteItems':
      await client.send(new TransactWriteItemsCommand(write.input));
      return;
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { ShopRequest } from '../shop.ts';
import { shopWrites } from '../shop.ts';
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

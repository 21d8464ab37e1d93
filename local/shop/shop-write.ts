/** A DynamoDB value as the AWS SDK takes it: numbers as text, binaries as bytes. */
export type ShopValue =
  | { S: string }
  | { N: string }
  | { B: Uint8Array }
  | { BOOL: boolean }
  | { NULL: true }
  | { M: Record<string, ShopValue> }
  | { L: ShopValue[] }
  | { SS: string[] }
  | { NS: string[] }
  | { BS: Uint8Array[] };

export type ShopItem = Record<string, ShopValue>;

export interface PutInput {
  TableName: string;
  Item: ShopItem;
}

export interface UpdateInput {
  TableName: string;
  Key: ShopItem;
  UpdateExpression: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: ShopItem;
}

export interface DeleteInput {
  TableName: string;
  Key: ShopItem;
}

export type BatchEntry = { PutRequest: { Item: ShopItem } } | { DeleteRequest: { Key: ShopItem } };
export type TransactEntry = { Put: PutInput } | { Update: UpdateInput } | { Delete: DeleteInput };

/** One call of DynamoDB's API as data: `input` is what the SDK's command of that name takes. `changes` is how many items it writes. */
export type ShopWrite = { readonly changes: number } & (
  | { readonly api: 'PutItem'; readonly input: PutInput }
  | { readonly api: 'UpdateItem'; readonly input: UpdateInput }
  | { readonly api: 'DeleteItem'; readonly input: DeleteInput }
  | { readonly api: 'BatchWriteItem'; readonly input: { RequestItems: Record<string, BatchEntry[]> } }
  | { readonly api: 'TransactWriteItems'; readonly input: { TransactItems: TransactEntry[] } }
);

/** The items that a write puts whole. */
export function itemsPut(write: ShopWrite): ShopItem[] {
  switch (write.api) {
    case 'PutItem':
      return [write.input.Item];
    case 'BatchWriteItem':
      return Object.values(write.input.RequestItems)
        .flat()
        .flatMap((entry) => ('PutRequest' in entry ? [entry.PutRequest.Item] : []));
    case 'TransactWriteItems':
      return write.input.TransactItems.flatMap((entry) => ('Put' in entry ? [entry.Put.Item] : []));
    case 'UpdateItem':
    case 'DeleteItem':
      return [];
  }
}

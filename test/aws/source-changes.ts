import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { explainFailure } from '../../adapters/aws/failure.ts';

type Item = Readonly<Record<string, AttributeValue>>;

/** One write to the source. Each makes exactly one record in the stream. */
export type SourceChange =
  | { readonly kind: 'put'; readonly key: Item; readonly item: Item }
  | { readonly kind: 'set'; readonly key: Item; readonly attribute: string; readonly value: AttributeValue }
  | { readonly kind: 'delete'; readonly key: Item };

const ROWS = 200;
/** One row that is written so often shows whether the changes of a key keep their order. */
const UPDATES_OF_ONE_ROW = 1000;
const WRITES_AT_ONCE = 16;

/** The rows that claims of docs/unverified.md are about, by what they are asked for by. */
export const SPECIAL_ROWS = {
  'json-numbers': {
    document: {
      M: {
        small: { N: '0.0001' },
        fraction: { N: '12345678.5' },
        tiny: { N: '1E-100' },
        control: { S: 'a\u001fb\u0000c' },
      },
    },
  },
  casts: {
    amount: { N: '12345678901234567890123456789.123456789' },
    happened_at: { S: '2026-11-22T10:00:00.123456Z' },
    born_on: { S: '0001-01-01' },
    price: { N: '123456789012345678901234567890123456.78' },
    empty_bytes: { B: new Uint8Array() },
    empty_text: { S: '' },
  },
  'far-times': { happened_at: { S: '9999-12-31T23:59:59.999999Z' }, born_on: { S: '9999-12-31' } },
  doubles: { ratio: { N: '0.1' } },
  'small-doubles': { ratio: { N: '5E-120' } },
  'binary-300': { bytes: { B: Uint8Array.from({ length: 300 }, (_, n) => (n * 7) % 256) } },
  'document-20k': { document: documentOf(200) },
  'document-100k': { document: documentOf(1000) },
  'long-text': { text: { S: 'ä'.repeat(40_000) } },
  'large-item': { text: { S: 'x'.repeat(380_000) } },
} as const satisfies Readonly<Record<string, Item>>;

export type SpecialRow = keyof typeof SPECIAL_ROWS;

/** The canonical key of a special row: as `verify` names it. */
export function specialKey(row: SpecialRow): string {
  return JSON.stringify([row, 1]);
}

/** About 100 bytes a member, in an order that is not the alphabet's. */
function documentOf(members: number): AttributeValue {
  const names = Array.from({ length: members }, (_, n) => `m${(n * 7919) % members}`);
  return { M: Object.fromEntries(names.map((name, n) => [name, { L: [{ S: 'v'.repeat(75) }, { N: String(n) }] }])) };
}

/**
 * Inserts, updates and deletes with every type of attribute, in steps: what is in one step may be written side by side.
 * The key (`group`, `number`) is that of `throwawayConfig`.
 */
export function plannedChanges(): readonly (readonly SourceChange[])[] {
  const numbers = Array.from({ length: ROWS }, (_, n) => n);
  const special = Object.entries(SPECIAL_ROWS).map(([name, item]) => put(keyOf(name, 1), item));
  const updated = numbers.filter((n) => n % 2 === 0).map((n) => set(bulkKey(n), 'revision', { N: '1' }));
  const retyped = numbers.filter((n) => n % 20 === 1).map((n) => set(bulkKey(n), 'text', { N: String(n) }));
  const deleted = numbers.filter((n) => n % 5 === 0);
  const reinserted = deleted.filter((n) => n % 10 === 0);
  const hot = keyOf('hot', 0);
  return [
    [...numbers.map((n) => put(bulkKey(n), everyType(n))), ...special, put(hot, { revision: { N: '-1' } })],
    [...updated, ...retyped],
    deleted.map((n) => ({ kind: 'delete', key: bulkKey(n) })),
    reinserted.map((n) => put(bulkKey(n), everyType(n + 1))),
    ...inSteps(UPDATES_OF_ONE_ROW).map((n) => [set(hot, 'revision', { N: String(n) })]),
  ];
}

/** A row that no plan has yet. */
export function extraChange(group: string, number: number, attributes: Item = {}): SourceChange {
  return put(keyOf(group, number), { ...everyType(number), ...attributes });
}

function inSteps(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function everyType(n: number): Item {
  return {
    text: { S: `row ${n} äöü 漢字 "quoted" \\ 'single'` },
    amount: { N: `${n}.25` },
    pieces: { N: String(n * 1_000_003) },
    bytes: { B: Uint8Array.from([0, n % 256, 255]) },
    is_paid: { BOOL: n % 2 === 0 },
    nothing: { NULL: true },
    document: {
      M: { n: { N: String(n) }, deep: { M: { list: { L: [{ S: 'a' }, { BOOL: false }, { NULL: true }] } } } },
    },
    list: { L: [{ N: '1.5' }, { S: 'two' }] },
    texts: { SS: ['b', 'a', `s${n}`] },
    numbers: { NS: ['2', '10', '-0.5'] },
    binaries: { BS: [Uint8Array.from([1]), Uint8Array.from([2, n % 256])] },
    happened_at: { S: new Date(Date.UTC(2026, 10, 22) + n * 1000).toISOString() },
    ratio: { N: String(n / 8) },
  };
}

function bulkKey(n: number): Item {
  return keyOf(`bulk ${n % 7}`, n);
}

function keyOf(group: string, number: number): Item {
  return { group: { S: group }, number: { N: String(number) } };
}

function put(key: Item, item: Item): SourceChange {
  return { kind: 'put', key, item: { ...item, ...key } };
}

function set(key: Item, attribute: string, value: AttributeValue): SourceChange {
  return { kind: 'set', key, attribute, value };
}

/** Writes changes, side by side within limits. Throws GlasshouseError `unavailable`, naming the table and the failure. */
export async function writeChanges(
  client: DynamoDBClient,
  tableName: string,
  changes: readonly SourceChange[],
): Promise<void> {
  const waiting = [...changes];
  const worker = async (): Promise<void> => {
    for (let change = waiting.shift(); change !== undefined; change = waiting.shift()) {
      await writeChange(client, tableName, change);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(WRITES_AT_ONCE, changes.length) }, worker));
  } catch (thrown) {
    throw explainFailure(thrown, `write to the table ${tableName}`);
  }
}

async function writeChange(client: DynamoDBClient, tableName: string, change: SourceChange): Promise<void> {
  switch (change.kind) {
    case 'put':
      await client.send(new PutItemCommand({ TableName: tableName, Item: { ...change.item } }));
      return;
    case 'set':
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { ...change.key },
          UpdateExpression: 'SET #attribute = :value',
          ExpressionAttributeNames: { '#attribute': change.attribute },
          ExpressionAttributeValues: { ':value': change.value },
        }),
      );
      return;
    case 'delete':
      await client.send(new DeleteItemCommand({ TableName: tableName, Key: { ...change.key } }));
      return;
  }
}

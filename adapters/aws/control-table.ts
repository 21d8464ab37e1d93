import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ControlKey, Lease, Progress } from '../../core/control.ts';
import { LOAD_IN_FLIGHT_KEY, leaseKey, loadSpendKey, progressKey, progressText } from '../../core/control.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { ControlStore, LoadInFlight, LoadSpend } from '../../flows/control-store.ts';
import { explainFailure } from './failure.ts';

type Item = Record<string, AttributeValue>;

/** Longer texts are stored compressed: an item holds 400 KB, and the names of staged objects shrink to a tenth. */
const MOST_PLAIN_CHARACTERS = 32_768;

/** What a deployed mirror remembers, in its control table: items by `pk` and `sk`, which `core/control.ts` names. */
export class ControlTable implements ControlStore {
  private readonly client: DynamoDBClient;
  private readonly table: string;

  /** The caller keeps the client, and destroys it. */
  constructor(client: DynamoDBClient, table: string) {
    this.client = client;
    this.table = table;
  }

  async readProgress(table: string, target: 'lakehouse' | 'warehouse'): Promise<Progress | null> {
    return this.readBody<Progress>(progressKey(table, target), `how far the ${target} of ${table} is`);
  }

  async writeProgress(
    table: string,
    target: 'lakehouse' | 'warehouse',
    progress: Progress,
    before: Progress | null,
  ): Promise<void> {
    const body = progressText(progress);
    const stands = before === null ? 'attribute_not_exists(pk)' : '#body = :before';
    const written = await this.conditionally(`record how far the ${target} of ${table} is`, () =>
      this.client.send(
        new PutItemCommand({
          TableName: this.table,
          Item: { ...keyItem(progressKey(table, target)), body: { S: body } },
          // The second half makes a repetition after a lost reply succeed.
          ConditionExpression: `${stands} OR #body = :after`,
          ExpressionAttributeNames: { '#body': 'body' },
          ExpressionAttributeValues: {
            ':after': { S: body },
            ...(before === null ? {} : { ':before': { S: progressText(before) } }),
          },
        }),
      ),
    );
    if (!written) throw progressMoved(table, target);
  }

  async takeLease(name: string, owner: string, nowMillis: number, untilMillis: number): Promise<boolean> {
    return this.conditionally(`take the lease ${name}`, () =>
      this.client.send(
        new PutItemCommand({
          TableName: this.table,
          Item: { ...keyItem(leaseKey(name)), owner: { S: owner }, untilMillis: { N: String(untilMillis) } },
          ConditionExpression: 'attribute_not_exists(pk) OR #until <= :now OR #owner = :owner',
          ExpressionAttributeNames: { '#until': 'untilMillis', '#owner': 'owner' },
          ExpressionAttributeValues: { ':now': { N: String(nowMillis) }, ':owner': { S: owner } },
        }),
      ),
    );
  }

  async releaseLease(name: string, owner: string): Promise<void> {
    await this.conditionally(`give back the lease ${name}`, () =>
      this.client.send(
        new DeleteItemCommand({
          TableName: this.table,
          Key: keyItem(leaseKey(name)),
          ConditionExpression: '#owner = :owner',
          ExpressionAttributeNames: { '#owner': 'owner' },
          ExpressionAttributeValues: { ':owner': { S: owner } },
        }),
      ),
    );
  }

  async readLease(name: string): Promise<Lease | null> {
    const item = await this.get(leaseKey(name), `the lease ${name}`);
    if (item === null) return null;
    return { owner: item.owner?.S ?? '', untilMillis: Number(item.untilMillis?.N ?? 0) };
  }

  async readLoadInFlight(): Promise<LoadInFlight | null> {
    return this.readBody<LoadInFlight>(LOAD_IN_FLIGHT_KEY, 'the load that is under way');
  }

  async writeLoadInFlight(load: LoadInFlight | null): Promise<void> {
    const key = keyItem(LOAD_IN_FLIGHT_KEY);
    await attempt('record the load that is under way', () =>
      load === null
        ? this.client.send(new DeleteItemCommand({ TableName: this.table, Key: key }))
        : this.client.send(
            new PutItemCommand({ TableName: this.table, Item: { ...key, body: bodyOf(JSON.stringify(load)) } }),
          ),
    );
  }

  async readLoadSpend(day: string): Promise<LoadSpend> {
    const item = await this.get(loadSpendKey(day), `what the loads of ${day} cost`);
    return { wakeUps: Number(item?.wakeUps?.N ?? 0), billedSeconds: Number(item?.billedSeconds?.N ?? 0) };
  }

  async addLoadSpend(day: string, spend: LoadSpend): Promise<void> {
    await attempt(`count what the loads of ${day} cost`, () =>
      this.client.send(
        new UpdateItemCommand({
          TableName: this.table,
          Key: keyItem(loadSpendKey(day)),
          UpdateExpression: 'ADD #wakeUps :wakeUps, #seconds :seconds',
          ExpressionAttributeNames: { '#wakeUps': 'wakeUps', '#seconds': 'billedSeconds' },
          ExpressionAttributeValues: {
            ':wakeUps': { N: String(spend.wakeUps) },
            ':seconds': { N: String(spend.billedSeconds) },
          },
        }),
      ),
    );
  }

  private async readBody<T>(key: ControlKey, what: string): Promise<T | null> {
    const item = await this.get(key, what);
    if (item === null) return null;
    try {
      return JSON.parse(textOf(item.body)) as T;
    } catch (cause) {
      throw new GlasshouseError(
        'corrupt',
        `The item ${key.pk} / ${key.sk} of the control table ${this.table} (${what}) cannot be read; restore the table to a point in time before it was damaged.`,
        { cause },
      );
    }
  }

  /** What stands there now, not what stood there a moment ago. */
  private async get(key: ControlKey, what: string): Promise<Item | null> {
    const command = new GetItemCommand({ TableName: this.table, Key: keyItem(key), ConsistentRead: true });
    const { Item: item } = await attempt(`read ${what}`, () => this.client.send(command));
    return item ?? null;
  }

  /** Whether the condition of a write held. */
  private async conditionally(what: string, write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (thrown) {
      if (thrown instanceof ConditionalCheckFailedException) return false;
      throw explainFailure(thrown, what);
    }
  }
}

function progressMoved(table: string, target: string): GlasshouseError {
  return new GlasshouseError(
    'conflict',
    `How far the ${target} of ${table} is was recorded by another run meanwhile; read it again and go on from there.`,
  );
}

export function keyItem({ pk, sk }: ControlKey): Item {
  return { pk: { S: pk }, sk: { S: sk } };
}

function bodyOf(text: string): AttributeValue {
  return text.length <= MOST_PLAIN_CHARACTERS ? { S: text } : { B: gzipSync(text) };
}

function textOf(body: AttributeValue | undefined): string {
  return body?.B === undefined ? (body?.S ?? '') : gunzipSync(body.B).toString('utf8');
}

async function attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw explainFailure(thrown, what);
  }
}

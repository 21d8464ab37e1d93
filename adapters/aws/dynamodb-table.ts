import {
  type AttributeValue,
  DescribeTableCommand,
  type DynamoDBClient,
  ScanCommand,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { setMaxListeners } from 'node:events';
import { GlasshouseError } from '../../core/errors.ts';
import type { KeyAttributes } from '../../core/schema.ts';
import { type Backoff, withBackoff } from './backoff.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import { explainFailure, failureKind } from './failure.ts';
import { systemTiming } from './timing.ts';
import { sendForJson } from './wire-json.ts';

/** What a mirror needs to know of a table. */
export interface DescribedTable {
  readonly tableName: string;
  /** The partition key, then the sort key where there is one. */
  readonly key: KeyAttributes;
  /** The stream that is on now; null where it is off. */
  readonly streamArn: string | null;
  readonly streamViewType: 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'KEYS_ONLY' | null;
  /** As DynamoDB counts it, up to six hours late. */
  readonly itemCount: number;
}

/** An item as plain DynamoDB JSON: binary as base64 strings, numbers as strings. */
export type WireItem = Readonly<Record<string, unknown>>;

/** Describes a table. Throws a GlasshouseError: `config` where it does not exist, `unavailable` where it cannot be asked. */
export async function describeTable(client: DynamoDBClient, name: string): Promise<DescribedTable> {
  let description: TableDescription | undefined;
  try {
    description = (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (thrown) {
    if (failureKind(thrown) !== 'missing') throw explainFailure(thrown, `describe the table ${name}`);
    const place = await placeOf(client);
    throw new GlasshouseError(
      'config',
      `There is no table ${name} ${place}. Check its name, the region and the endpoint; aws dynamodb list-tables shows what there is.`,
      { cause: thrown },
    );
  }
  const isStreaming = description?.StreamSpecification?.StreamEnabled ?? false;
  return {
    tableName: name,
    key: keyOfDescription(name, description),
    streamArn: isStreaming ? (description?.LatestStreamArn ?? null) : null,
    streamViewType: isStreaming ? (description?.StreamSpecification?.StreamViewType ?? null) : null,
    itemCount: description?.ItemCount ?? 0,
  };
}

/**
 * The ARN of the stream that a mirror of the table reads. Throws a GlasshouseError `config` with the command that turns
 * it on, where it is off or does not have the items' new images. `endpoint` goes into the command.
 */
export function mirrorableStream(table: DescribedTable, endpoint?: string): string {
  const { tableName, streamArn, streamViewType } = table;
  const update = `aws dynamodb update-table${endpoint === undefined ? '' : ` --endpoint-url ${endpoint}`} --table-name ${tableName} --stream-specification`;
  const turnOn = `${update} StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES`;
  if (streamArn === null) {
    throw new GlasshouseError('config', `The stream of the table ${tableName} is off. Turn it on:\n  ${turnOn}`);
  }
  if (streamViewType !== 'NEW_AND_OLD_IMAGES' && streamViewType !== 'NEW_IMAGE') {
    throw new GlasshouseError(
      'config',
      `The stream of the table ${tableName} has the view type ${streamViewType ?? 'unknown'}, which lacks the items as they are after ` +
        `a change. A view type cannot be altered, so turn the stream off and on again:\n  ${update} StreamEnabled=false\n  ${turnOn}`,
    );
  }
  return streamArn;
}

/** How a table is scanned. */
export interface ScanOptions {
  /** Segments that are read in parallel. Default 4. */
  readonly segments?: number;
  readonly signal?: AbortSignal;
  readonly backoff?: Backoff;
}

/** Pages that wait for the consumer, before the segments stop reading: each page is 1 MB at most. */
const MOST_QUEUED_PAGES = 8;
const DEFAULT_BACKOFF: Backoff = { timing: systemTiming, unreachableMs: 300_000 };

/**
 * All items of a table, in pages and in no order, read consistently and with back-off; an item that is written meanwhile
 * may be there as it was or as it is. Ends early, without an error, when the signal aborts. Throws a GlasshouseError
 * `unavailable` where a segment cannot be read.
 */
export async function* scanTable(
  client: DynamoDBClient,
  name: string,
  options: ScanOptions = {},
): AsyncGenerator<readonly WireItem[]> {
  const { segments = 4, backoff = DEFAULT_BACKOFF } = options;
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const queue = new DeliveryQueue<ScannedPage>(MOST_QUEUED_PAGES, Infinity);
  const stop = () => {
    abort.abort();
    queue.wakeAll();
  };
  options.signal?.addEventListener('abort', stop);
  if (options.signal?.aborted) stop();
  const scan: Scan = { client, name, segments, backoff, queue, signal: abort.signal };
  const progress = { running: segments, failure: null as GlasshouseError | null };
  const readers = Array.from({ length: segments }, async (_, segment) => {
    try {
      await scanSegment(scan, segment);
    } catch (thrown) {
      if (!abort.signal.aborted) progress.failure ??= explainFailure(thrown, `scan the table ${name}`);
    } finally {
      progress.running--;
      queue.wakeAll();
    }
  });
  try {
    while (!abort.signal.aborted) {
      if (progress.failure) throw progress.failure;
      const [page] = queue.take(1);
      if (page) yield page.items;
      else if (progress.running === 0) return;
      else await queue.arrival();
    }
  } finally {
    options.signal?.removeEventListener('abort', stop);
    stop();
    await Promise.all(readers);
  }
}

interface ScannedPage {
  readonly items: readonly WireItem[];
  /** The queue is bounded by pages here. */
  readonly records: 1;
  readonly bytes: number;
}

interface Scan {
  readonly client: DynamoDBClient;
  readonly name: string;
  readonly segments: number;
  readonly backoff: Backoff;
  readonly queue: DeliveryQueue<ScannedPage>;
  readonly signal: AbortSignal;
}

async function scanSegment({ client, name, segments, backoff, queue, signal }: Scan, segment: number): Promise<void> {
  let startKey: Record<string, AttributeValue> | undefined;
  do {
    await queue.room(signal);
    if (signal.aborted) return;
    const ask = () => {
      const command = new ScanCommand({
        TableName: name,
        ConsistentRead: true,
        Segment: segment,
        TotalSegments: segments,
        ExclusiveStartKey: startKey,
      });
      return sendForJson(command, () => client.send(command, { abortSignal: signal }));
    };
    const { json, bytes } = await withBackoff(`scan the table ${name}`, ask, backoff, signal);
    const items = Array.isArray(json.Items) ? (json.Items as WireItem[]) : [];
    if (items.length > 0) queue.push({ items, records: 1, bytes });
    startKey = keyFromWire(json.LastEvaluatedKey);
  } while (startKey !== undefined);
}

/** A key as the SDK takes it: like the wire's, but binary as bytes. */
function keyFromWire(key: unknown): Record<string, AttributeValue> | undefined {
  if (typeof key !== 'object' || key === null || Object.keys(key).length === 0) return undefined;
  return Object.fromEntries(
    Object.entries(key as Record<string, { S?: string; N?: string; B?: string }>).map(([attribute, value]) => [
      attribute,
      value.B === undefined ? (value as AttributeValue) : { B: Buffer.from(value.B, 'base64') },
    ]),
  );
}

/** The key of a described table, partition key first. Throws a GlasshouseError `unavailable` where the description lacks it. */
export function keyOfDescription(name: string, description: TableDescription | undefined): KeyAttributes {
  const types = new Map(
    description?.AttributeDefinitions?.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]),
  );
  // DynamoDB lists the partition key first, but nothing promises it.
  const schema = (description?.KeySchema ?? []).toSorted((a, b) => rankOf(a.KeyType) - rankOf(b.KeyType));
  const key = schema.flatMap(({ AttributeName: attribute }): KeyAttributes => {
    const type = types.get(attribute);
    return attribute !== undefined && (type === 'S' || type === 'N' || type === 'B') ? [{ attribute, type }] : [];
  });
  if (key.length === 0 || key.length !== schema.length) {
    throw new GlasshouseError(
      'unavailable',
      `The description of the table ${name} does not say what its key is. Check that the endpoint is DynamoDB's.`,
    );
  }
  return key;
}

function rankOf(keyType: string | undefined): number {
  return keyType === 'HASH' ? 0 : 1;
}

async function placeOf(client: DynamoDBClient): Promise<string> {
  const endpoint = await client.config.endpoint?.();
  if (endpoint !== undefined)
    return `at ${endpoint.protocol}//${endpoint.hostname}${endpoint.port === undefined ? '' : `:${endpoint.port}`}`;
  return `in the region ${await client.config.region()}`;
}

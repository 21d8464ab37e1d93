import type { CaptureTable } from '../../flows/capture.ts';
import { Capture } from '../../flows/capture.ts';
import type { FeedOptions } from '../../flows/feed.ts';
import { Feed } from '../../flows/feed.ts';
import { START, catchUp, mirrorSource } from '../../flows/mirror-table.ts';
import type { Changelog, Delivered, Quarantine, SchemaRegistry, Target } from '../../flows/ports.ts';
import { TableWriter } from '../../flows/table-writer.ts';
import { createMemorySource } from '../../adapters/memory/change-source.ts';
import { DEFAULT_SCHEMA_LIMITS } from '../../core/schema.ts';
import { ID_KEY } from './dynamodb.ts';

export const ORDERS: CaptureTable = {
  table: 'orders',
  sourceTable: 'orders',
  key: ID_KEY,
  declared: {},
  limits: DEFAULT_SCHEMA_LIMITS,
};

export const NOW_MILLIS = 1_790_000_001_000;

/** A feed that never waits. */
export function feedOptions(change: Partial<FeedOptions> = {}): FeedOptions {
  return {
    maxKeys: 100,
    applyFrom: 1,
    backoffMs: () => 0,
    sleep: () => Promise.resolve(),
    isStopped: () => false,
    ...change,
  };
}

export function delivered(...records: readonly unknown[]): Delivered[] {
  return records.map((record, line) => ({
    kind: 'record',
    record,
    place: { kind: 'file', file: 'f', line: line + 1 },
  }));
}

/** The stores of a mirror, as a process finds them when it starts. */
export interface Stores {
  readonly registry: SchemaRegistry;
  readonly changelog: Changelog;
  readonly quarantine: Quarantine;
  readonly targets: readonly Target[];
}

export interface RunOptions {
  readonly batchSize: number;
  readonly gatherRecords: number;
  readonly feed?: Partial<FeedOptions>;
}

/**
 * One life of a mirror: it opens its stores, brings the targets up to the changelog, goes on from the positions that are
 * there, and ends when the stream does. Throws what its stores throw.
 */
export async function runOnce(stores: Stores, deliveries: readonly Delivered[], options: RunOptions): Promise<void> {
  const capture = await Capture.open(ORDERS, stores.registry);
  const feeds: Feed[] = [];
  for (const target of stores.targets) {
    const feed = new Feed(target, (await target.mark()) ?? START, feedOptions(options.feed));
    await catchUp(stores.changelog, target, feed, capture.schema);
    feeds.push(feed);
  }
  const positions = await stores.changelog.positions();
  const writer = new TableWriter({ changelog: stores.changelog, quarantine: stores.quarantine, feeds }, positions);
  const source = createMemorySource({ streamArn: 'arn', shardId: 's', deliveries }, options.batchSize);
  const parts = { source, capture, writer, nowMillis: () => NOW_MILLIS, gatherRecords: options.gatherRecords };
  await mirrorSource(parts, positions, new AbortController().signal);
  for (const feed of feeds) await feed.drain();
}

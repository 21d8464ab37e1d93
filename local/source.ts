import { setTimeout as delay } from 'node:timers/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTableCommand, ListTablesCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDbPlace } from '../adapters/aws/clients.ts';
import { openDynamoDb, openDynamoDbStreams } from '../adapters/aws/clients.ts';
import type { DescribedTable } from '../adapters/aws/dynamodb-table.ts';
import { describeTable } from '../adapters/aws/dynamodb-table.ts';
import { readTextIfThere, replaceFile } from '../adapters/files/atomic-file.ts';
import type { MirrorSource, MirrorTable } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import { startDynamoDbThread } from './dynamodb-thread.ts';
import type { Layout } from './layout.ts';
import { epochOfStream, markSnapshotDone } from './snapshot.ts';

/** The database that a mirror reads, reachable. */
export interface OpenSource {
  /** For people: the URL, or `DynamoDB in <region>`. */
  readonly name: string;
  /** The URL of an endpoint that is not AWS's own. */
  readonly endpoint: string | undefined;
  readonly dynamodb: DynamoDBClient;
  readonly streams: DynamoDBStreamsClient;
  /** Whether tables may be made: only in the embedded DynamoDB. */
  readonly isEmbedded: boolean;
  close(): Promise<void>;
}

/**
 * Opens the source of a mirror. The embedded DynamoDB is started on the mirror's folder, or joined where a running mirror
 * has it open. Throws `unavailable` where neither can be.
 */
export async function openSource(source: MirrorSource, layout: Layout): Promise<OpenSource> {
  if (source.kind !== 'embedded') {
    const place = { endpoint: source.kind === 'endpoint' ? source.url : undefined, region: source.region ?? undefined };
    return clientsOf(place, {
      name: place.endpoint ?? `DynamoDB in ${place.region ?? 'the default region'}`,
      isEmbedded: false,
    });
  }
  const running = await runningEndpoint(layout);
  const started = running === null ? await startEmbedded(layout, source.port) : null;
  const endpoint = running ?? started?.endpoint ?? '';
  const open = clientsOf({ endpoint, region: source.region }, { name: endpoint, isEmbedded: true });
  return {
    ...open,
    close: async () => {
      await open.close();
      await started?.close();
    },
  };
}

function clientsOf(place: DynamoDbPlace, is: Pick<OpenSource, 'name' | 'isEmbedded'>): OpenSource {
  const dynamodb = openDynamoDb(place);
  const streams = openDynamoDbStreams(place);
  return {
    ...is,
    endpoint: place.endpoint,
    dynamodb,
    streams,
    close: () => {
      dynamodb.destroy();
      streams.destroy();
      return Promise.resolve();
    },
  };
}

/** The file that says where the embedded DynamoDB of a folder listens, and which process has it. */
function endpointFile(layout: Layout): string {
  return `${layout.state}/dynamodb.json`;
}

/** The endpoint of an embedded DynamoDB that a living process has open on the folder. */
export async function runningEndpoint(layout: Layout): Promise<string | null> {
  const text = await readTextIfThere(endpointFile(layout));
  if (text === null) return null;
  const { endpoint } = JSON.parse(text) as { readonly endpoint: string };
  const client = openDynamoDb({ endpoint, region: 'us-east-1' });
  try {
    await client.send(new ListTablesCommand({ Limit: 1 }), { abortSignal: AbortSignal.timeout(1000) });
    return endpoint;
  } catch {
    // Nobody answers there: the process that wrote the file is gone.
    return null;
  } finally {
    client.destroy();
  }
}

async function startEmbedded(
  layout: Layout,
  port: number,
): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  const server = await startDynamoDbThread({ port, path: layout.dynamodb });
  await replaceFile(endpointFile(layout), `${JSON.stringify({ endpoint: server.endpoint, pid: process.pid })}\n`);
  return server;
}

/** Makes a table in the embedded DynamoDB as the configuration describes it, with its stream on. */
async function createTable(
  source: OpenSource,
  table: MirrorTable,
  key: NonNullable<MirrorTable['key']>,
): Promise<void> {
  await source.dynamodb.send(
    new CreateTableCommand({
      TableName: table.from,
      AttributeDefinitions: key.map(({ attribute, type }) => ({ AttributeName: attribute, AttributeType: type })),
      KeySchema: key.map(({ attribute }, index) => ({
        AttributeName: attribute,
        KeyType: index === 0 ? 'HASH' : 'RANGE',
      })),
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  await untilActive(source, table.from);
  if (table.ttl === null) return;
  const ttl = { AttributeName: table.ttl, Enabled: true };
  await source.dynamodb.send(new UpdateTimeToLiveCommand({ TableName: table.from, TimeToLiveSpecification: ttl }));
}

async function untilActive(source: OpenSource, name: string): Promise<void> {
  const { waitUntilTableExists } = await import('@aws-sdk/client-dynamodb');
  await waitUntilTableExists(
    { client: source.dynamodb, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { TableName: name },
  );
}

const LOOK_AGAIN_MS = 500;

/**
 * The source's description of a table. A table that the embedded DynamoDB lacks is made where the configuration has its
 * key (and then needs no snapshot: its stream has everything), else waited for; elsewhere its absence is an error. Null
 * where the signal came first.
 */
export async function findMirroredTable(
  source: OpenSource,
  layout: Layout,
  wanted: { readonly table: MirrorTable; readonly signal: AbortSignal; readonly log: (line: string) => void },
): Promise<DescribedTable | null> {
  const { table, signal, log } = wanted;
  for (let tries = 0; !signal.aborted; tries++) {
    const described = await describeIfThere(source, table);
    if (described !== null) return checkKey(table, described);
    if (table.key !== null) {
      await createTable(source, table, table.key);
      const { streamArn } = await describeTable(source.dynamodb, table.from);
      if (streamArn !== null) await markSnapshotDone(layout, table.name, epochOfStream(streamArn));
      continue;
    }
    if (tries === 0) log(`Waiting for the table ${table.from} to be created at ${source.name}.`);
    await delay(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/** Null where the embedded DynamoDB has no such table; elsewhere that is an error. */
async function describeIfThere(source: OpenSource, table: MirrorTable): Promise<DescribedTable | null> {
  try {
    return await describeTable(source.dynamodb, table.from);
  } catch (thrown) {
    const isMissing = thrown instanceof GlasshouseError && thrown.code === 'config';
    if (source.isEmbedded && isMissing) return null;
    throw thrown;
  }
}

function checkKey(table: MirrorTable, described: DescribedTable): DescribedTable {
  if (table.key === null) return described;
  const show = (key: NonNullable<MirrorTable['key']>): string =>
    key.map(({ attribute, type }) => `${attribute}: '${type}'`).join(', ');
  if (show(table.key) === show(described.key)) return described;
  throw new GlasshouseError(
    'config',
    `tables.${table.name}.key is { ${show(table.key)} }, but the table ${table.from} has { ${show(described.key)} }: write that, or leave the key out.`,
  );
}

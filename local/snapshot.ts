import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { scanTable } from '../adapters/aws/dynamodb-table.ts';
import { readTextIfThere, replaceFile } from '../adapters/files/atomic-file.ts';
import { GlasshouseError } from '../core/errors.ts';
import { parseStreamArn } from '../core/version.ts';
import type { Epoch } from '../core/version.ts';
import type { ChangeSource } from '../flows/ports.ts';
import type { Layout } from './layout.ts';

/**
 * A table's items as a source: each has the lowest version of the stream's epoch, so the scan and the stream run side by
 * side and whatever changed meanwhile wins. Scanned again after a stop, since repeating it changes nothing.
 */
export function createSnapshotSource(client: DynamoDBClient, table: string, epoch: Epoch): ChangeSource {
  return {
    async *batches(_from, signal) {
      const snapshot = { epoch, takenAtMicros: Date.now() * 1000 };
      for await (const page of scanTable(client, table, { signal })) {
        const deliveries = page.map(
          (item) => ({ kind: 'item', item, snapshot, place: { kind: 'scan', table } }) as const,
        );
        yield { deliveries, positions: null };
      }
    },
  };
}

/** The epoch of a stream. */
export function epochOfStream(streamArn: string): Epoch {
  const stream = parseStreamArn(streamArn);
  if (stream !== null) return stream.epoch;
  throw new GlasshouseError('unavailable', `The stream ARN ${streamArn} has no label that tells when it began.`);
}

/** Whether the snapshot of a table was taken whole in an epoch. */
export async function isSnapshotDone(layout: Layout, table: string, epoch: Epoch): Promise<boolean> {
  return (await snapshotEpoch(layout, table)) === epoch;
}

/** The epoch of the snapshot of a table that was taken last; null where none was, or none whole. */
export async function snapshotEpoch(layout: Layout, table: string): Promise<Epoch | null> {
  const text = await readTextIfThere(snapshotFile(layout, table));
  return text === null ? null : (JSON.parse(text) as { readonly epoch: Epoch }).epoch;
}

/** Written only after every item of the snapshot is durable in the changelog. */
export async function markSnapshotDone(layout: Layout, table: string, epoch: Epoch): Promise<void> {
  await replaceFile(snapshotFile(layout, table), `${JSON.stringify({ epoch })}\n`);
}

function snapshotFile(layout: Layout, table: string): string {
  return join(layout.state, 'snapshots', `${table}.json`);
}

import { GlasshouseError } from '../core/errors.ts';
import type { RedriveTableNote } from '../core/redrive-page.ts';
import type { DeliveryParts } from './deliver-changes.ts';
import { deliverChanges, rowStyleFor } from './deliver-changes.ts';
import type { Delivery, DeliveryStream } from './delivery-stream.ts';
import type { NewestSchema } from './open-capture.ts';
import { openCapture } from './open-capture.ts';
import type { RedriveTable } from './redrive-ports.ts';

/** The ways that the changes of any table of a mirror go. */
export interface RedriveWays extends Omit<DeliveryParts, 'table' | 'lakehouse' | 'warehouse'> {
  readonly registry: NewestSchema;
  /** A table's stream to a target; null where the mirror lacks the target. */
  streamOf(table: string, target: 'lakehouse' | 'warehouse'): DeliveryStream | null;
  /** Epoch milliseconds: nothing is put after that. */
  readonly untilMillis: number;
}

/** Opens a table for redrive; null where it has no schema yet, so that nothing of it was ever captured. */
export async function openRedriveTable(ways: RedriveWays, note: RedriveTableNote): Promise<RedriveTable | null> {
  const { registry, untilMillis, oversized, metrics } = ways;
  const { table, sourceTable, maxColumns } = note;
  if ((await registry.newest(table)) === null) return null;
  const streams = { lakehouse: ways.streamOf(table, 'lakehouse'), warehouse: ways.streamOf(table, 'warehouse') };
  const capture = await openCapture({ table, sourceTable, limits: { maxColumns } }, registry, rowStyleFor(streams));
  const parts = { table, ...streams, oversized, metrics };
  return {
    capture,
    async deliver(changes, schema) {
      const untaken = await deliverChanges(parts, changes, { schema, style: capture.style }, untilMillis);
      if (untaken.length > 0) throw notTaken(table, untaken.length, changes.length);
    },
    async putLines(target, lines) {
      const taken: Delivery | undefined = await streams[target]?.put(lines, untilMillis);
      if (taken === undefined || taken.untaken.length > 0)
        throw notTaken(`${table} for the ${target}`, taken?.untaken.length ?? lines.length, lines.length);
    },
  };
}

function notTaken(what: string, untaken: number, all: number): GlasshouseError {
  return new GlasshouseError(
    'throttled',
    `Firehose did not take ${untaken} of ${all} changes of ${what} in time. Nothing is lost: run \`glasshouse redrive --deployed\` again.`,
  );
}

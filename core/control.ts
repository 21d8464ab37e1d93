import type { TableSchema } from './schema.ts';
import { schemaFromJson, schemaToJson } from './schema.ts';

/** The items of a deployed mirror's control table: partition key `pk`, sort key `sk`, and what stands here. */
export interface ControlKey {
  readonly pk: string;
  readonly sk: string;
}

/** One version of a table's schema. */
export function schemaKey(table: string, version: number): ControlKey {
  return { pk: `schema#${table}`, sk: String(version).padStart(6, '0') };
}

/** How far a target of a table is. */
export function progressKey(table: string, target: 'lakehouse' | 'warehouse'): ControlKey {
  return { pk: `progress#${table}`, sk: target };
}

/** Who may work on something alone, until when: `merge#orders`, `load`. */
export function leaseKey(name: string): ControlKey {
  return { pk: `lease#${name}`, sk: '-' };
}

/** The load that was begun and not finished. */
export const LOAD_IN_FLIGHT_KEY: ControlKey = { pk: 'load', sk: 'in-flight' };

/** What loads cost on one day, `2026-11-22`. */
export function loadSpendKey(day: string): ControlKey {
  return { pk: 'load', sk: `spend#${day}` };
}

export interface Progress {
  /** The changelog snapshot that was merged last, or the load that was done last. Snapshot ids pass 2^53, so they are text. */
  readonly sequence: number;
  readonly snapshotId: string;
  /** Epoch microseconds of the newest commit that a reader of the target sees; null before the first. */
  readonly newestCommittedAtMicros: number | null;
  /** Epoch milliseconds of the last look that found nothing new or finished its work: up to then the target is known to be fresh. */
  readonly freshAtMillis: number | null;
  /** Changes taken in, ever. */
  readonly changes: number;
}

export interface Lease {
  readonly owner: string;
  /** Epoch milliseconds. */
  readonly untilMillis: number;
}

export function schemaText(schema: TableSchema): string {
  return JSON.stringify(schemaToJson(schema));
}

export function schemaOfText(text: string): TableSchema {
  return schemaFromJson(JSON.parse(text));
}

/** Fields in one order, so that the same progress is the same text. */
export function progressText(progress: Progress): string {
  const { sequence, snapshotId, newestCommittedAtMicros, freshAtMillis, changes } = progress;
  return JSON.stringify({ sequence, snapshotId, newestCommittedAtMicros, freshAtMillis, changes });
}

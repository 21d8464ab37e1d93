import { normaliseRecord } from '../../core/dynamodb/normalise.ts';
import { rowLayout } from '../../core/row.ts';
import type { Change } from '../../core/change.ts';
import { decodeRow } from '../../core/decode-row.ts';
import type { Envelope } from '../../core/envelope.ts';
import type { TableSchema } from '../../core/schema.ts';
import type { Target, TargetRow, TypedChange } from '../../flows/ports.ts';
import { ID_KEY, streamRecord } from './dynamodb.ts';

/** What happened to one key at one place of the stream; no image: it was deleted. */
export interface Happening {
  readonly id: string;
  readonly at: number;
  readonly image?: Readonly<Record<string, unknown>>;
}

/** The stream record of something that happened, as Lambda gets it. */
export function recordOf({ id, at, image }: Happening): Record<string, unknown> {
  return streamRecord({
    event: image === undefined ? 'REMOVE' : 'MODIFY',
    keys: { id: { S: id } },
    sequence: sequenceNumber(at),
    ...(image === undefined ? {} : { image }),
  });
}

/** A sequence number as DynamoDB's look: 21 digits. */
export function sequenceNumber(at: number): string {
  return (100_000_000_000_000_000_000n + BigInt(at)).toString();
}

/** When the envelopes of these tests were made. */
const CAPTURED_AT_MICROS = 1_790_000_001_000_000;

/** The change that capture makes of a happening. */
export function changeOf(happening: Happening, schema: TableSchema): Envelope {
  const layout = rowLayout(schema);
  const context = { table: null, key: ID_KEY, layout, capturedAtMicros: CAPTURED_AT_MICROS };
  return normaliseRecord(recordOf(happening), context).change;
}

/** A change as a target takes it. */
export function typedChange(change: Change, schema: TableSchema): TypedChange {
  return { change, row: change.row === null ? null : decodeRow(change.row, schema) };
}

/** Every current row of a target, in the order of the keys' hashes. */
export async function rowsOf(target: Target, schema: TableSchema): Promise<TargetRow[]> {
  const all: TargetRow[] = [];
  for await (const piece of target.rows(schema)) all.push(...piece);
  return all.sort((a, b) => (a.keyHash < b.keyHash ? -1 : 1));
}

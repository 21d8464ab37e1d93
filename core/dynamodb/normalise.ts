import type { Change } from '../change.ts';
import { MISFIT, fitValue } from '../fit.ts';
import type { SeenAttribute } from '../infer.ts';
import type { KeyAttribute } from '../key.ts';
import { keyHashOf, keyJson } from '../key.ts';
import type { JsonStyle } from '../json-text.ts';
import { memberPrefix } from '../json-text.ts';
import type { NormalisedRow, RowLayout, RowValue } from '../row.ts';
import { rowJson } from '../row.ts';
import type { Epoch } from '../version.ts';
import { snapshotVersion } from '../version.ts';
import { loneSurrogate, tagOf, typedJson } from './attribute-value.ts';
import type { Image } from './stream-record.ts';
import { parseStreamRecord } from './stream-record.ts';

/** What normalising needs to know of a table. */
export interface NormaliseContext {
  /** The DynamoDB table's name; null where records of any are taken. */
  readonly table: string | null;
  readonly key: readonly KeyAttribute[];
  readonly layout: RowLayout;
}

/** A change, its row before it becomes text (null for a delete), and the attributes that the schema does not know. */
export interface NormalisedChange {
  readonly change: Change;
  readonly row: NormalisedRow | null;
  readonly unknown: readonly SeenAttribute[];
}

const NONE: readonly SeenAttribute[] = [];

/**
 * One stream record as a change, its row normalised to the layout's schema. Attributes that the schema does not know are
 * named in `unknown`, and stand in `_rescued` (a NULL among them says nothing and is left out). Throws RecordFault
 * where the record cannot be captured.
 */
export function normaliseRecord(raw: unknown, context: NormaliseContext): NormalisedChange {
  const record = parseStreamRecord(raw, context.table);
  const key = keyJson(record.keys, context.key);
  const normalised = record.image === null ? null : normaliseImage(record.image, context.layout);
  const row = normalised?.row ?? null;
  const change: Change = {
    key,
    keyHash: keyHashOf(key),
    version: record.version,
    operation: record.operation,
    committedAtMicros: record.committedAtMicros,
    schemaVersion: context.layout.schema.version,
    row: row === null ? null : rowJson(row, context.layout),
    cause: record.cause,
  };
  return { change, row, unknown: normalised?.unknown ?? NONE };
}

/** The snapshot that an item was read in. */
export interface SnapshotPoint {
  readonly epoch: Epoch;
  /** Epoch microseconds: when the snapshot began. */
  readonly takenAtMicros: number;
}

/** An item of a snapshot as a change with the lowest version of its epoch, so that whatever the stream has wins. Throws as `normaliseRecord`. */
export function normaliseItem(item: Image, snapshot: SnapshotPoint, context: NormaliseContext): NormalisedChange {
  const key = keyJson(item, context.key);
  const { row, unknown } = normaliseImage(item, context.layout);
  const change: Change = {
    key,
    keyHash: keyHashOf(key),
    version: snapshotVersion(snapshot.epoch),
    operation: 'snapshot',
    committedAtMicros: snapshot.takenAtMicros,
    schemaVersion: context.layout.schema.version,
    row: rowJson(row, context.layout),
    cause: 'snapshot',
  };
  return { change, row, unknown };
}

/** An item's row. Every value is either in its column exactly, or whole in `rescued`. */
export function normaliseImage(
  image: Image,
  layout: RowLayout,
): { readonly row: NormalisedRow; readonly unknown: readonly SeenAttribute[] } {
  const values = new Array<RowValue>(layout.schema.columns.length).fill(undefined);
  let rescued: string[] | null = null;
  let unknown: SeenAttribute[] | null = null;
  for (const attribute in image) {
    const value = image[attribute];
    const tag = tagOf(value);
    const index = layout.columnOf.get(attribute);
    const column = index === undefined ? undefined : layout.schema.columns[index];
    if (index === undefined || column === undefined) {
      if (tag === 'NULL') continue;
      (unknown ??= []).push({ attribute, tag });
      (rescued ??= []).push(rescuedMember(attribute, value, layout.style));
      continue;
    }
    const fitted = fitValue(value, tag, column.type, layout.style);
    if (fitted === MISFIT) (rescued ??= []).push(rescuedMember(attribute, value, layout.style));
    else values[index] = fitted;
  }
  const row = { values, rescued: rescued === null ? null : `{${rescued.sort().join(',')}}` };
  return { row, unknown: unknown ?? NONE };
}

function rescuedMember(attribute: string, value: unknown, style: JsonStyle): string {
  if (!attribute.isWellFormed()) throw loneSurrogate("An attribute's name");
  return `${memberPrefix(attribute, style)}${typedJson(value, style)}`;
}

import type { Envelope } from '../envelope.ts';
import { MISFIT, fitValue } from '../fit.ts';
import type { SeenAttribute } from '../infer.ts';
import type { KeyAttribute } from '../key.ts';
import { keyHashOf, keyJson } from '../key.ts';
import type { JsonStyle } from '../json-text.ts';
import { flat, memberPrefix } from '../json-text.ts';
import type { NormalisedRow, RowLayout, RowValue } from '../row.ts';
import { rowJson } from '../row.ts';
import type { Epoch } from '../version.ts';
import { snapshotVersion } from '../version.ts';
import { loneSurrogate, tagOf, typedJson } from './attribute-value.ts';
import type { Image, RecordFrame } from './stream-record.ts';
import { parseStreamRecord } from './stream-record.ts';

/** What normalising needs to know of a table. */
export interface NormaliseContext {
  /** The DynamoDB table's name; null where records of any are taken. */
  readonly table: string | null;
  readonly key: readonly KeyAttribute[];
  readonly layout: RowLayout;
  /** Epoch microseconds: the time that the envelopes bear. */
  readonly capturedAtMicros: number;
}

/** A change in its envelope, and what capture must know of it beside. */
export interface NormalisedChange {
  readonly change: Envelope;
  /** Whether something of its row stands in `_rescued`. */
  readonly hasRescued: boolean;
  /** The attributes that the schema does not know. */
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
  const normalised = record.image === null ? null : normaliseImage(record.image, context.layout);
  return envelopeOf(record, normalised, context);
}

/** The snapshot that an item was read in. */
export interface SnapshotPoint {
  readonly epoch: Epoch;
  /** Epoch microseconds: when the snapshot began. */
  readonly takenAtMicros: number;
}

/** An item of a snapshot as a change with the lowest version of its epoch, so that whatever the stream has wins. Throws as `normaliseRecord`. */
export function normaliseItem(item: Image, snapshot: SnapshotPoint, context: NormaliseContext): NormalisedChange {
  const version = snapshotVersion(snapshot.epoch);
  const committedAtMicros = snapshot.takenAtMicros;
  return envelopeOf(
    { keys: item, version, operation: 'snapshot', committedAtMicros, cause: 'snapshot' },
    normaliseImage(item, context.layout),
    context,
  );
}

/** An image's row, and the attributes in it that the schema does not know. */
export interface NormalisedImage {
  readonly row: NormalisedRow;
  readonly unknown: readonly SeenAttribute[];
}

/** Puts a change into its envelope. `normalised` is null for a delete. Throws RecordFault where its key is none. */
export function envelopeOf(
  frame: RecordFrame,
  normalised: NormalisedImage | null,
  context: NormaliseContext,
): NormalisedChange {
  const { layout, capturedAtMicros } = context;
  const key = flat(keyJson(frame.keys, context.key));
  const change: Envelope = {
    key,
    keyHash: keyHashOf(key),
    version: frame.version,
    operation: frame.operation,
    committedAtMicros: frame.committedAtMicros,
    capturedAtMicros,
    schemaVersion: layout.schema.version,
    row: normalised === null ? null : flat(rowJson(normalised.row, layout)),
    cause: frame.cause,
  };
  return {
    change,
    hasRescued: normalised !== null && normalised.row.rescued !== null,
    unknown: normalised?.unknown ?? NONE,
  };
}

/** An item's row. Every value is either in its column exactly, or whole in `rescued`. */
export function normaliseImage(image: Image, layout: RowLayout): NormalisedImage {
  const values = new Array<RowValue>(layout.schema.columns.length).fill(undefined);
  let rescued: [attribute: string, member: string][] | null = null;
  let unknown: SeenAttribute[] | null = null;
  for (const attribute in image) {
    const value = image[attribute];
    const tag = tagOf(value);
    const index = layout.columnOf.get(attribute);
    const column = index === undefined ? undefined : layout.schema.columns[index];
    if (index === undefined || column === undefined) {
      if (tag === 'NULL') continue;
      (unknown ??= []).push({ attribute, tag });
      (rescued ??= []).push([attribute, rescuedMember(attribute, value, layout.style)]);
      continue;
    }
    const fitted = fitValue(value, tag, column.type, layout.style);
    if (fitted === MISFIT) (rescued ??= []).push([attribute, rescuedMember(attribute, value, layout.style)]);
    else values[index] = fitted;
  }
  const row = { values, rescued: rescued === null ? null : rescuedJson(rescued) };
  return { row, unknown: unknown ?? NONE };
}

/** By name, as `canonicalJson` has them; by their texts, a name would come after a longer one that begins with it and a blank. */
function rescuedJson(members: [attribute: string, member: string][]): string {
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([, member]) => member).join(',')}}`;
}

function rescuedMember(attribute: string, value: unknown, style: JsonStyle): string {
  if (!attribute.isWellFormed()) throw loneSurrogate("An attribute's name");
  return `${memberPrefix(attribute, style)}${typedJson(value, style)}`;
}

import { type KeySchemaElement } from './engine.ts';
import { itemBytes, type Item, type StoredItem } from './item.ts';

export const STREAM_VIEW_TYPES = ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE', 'OLD_IMAGE', 'KEYS_ONLY'] as const;
export type StreamViewType = (typeof STREAM_VIEW_TYPES)[number];

/** Who made a change: a client, or the service itself because the item had expired. */
export type Cause = 'user' | 'ttl';

/** A change of one item, as a stream record is made from it. At least one of `before` and `after` is there. */
export interface ItemChange {
  /** The first six hex digits of the hash of the partition key. */
  readonly hash: number;
  readonly before: StoredItem | undefined;
  readonly after: StoredItem | undefined;
  readonly cause: Cause;
}

/** Where and when a record was put into the stream. */
export interface RecordPlace {
  readonly region: string;
  readonly viewType: StreamViewType;
  readonly keySchema: readonly KeySchemaElement[];
  readonly eventId: string;
  readonly sequence: string;
  readonly nowMs: number;
}

/**
 * The JSON text of a stream record, as GetRecords gives it. It is put together from the texts in which the items are
 * stored, because writing them as JSON a second time would cost more than everything else here.
 */
export function recordText(change: ItemChange, place: RecordPlace): string {
  const { before, after } = change;
  const eventName = before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY';
  const keys = keyOf(after?.item ?? before?.item ?? {}, place.keySchema);
  const showsNew = place.viewType === 'NEW_AND_OLD_IMAGES' || place.viewType === 'NEW_IMAGE';
  const showsOld = place.viewType === 'NEW_AND_OLD_IMAGES' || place.viewType === 'OLD_IMAGE';
  const newImage = showsNew ? after : undefined;
  const oldImage = showsOld ? before : undefined;
  const sizeBytes =
    itemBytes(keys) + (newImage ? itemBytes(newImage.item) : 0) + (oldImage ? itemBytes(oldImage.item) : 0);
  return (
    `{"awsRegion":${JSON.stringify(place.region)},"dynamodb":{` +
    // Whole seconds, as the real service rounds down.
    `"ApproximateCreationDateTime":${Math.floor(place.nowMs / 1000)},"Keys":${JSON.stringify(keys)},` +
    (newImage ? `"NewImage":${newImage.text},` : '') +
    (oldImage ? `"OldImage":${oldImage.text},` : '') +
    `"SequenceNumber":"${place.sequence}","SizeBytes":${sizeBytes},"StreamViewType":"${place.viewType}"},` +
    `"eventID":"${place.eventId}","eventName":"${eventName}","eventSource":"aws:dynamodb","eventVersion":"1.1"` +
    (change.cause === 'ttl' ? ',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}}' : '}')
  );
}

/** The key attributes of an item. */
export function keyOf(item: Item, keySchema: readonly KeySchemaElement[]): Item {
  return Object.fromEntries(keySchema.map(({ AttributeName: name }) => [name, item[name]]));
}

import type { Delivered } from '../../flows/ports.ts';

/** The fields of a record that are read or changed here; all of them unchecked. */
interface Fields {
  eventSourceARN?: unknown;
  userIdentity?: unknown;
  readonly dynamodb?: unknown;
  readonly SequenceNumber?: unknown;
  readonly Type?: unknown;
  readonly type?: unknown;
  readonly PrincipalId?: unknown;
  readonly principalId?: unknown;
}

/**
 * Makes a record of GetRecords' own JSON into the record that Lambda gets: it names its stream, and `userIdentity` is in
 * lower camel case. The rest is the same on both ways (binary as base64, numbers as strings, the time as epoch seconds),
 * so the record is changed in place and nothing is copied. What is no object is delivered as unreadable.
 */
export function deliverRecord(raw: unknown, streamArn: string, shardId: string, previous: string): Delivered {
  const sequenceNumber = sequenceNumberOf(raw) ?? previous;
  const place = { kind: 'stream', shardId, sequenceNumber } as const;
  if (!isFields(raw)) {
    const reason = 'the stream delivered something that is no record';
    return { kind: 'unreadable', fault: 'not-a-record', reason, raw: JSON.stringify(raw), place };
  }
  raw.eventSourceARN ??= streamArn;
  const identity = raw.userIdentity;
  if (isFields(identity)) {
    raw.userIdentity = {
      type: identity.Type ?? identity.type,
      principalId: identity.PrincipalId ?? identity.principalId,
    };
  }
  return { kind: 'record', record: raw, place };
}

/** The record's sequence number; null where it has none that is a string. */
export function sequenceNumberOf(raw: unknown): string | null {
  if (!isFields(raw)) return null;
  const dynamodb = raw.dynamodb;
  if (!isFields(dynamodb)) return null;
  const sequenceNumber = dynamodb.SequenceNumber;
  return typeof sequenceNumber === 'string' ? sequenceNumber : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import type { Cause, Operation } from '../change.ts';
import type { Version } from '../version.ts';
import { UNKNOWN_EPOCH, parseStreamArn, versionAt } from '../version.ts';
import { RecordFault } from './fault.ts';

/** A DynamoDB item as a stream has it: attribute values by attribute name. */
export type Image = Readonly<Record<string, unknown>>;

/** A stream record whose frame is checked; its attribute values are checked where they are read. */
export interface StreamRecord {
  readonly operation: Operation;
  readonly version: Version;
  readonly committedAtMicros: number;
  readonly cause: Cause;
  readonly keys: Image;
  /** Null for a delete. */
  readonly image: Image | null;
}

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['INSERT', 'insert'],
  ['MODIFY', 'update'],
  ['REMOVE', 'delete'],
]);

/** 9999-12-31T23:59:59Z in epoch seconds: later ones, milliseconds among them, no target could hold. */
const LAST_SECOND = 253_402_300_799;

/** A record without its image. */
export type RecordFrame = Omit<StreamRecord, 'image'>;

/**
 * Reads a record as Lambda gets it. `table` is the DynamoDB table that it should come from (null: any).
 * Throws RecordFault where it is none.
 */
export function parseStreamRecord(raw: unknown, table: string | null): StreamRecord {
  const frame = parseFrame(raw, table);
  const body = (raw as { readonly dynamodb: Readonly<Record<string, unknown>> }).dynamodb;
  const image = frame.operation === 'delete' ? null : imageOf(body.NewImage, body.StreamViewType);
  // Not by spreading the frame, which takes longer than all the rest of it: some 3 µs.
  const { operation, version, committedAtMicros, cause, keys } = frame;
  return { operation, version, committedAtMicros, cause, keys, image };
}

/** Reads what a record has beside its image. Throws as `parseStreamRecord`. */
export function parseFrame(raw: unknown, table: string | null): RecordFrame {
  if (!isObject(raw)) throw notARecord('is no JSON object');
  const body = raw.dynamodb;
  const operation = typeof raw.eventName === 'string' ? OPERATIONS.get(raw.eventName) : undefined;
  if (!isObject(body)) throw notARecord('has no object `dynamodb`');
  if (operation === undefined)
    throw notARecord(`has the eventName ${JSON.stringify(raw.eventName)}, not INSERT, MODIFY or REMOVE`);
  const stream = streamOf(raw.eventSourceARN, table);
  const keys = body.Keys;
  if (!isObject(keys)) throw new RecordFault('no-keys', 'The record has no Keys.');
  return {
    operation,
    version: versionOf(stream.epoch, body.SequenceNumber),
    committedAtMicros: committedAt(body.ApproximateCreationDateTime, stream.epoch),
    cause: causeOf(raw.userIdentity),
    keys,
  };
}

interface StreamName {
  readonly epoch: typeof UNKNOWN_EPOCH;
}

/** The ARN seen last: all records of a batch have the same one. */
let lastArn = '';
let lastStream: { readonly table: string; readonly epoch: typeof UNKNOWN_EPOCH } | null = null;

function streamOf(arn: unknown, table: string | null): StreamName {
  if (arn === undefined) return { epoch: UNKNOWN_EPOCH };
  if (typeof arn !== 'string') throw notARecord('has an eventSourceARN that is no string');
  if (arn !== lastArn) {
    lastStream = parseStreamArn(arn);
    lastArn = arn;
  }
  if (lastStream === null)
    throw new RecordFault(
      'other-table',
      `The eventSourceARN ${JSON.stringify(arn.slice(0, 200))} is no DynamoDB stream's.`,
    );
  if (table !== null && lastStream.table !== table) {
    throw new RecordFault(
      'other-table',
      `The record is of the table ${JSON.stringify(lastStream.table)}, not of ${JSON.stringify(table)}.`,
    );
  }
  return lastStream;
}

function versionOf(epoch: StreamName['epoch'], sequenceNumber: unknown): Version {
  const version = typeof sequenceNumber === 'string' ? versionAt(epoch, sequenceNumber) : null;
  if (version !== null) return version;
  throw new RecordFault(
    'bad-sequence',
    `The SequenceNumber ${JSON.stringify(sequenceNumber)} is not a string of 1 to 40 digits.`,
  );
}

/** Epoch microseconds; where the record does not say, the start of its stream, so that a replay always gives the same. */
function committedAt(seconds: unknown, epoch: StreamName['epoch']): number {
  if (typeof seconds === 'number' && seconds >= 0 && seconds <= LAST_SECOND) return Math.round(seconds * 1_000_000);
  if (seconds !== undefined)
    throw notARecord(`has the ApproximateCreationDateTime ${JSON.stringify(seconds)}, not a number of epoch seconds`);
  if (epoch === UNKNOWN_EPOCH) return 0;
  const at = (from: number, to: number): number => Number(epoch.slice(from, to));
  return Date.UTC(at(0, 4), at(4, 6) - 1, at(6, 8), at(8, 10), at(10, 12), at(12, 14), at(14, 17)) * 1000;
}

/** A TTL delete bears the identity of the DynamoDB service. Lambda and the Streams API spell its fields differently. */
function causeOf(identity: unknown): Cause {
  if (!isObject(identity)) return 'user';
  const type = identity.type ?? identity.Type;
  const principal = identity.principalId ?? identity.PrincipalId;
  return type === 'Service' && principal === 'dynamodb.amazonaws.com' ? 'ttl' : 'user';
}

function imageOf(image: unknown, viewType: unknown): Image {
  if (isObject(image)) return image;
  const view = typeof viewType === 'string' ? viewType : 'unknown';
  throw new RecordFault(
    'no-image',
    `The record has no NewImage (its stream view is ${view}); set the stream's view to NEW_IMAGE or NEW_AND_OLD_IMAGES.`,
  );
}

function notARecord(how: string): RecordFault {
  return new RecordFault('not-a-record', `The record ${how}; a DynamoDB stream record, as Lambda gets it, is needed.`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

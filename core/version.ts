import { GlasshouseError } from './errors.ts';

/**
 * A point in the history of one source: `<epoch>-<position>`, 17 and 40 digits. Within a source, string order is
 * history order, in every engine, since the width is fixed and only digits and one hyphen occur.
 */
export type Version = string & { readonly brand: 'Version' };

/** 17 digits, `yyyyMMddHHmmssSSS`: when the stream (or the resync) that a version belongs to began, in UTC. */
export type Epoch = string & { readonly brand: 'Epoch' };

export const EPOCH_DIGITS = 17;
export const POSITION_DIGITS = 40;

/** The epoch of records that do not say which stream they came from. Every other epoch is greater. */
export const UNKNOWN_EPOCH = '0'.repeat(EPOCH_DIGITS) as Epoch;

const SNAPSHOT_POSITION = '0'.repeat(POSITION_DIGITS);
const DIGITS = /^[0-9]+$/;
const VERSION = /^[0-9]{17}-[0-9]{40}$/;
const STREAM_LABEL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3}))?$/;

/** The version of a change that stands at `sequenceNumber` (1 to 40 digits) in the stream of `epoch`. */
export function streamVersion(epoch: Epoch, sequenceNumber: string): Version {
  const version = versionAt(epoch, sequenceNumber);
  if (version !== null) return version;
  throw new GlasshouseError(
    'input',
    `The sequence number ${JSON.stringify(sequenceNumber)} is not 1 to ${POSITION_DIGITS} digits; send the record as the stream gave it.`,
  );
}

/** The same; null where the sequence number is none. */
export function versionAt(epoch: Epoch, sequenceNumber: string): Version | null {
  const { length } = sequenceNumber;
  if (length > POSITION_DIGITS || !DIGITS.test(sequenceNumber)) return null;
  return (versionPrefix(epoch, POSITION_DIGITS - length) + sequenceNumber) as Version;
}

/** The prefix made last: all records of a batch mostly have the same one. */
let lastPrefix = '';

/** The epoch, the hyphen, and so many zeros. */
function versionPrefix(epoch: Epoch, zeros: number): string {
  const isSame = lastPrefix.length === EPOCH_DIGITS + 1 + zeros && lastPrefix.startsWith(epoch);
  if (!isSame) lastPrefix = `${epoch}-${'0'.repeat(zeros)}`;
  return lastPrefix;
}

/** The version of every row of a snapshot: the lowest of its epoch, so whatever the stream has wins. */
export function snapshotVersion(epoch: Epoch): Version {
  return `${epoch}-${SNAPSHOT_POSITION}` as Version;
}

export function parseVersion(text: string): Version {
  if (!VERSION.test(text)) {
    throw new GlasshouseError('corrupt', `${JSON.stringify(text)} is not a version: 17 digits, a hyphen, 40 digits.`);
  }
  return text as Version;
}

export function epochOf(version: Version): Epoch {
  return version.slice(0, EPOCH_DIGITS) as Epoch;
}

/** The epoch of a DynamoDB stream label such as `2026-11-22T19:50:03.123`, or null where it is no such label. */
export function epochOfStreamLabel(label: string): Epoch | null {
  const parts = STREAM_LABEL.exec(label);
  if (!parts) return null;
  const [, year, month, day, hour, minute, second, fraction = ''] = parts;
  return `${year}${month}${day}${hour}${minute}${second}${fraction.padEnd(3, '0')}` as Epoch;
}

/** Where a DynamoDB stream ARN points: its table's name and the epoch of its label; null where it is no such ARN. */
export function parseStreamArn(arn: string): { readonly table: string; readonly epoch: Epoch } | null {
  const match = /^arn:[^:]+:dynamodb:[^:]*:[^:]*:table\/([^/]+)\/stream\/(.+)$/.exec(arn);
  const epoch = match?.[2] === undefined ? null : epochOfStreamLabel(match[2]);
  return match?.[1] === undefined || epoch === null ? null : { table: match[1], epoch };
}

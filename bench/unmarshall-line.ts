import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { NumberValueImpl, unmarshall } from '@aws-sdk/util-dynamodb';
import { streamVersion } from '../core/version.ts';
import type { Epoch } from '../core/version.ts';
import { BENCH_KEY } from './records.ts';

/** A DynamoDB stream record as Lambda gets it: as much of it as the line needs. */
export interface LambdaRecord {
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly dynamodb: {
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Record<string, AttributeValue>;
    readonly NewImage?: Record<string, AttributeValue>;
    readonly SequenceNumber: string;
  };
}

const OPERATIONS = { INSERT: 'insert', MODIFY: 'update', REMOVE: 'delete' } as const;

/**
 * The floor of normalising: the envelope's line made in the way that is at hand, with the SDK's `unmarshall`. It has the
 * same fields and values, but checks nothing, sorts nothing, and knows no columns.
 */
export function unmarshallLine(record: LambdaRecord, epoch: Epoch, capturedAtMicros: number): string {
  const { Keys, NewImage, SequenceNumber, ApproximateCreationDateTime } = record.dynamodb;
  const keys = unmarshall(Keys, { wrapNumbers: true });
  const key = JSON.stringify(BENCH_KEY.map((attribute) => flatten(keys[attribute])));
  const row = NewImage === undefined ? null : flatten(unmarshall(NewImage, { wrapNumbers: true }));
  return JSON.stringify({
    _key: key,
    _key_hash: createHash('sha256').update(key).digest('hex').slice(0, 32),
    _version: streamVersion(epoch, SequenceNumber),
    _op: OPERATIONS[record.eventName],
    _committed_at: ApproximateCreationDateTime * 1_000_000,
    _captured_at: capturedAtMicros,
    _schema: 1,
    _row: row === null ? null : JSON.stringify(row),
    _cause: 'user',
  });
}

/** What JSON has no form for becomes what has: sets are arrays, bytes are base64, numbers are their exact text. */
function flatten(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof NumberValueImpl) return value.value;
  if (Array.isArray(value)) return value.map(flatten);
  if (value instanceof Set) return [...value].map(flatten);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, flatten(member)]));
}

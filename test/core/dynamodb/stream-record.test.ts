import { describe, expect, it } from 'vitest';
import { RecordFault } from '../../../core/dynamodb/fault.ts';
import { parseStreamRecord } from '../../../core/dynamodb/stream-record.ts';
import type { StreamRecord } from '../../../core/dynamodb/stream-record.ts';
import { streamRecord } from '../../support/dynamodb.ts';

const ARN = 'arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-22T10:00:00.000';

function faultOf(record: unknown, table: string | null = 'orders'): string {
  try {
    parseStreamRecord(record, table);
  } catch (thrown) {
    if (thrown instanceof RecordFault) return `${thrown.kind}: ${thrown.message}`;
    throw thrown;
  }
  return 'none';
}

/** A record with some fields of its `dynamodb` set, or left out where undefined. */
function withBody(change: Readonly<Record<string, unknown>>, event: 'MODIFY' | 'REMOVE' = 'MODIFY'): unknown {
  const record = streamRecord({ event });
  return JSON.parse(JSON.stringify({ ...record, dynamodb: { ...(record.dynamodb as object), ...change } }));
}

function read(record: unknown): StreamRecord {
  return parseStreamRecord(record, 'orders');
}

describe('a record of the stream', () => {
  it('is read with its version, its time, its keys and its image', () => {
    expect(
      read(
        streamRecord({
          event: 'MODIFY',
          image: { a: { S: 'x' } },
          sequence: '4421584500000000017450439091',
          at: 1_790_000_000,
        }),
      ),
    ).toEqual({
      operation: 'update',
      version: '20261122100000000-0000000000004421584500000000017450439091',
      committedAtMicros: 1_790_000_000_000_000,
      cause: 'user',
      keys: { id: { S: 'a' } },
      image: { id: { S: 'a' }, a: { S: 'x' } },
    });
    expect(read(streamRecord({ event: 'INSERT' })).operation).toBe('insert');
  });

  it('has no image where it is a delete, whatever old image it brings', () => {
    const removed = read(withBody({ OldImage: { id: { S: 'a' } }, NewImage: { id: { S: 'a' } } }, 'REMOVE'));
    expect([removed.operation, removed.image]).toEqual(['delete', null]);
  });

  it('keeps a fraction of a second to the microsecond', () => {
    expect(read(withBody({ ApproximateCreationDateTime: 1_790_000_000.123456 })).committedAtMicros).toBe(
      1_790_000_000_123_456,
    );
  });

  it('without a time bears the start of its stream, so that a replay gives the same', () => {
    expect(read(withBody({ ApproximateCreationDateTime: undefined })).committedAtMicros).toBe(
      Date.UTC(2026, 10, 22, 10) * 1000,
    );
  });

  it('without an ARN has the epoch below all others', () => {
    const { version } = read({ ...streamRecord({}), eventSourceARN: undefined });
    expect(version).toMatch(/^0{17}-0{19}100000000000000000001$/);
    expect(version < read(streamRecord({ sequence: '1' })).version).toBe(true);
  });

  it('is taken of any table where none is asked for', () => {
    expect(parseStreamRecord(streamRecord({ table: 'customers' }), null).operation).toBe('insert');
  });

  it.each([
    ['as Lambda spells it', { type: 'Service', principalId: 'dynamodb.amazonaws.com' }, 'ttl'],
    ['as the Streams API spells it', { Type: 'Service', PrincipalId: 'dynamodb.amazonaws.com' }, 'ttl'],
    ['of another service', { type: 'Service', principalId: 'replication.dynamodb.amazonaws.com' }, 'user'],
    ['of a user', { type: 'AssumedRole', principalId: 'dynamodb.amazonaws.com' }, 'user'],
    ['of a form that is not known', 'dynamodb.amazonaws.com', 'user'],
    ['that is not there', undefined, 'user'],
  ])('tells a TTL delete by its identity, %s', (_, userIdentity, cause) => {
    expect(read({ ...streamRecord({ event: 'REMOVE' }), userIdentity }).cause).toBe(cause);
  });
});

describe('a record that cannot be captured is refused with its reason', () => {
  it.each([
    ['no object', 5, /^not-a-record/],
    ['null', null, /^not-a-record/],
    ['a list', [], /^not-a-record/],
    ['an empty object', {}, /^not-a-record: .*`dynamodb`/],
    ['without its body', { ...streamRecord({}), dynamodb: undefined }, /^not-a-record: .*`dynamodb`/],
    ['of another event', { ...streamRecord({}), eventName: 'UPSERT' }, /^not-a-record: .*"UPSERT"/],
    [
      'of an event that JavaScript’s objects know',
      { ...streamRecord({}), eventName: 'constructor' },
      /^not-a-record: .*"constructor"/,
    ],
    ['without its event', { ...streamRecord({}), eventName: undefined }, /^not-a-record/],
    ['without keys', withBody({ Keys: undefined }), /^no-keys/],
    ['with keys of another form', withBody({ Keys: 'a' }), /^no-keys/],
    ['of another table', streamRecord({ table: 'customers' }), /^other-table: .*"customers", not of "orders"/],
    [
      'of no DynamoDB stream',
      { ...streamRecord({}), eventSourceARN: 'arn:aws:kinesis:eu-west-1:1:stream/x' },
      /^other-table: .*kinesis/,
    ],
    ['with an ARN that is empty', { ...streamRecord({}), eventSourceARN: '' }, /^other-table/],
    ['with an ARN that is no text', { ...streamRecord({}), eventSourceARN: 7 }, /^not-a-record/],
    [
      'without a new image',
      withBody({ NewImage: undefined, StreamViewType: 'KEYS_ONLY' }),
      /^no-image: .*KEYS_ONLY.*NEW_IMAGE/,
    ],
    ['with an image of another form', withBody({ NewImage: [] }), /^no-image/],
    ['without a sequence number', withBody({ SequenceNumber: undefined }), /^bad-sequence/],
    ['with a sequence number that is a number', withBody({ SequenceNumber: 100 }), /^bad-sequence/],
    ['with a sequence number of words', withBody({ SequenceNumber: 'first' }), /^bad-sequence: .*"first"/],
    ['with a sequence number of 41 digits', withBody({ SequenceNumber: '1'.repeat(41) }), /^bad-sequence/],
    ['with a time of words', withBody({ ApproximateCreationDateTime: 'now' }), /^not-a-record: .*"now"/],
    ['with a time in milliseconds', withBody({ ApproximateCreationDateTime: 1.79e12 }), /^not-a-record/],
    ['with a time that no calendar has', withBody({ ApproximateCreationDateTime: 1e300 }), /^not-a-record/],
    ['with a time before 1970', withBody({ ApproximateCreationDateTime: -1 }), /^not-a-record/],
    ['with a time that is null', withBody({ ApproximateCreationDateTime: null }), /^not-a-record/],
  ])('%s', (_, record, fault) => {
    expect(faultOf(record)).toMatch(fault);
  });

  it('and the one after it is read as ever', () => {
    faultOf(streamRecord({ table: 'customers' }));
    faultOf({ ...streamRecord({}), eventSourceARN: 'no ARN' });
    expect(read({ ...streamRecord({}), eventSourceARN: ARN }).version).toMatch(/^20261122100000000-/);
  });
});

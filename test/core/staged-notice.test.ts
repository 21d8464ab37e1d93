import { describe, expect, it } from 'vitest';
import { readNotice } from '../../core/staged-notice.ts';

const record = (key: string, more: Readonly<Record<string, unknown>> = {}) => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  eventName: 'ObjectCreated:Put',
  s3: { bucket: { name: 'staging' }, object: { key, size: 123, versionId: 'v1' } },
  ...more,
});
const body = (...records: readonly unknown[]): string => JSON.stringify({ Records: records });

describe('a notice', () => {
  it('names its objects by table, with their keys decoded', () => {
    expect(
      readNotice(body(record('staged/orders/a+b/caf%C3%A9%2B.gz'), record('staged/users/1.gz')), 'staging'),
    ).toEqual({
      kind: 'objects',
      objects: [
        { table: 'orders', url: 's3://staging/staged/orders/a b/café+.gz', bytes: 123 },
        { table: 'users', url: 's3://staging/staged/users/1.gz', bytes: 123 },
      ],
    });
  });

  it('that only tests the way is known', () => {
    expect(readNotice('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"staging"}', 'staging')).toEqual({
      kind: 'test',
    });
  });

  it.each([
    ['no JSON', 'nonsense', 'it is no JSON object'],
    ['null', 'null', 'it is no JSON object'],
    ['no records', '{"Records":[]}', 'it has no S3 event records'],
    [
      'another bucket',
      body(record('staged/a/b', { s3: { bucket: { name: 'x' }, object: { key: 'staged/a/b' } } })),
      'not of staging',
    ],
    ['another event', body(record('staged/a/b', { eventName: 'ObjectRemoved:Delete' })), 'no object was made'],
    ['another prefix', body(record('errors/a/b')), 'does not fit staged/<table>/…'],
    ['no table', body(record('staged/b')), 'does not fit staged/<table>/…'],
    ['a folder', body(record('staged/b/')), 'does not fit staged/<table>/…'],
    ['a key that is not encoded right', body(record('staged/a/%E0%A4%A')), 'does not fit staged/<table>/…'],
    ['one record that fits and one that does not', body(record('staged/a/b'), record('x')), 'does not fit'],
  ])('with %s is a stray that says why', (_, text, reason) => {
    const notice = readNotice(text, 'staging');
    expect(notice.kind === 'stray' && notice.reason).toContain(reason);
  });
});

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { S3OversizedValues, S3Quarantine } from '../../../adapters/aws/s3-quarantine.ts';
import type { QuarantineEntry } from '../../../flows/ports.ts';
import { quarantineContract } from '../../support/contracts/quarantine.ts';
import { createFakeBucket } from '../../support/fake-s3.ts';

quarantineContract('S3', () => new S3Quarantine(createFakeBucket().client, 'control'));

const ENTRY: QuarantineEntry = {
  table: 'orders',
  kind: 'no-keys',
  reason: 'The record has no Keys.',
  place: { kind: 'stream', shardId: '', sequenceNumber: '100000000000000000001' },
  raw: '{"eventName":"INSERT"}',
  quarantinedAtMillis: Date.UTC(2026, 10, 22, 23, 59),
};

describe('the quarantine in S3', () => {
  it('puts a batch into one object, by day, which the same batch writes over', async () => {
    const bucket = createFakeBucket();
    const quarantine = new S3Quarantine(bucket.client, 'control');
    await quarantine.put([ENTRY, { ...ENTRY, raw: '{}' }]);
    await quarantine.put(
      [ENTRY, { ...ENTRY, raw: '{}' }].map((one) => ({ ...one, quarantinedAtMillis: ENTRY.quarantinedAtMillis + 900 })),
    );
    const [key, bytes] = [...bucket.objects][0] ?? ['', null];
    expect(bucket.objects.size).toBe(1);
    expect(key).toMatch(/^quarantine\/orders\/2026\/11\/22\/[0-9a-f]{32}\.ndjson$/);
    const lines = bytes?.toString().split('\n') ?? [];
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[0] ?? '')).toEqual({ ...ENTRY, quarantinedAtMillis: ENTRY.quarantinedAtMillis + 900 });
  });

  it('puts the entries of each table into an object of its own', async () => {
    const bucket = createFakeBucket();
    await new S3Quarantine(bucket.client, 'control').put([ENTRY, { ...ENTRY, table: 'customers' }]);
    expect([...bucket.objects.keys()].map((key) => key.split('/')[1])).toEqual(['orders', 'customers']);
  });

  it('counts over many objects, and over one that was sent through again meanwhile', async () => {
    const bucket = createFakeBucket();
    const quarantine = new S3Quarantine(bucket.client, 'control');
    for (let at = 0; at < 5; at++) await quarantine.put([{ ...ENTRY, raw: String(at) }]);
    expect(await quarantine.counts('orders')).toEqual({ 'no-keys': 5 });
  });

  it.each([
    ['SlowDown', /Could not write s3:\/\/control\/quarantine\/orders\/.*fewer requests/],
    ['AccessDenied', /Could not write s3:\/\/control\/quarantine\/orders\//],
  ])('says so where S3 answers %s', async (name, message) => {
    const client = new S3Client({ region: 'us-east-1' });
    mockClient(client)
      .on(PutObjectCommand)
      .rejects(Object.assign(new Error('no'), { name }));
    await expect(new S3Quarantine(client, 'control').put([ENTRY])).rejects.toThrow(message);
  });
});

describe('values that are too large to travel', () => {
  it('are each an object under its key', async () => {
    const bucket = createFakeBucket();
    const values = Array.from({ length: 20 }, (_, at) => ({
      key: `oversized/orders/${at}`,
      content: Buffer.from([at]),
    }));
    await new S3OversizedValues(bucket.client, 'control').put([...values, ...values]);
    expect([...bucket.objects]).toEqual(values.map(({ key, content }) => [key, content]));
  });

  it('fail as a whole where one of them does', async () => {
    const client = new S3Client({ region: 'us-east-1' });
    mockClient(client)
      .on(PutObjectCommand)
      .resolvesOnce({})
      .rejects(Object.assign(new Error('no'), { name: 'SlowDown' }));
    const values = [1, 2].map((at) => ({ key: `oversized/orders/${at}`, content: Buffer.from([at]) }));
    await expect(new S3OversizedValues(client, 'control').put(values)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

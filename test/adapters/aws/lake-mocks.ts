import { EntityNotFoundException, GetTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetObjectCommand, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { S3LakeFiles } from '../../../adapters/aws/s3-iceberg.ts';
import type { Timing } from '../../../adapters/aws/timing.ts';
import type { ForeignLake } from '../../support/foreign-lake.ts';

/** A clock that goes on only while somebody waits. */
export function testTiming(): Timing & { readonly waited: number[] } {
  let now = 1_790_000_000_000;
  const waited: number[] = [];
  return {
    waited,
    now: () => now,
    chance: () => 0.5,
    wait: (ms) => {
      now += ms;
      waited.push(ms);
      return Promise.resolve();
    },
  };
}

/** Glue and S3 with one changelog in them, `orders__changes`, and what reads it. */
export function lakeOnAws(lake: ForeignLake) {
  const glue = mockClient(GlueClient);
  const s3 = mockClient(S3Client);
  const timing = testTiming();
  /** Fails the next reads of S3, one after the other. */
  const failures: Error[] = [];
  glue.on(GetTableCommand).callsFake(({ Name }: { Name: string }) => {
    if (Name !== 'orders__changes')
      throw new EntityNotFoundException({ message: `Table ${Name} not found.`, $metadata: {} });
    return { Table: { Name, Parameters: { metadata_location: lake.location } } };
  });
  s3.on(GetObjectCommand).callsFake(({ Bucket, Key }: { Bucket: string; Key: string }) => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    const bytes = lake.objects.get(`s3://${Bucket}/${Key}`);
    if (bytes === undefined) throw new NoSuchKey({ message: 'The specified key does not exist.', $metadata: {} });
    return { Body: { transformToByteArray: () => Promise.resolve(bytes) } };
  });
  const access = {
    client: new GlueClient({ region: 'eu-west-1' }),
    place: { database: 'shop', bucket: 'lake' },
    caller: 'a test',
    timing,
    patienceMs: 5_000,
  };
  const open = () => new S3LakeFiles(access, new S3Client({ region: 'eu-west-1' }));
  return { glue, s3, timing, failures, open, files: open() };
}

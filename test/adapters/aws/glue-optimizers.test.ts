import { CreateTableOptimizerCommand, UpdateTableOptimizerCommand } from '@aws-sdk/client-glue';
import { describe, expect, it } from 'vitest';
import { GlueOptimizers } from '../../../adapters/aws/glue-optimizers.ts';
import { GlueTables } from '../../../adapters/aws/glue-tables.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { virtualTiming } from '../../support/fake-dynamodb-streams.ts';
import { FakeGlue, throttled } from '../../support/fake-glue.ts';

async function open(snapshotDays = 5, settleMs = 0) {
  const glue = new FakeGlue('shop');
  const place = { database: 'shop', bucket: 'lake' };
  const access = {
    client: glue.client,
    place,
    caller: 'the test',
    timing: virtualTiming(),
    settleMs,
    patienceMs: 60_000,
  };
  await new GlueTables(access).ensure('orders', schemaOf());
  return {
    glue,
    upkeep: new GlueOptimizers(access, { roleArn: 'arn:aws:iam::123456789012:role/keeper', snapshotDays }),
  };
}

describe('keepUp', () => {
  it('sets the three optimizers of both tables, in the catalog that Glue names', async () => {
    const { glue, upkeep } = await open(7);
    await upkeep.keepUp('orders');
    expect([...glue.optimizers.keys()].sort()).toEqual([
      'orders compaction',
      'orders orphan_file_deletion',
      'orders retention',
      'orders__changes compaction',
      'orders__changes orphan_file_deletion',
      'orders__changes retention',
    ]);
    for (const request of glue.optimizers.values()) {
      expect(request).toMatchObject({
        CatalogId: '123456789012',
        DatabaseName: 'shop',
        TableOptimizerConfiguration: { roleArn: 'arn:aws:iam::123456789012:role/keeper', enabled: true },
      });
    }
    const of = (key: string) => glue.optimizers.get(key)?.TableOptimizerConfiguration;
    expect(of('orders compaction')?.compactionConfiguration).toEqual({ icebergConfiguration: { strategy: 'binpack' } });
    expect(of('orders retention')?.retentionConfiguration?.icebergConfiguration).toEqual({
      snapshotRetentionPeriodInDays: 7,
      numberOfSnapshotsToRetain: 1,
      cleanExpiredFiles: true,
      runRateInHours: 24,
    });
    expect(of('orders orphan_file_deletion')?.orphanFileDeletionConfiguration?.icebergConfiguration).toEqual({
      orphanFileRetentionPeriodInDays: 3,
      location: 's3://lake/tables/orders/iceberg',
      runRateInHours: 24,
    });
  });

  it('keeps a changelog’s snapshots for a day, and what Firehose could not commit for a month', async () => {
    const { glue, upkeep } = await open(30);
    await upkeep.keepUp('orders');
    const of = (key: string) => glue.optimizers.get(key)?.TableOptimizerConfiguration;
    expect(of('orders__changes retention')?.retentionConfiguration?.icebergConfiguration).toMatchObject({
      snapshotRetentionPeriodInDays: 1,
      runRateInHours: 3,
    });
    expect(
      of('orders__changes orphan_file_deletion')?.orphanFileDeletionConfiguration?.icebergConfiguration,
    ).toMatchObject({
      orphanFileRetentionPeriodInDays: 30,
      location: 's3://lake/tables/orders__changes/iceberg',
    });
  });

  it('updates those that are there', async () => {
    const { glue, upkeep } = await open();
    await upkeep.keepUp('orders');
    await upkeep.keepUp('orders');
    expect(glue.mock.commandCalls(UpdateTableOptimizerCommand)).toHaveLength(6);
  });

  it('waits out throttling', async () => {
    const { glue, upkeep } = await open();
    glue.mock.on(CreateTableOptimizerCommand).rejectsOnce(throttled()).resolves({});
    await upkeep.keepUp('orders');
    expect(glue.mock.commandCalls(CreateTableOptimizerCommand)).toHaveLength(7);
  });

  it('takes a role that cannot be used yet for one that was made a moment ago', async () => {
    const { glue, upkeep } = await open(5, 30_000);
    const unusable = Object.assign(new Error('Glue cannot assume the role'), { name: 'ValidationException' });
    glue.mock.on(CreateTableOptimizerCommand).rejectsOnce(unusable).rejectsOnce(unusable).resolves({});
    await upkeep.keepUp('orders');
    expect(glue.mock.commandCalls(CreateTableOptimizerCommand)).toHaveLength(8);
  });

  it('says which optimizer was refused, and to whom', async () => {
    const { glue, upkeep } = await open();
    const denied = Object.assign(new Error('not authorized to perform: iam:PassRole'), {
      name: 'AccessDeniedException',
    });
    glue.mock.on(CreateTableOptimizerCommand).rejects(denied);
    await expect(upkeep.keepUp('orders')).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(
        /set the compaction optimizer of the Glue table orders__changes.*the test.*iam:PassRole/,
      ) as string,
    });
  });

  it('says that a table is missing', async () => {
    const { glue, upkeep } = await open();
    glue.tables.delete('orders');
    await expect(upkeep.keepUp('orders')).rejects.toThrow(/shop\.orders is missing, so its optimizers/);
  });
});

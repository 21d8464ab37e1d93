import { DescribeStreamCommand, type DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { ListedShard } from './shard-lineage.ts';

/** A stream as DescribeStream shows it, all pages together. */
export interface StreamListing {
  /** Oldest first, as the service lists them. */
  readonly shards: readonly ListedShard[];
  readonly status: 'enabling' | 'enabled' | 'disabling' | 'disabled';
}

const STATUS: Readonly<Record<string, StreamListing['status']>> = {
  ENABLING: 'enabling',
  ENABLED: 'enabled',
  DISABLING: 'disabling',
  DISABLED: 'disabled',
};

/** Lists every shard that the stream still has. Throws what the SDK throws. */
export async function listStream(
  client: DynamoDBStreamsClient,
  streamArn: string,
  signal: AbortSignal,
): Promise<StreamListing> {
  const shards = new Map<string, ListedShard>();
  let status: StreamListing['status'] = 'enabled';
  let after: string | undefined;
  do {
    const page = await client.send(new DescribeStreamCommand({ StreamArn: streamArn, ExclusiveStartShardId: after }), {
      abortSignal: signal,
    });
    const description = page.StreamDescription;
    status = STATUS[description?.StreamStatus ?? 'ENABLED'] ?? 'enabled';
    for (const shard of description?.Shards ?? []) {
      if (shard.ShardId === undefined) continue;
      shards.set(shard.ShardId, {
        shardId: shard.ShardId,
        parentShardId: shard.ParentShardId ?? null,
        startingSequenceNumber: shard.SequenceNumberRange?.StartingSequenceNumber ?? null,
      });
    }
    after = description?.LastEvaluatedShardId;
  } while (after !== undefined);
  return { shards: [...shards.values()], status };
}

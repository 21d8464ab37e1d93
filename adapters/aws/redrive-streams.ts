import type { FirehoseClient } from '@aws-sdk/client-firehose';
import { deliveryStreamName } from '../../core/aws-names.ts';
import type { DeliveryStream } from '../../flows/delivery-stream.ts';
import type { Log } from '../../flows/log.ts';
import { FirehoseDelivery } from './firehose-delivery.ts';
import { systemTiming } from './timing.ts';

/** What says which targets a mirror has: an empty bucket is a target that is not there. */
export interface MirrorTargets {
  readonly MIRROR: string;
  readonly LAKE_BUCKET: string;
  readonly STAGING_BUCKET: string;
}

/** The Firehose streams of all tables of a mirror, found by their names. */
export function firehoseStreams(
  client: FirehoseClient,
  { MIRROR: mirror, LAKE_BUCKET: lake, STAGING_BUCKET: staging }: MirrorTargets,
  log: Log,
): (table: string, target: 'lakehouse' | 'warehouse') => DeliveryStream | null {
  return (table, target) => {
    if ((target === 'lakehouse' ? lake : staging) === '') return null;
    const packing = target === 'lakehouse' ? 'apart' : 'together';
    const streamName = deliveryStreamName(mirror, table, target);
    return new FirehoseDelivery(client, { streamName, packing, timing: systemTiming, log });
  };
}

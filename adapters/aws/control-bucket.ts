import type { OversizedValues } from '../../flows/oversized-values.ts';
import type { Quarantine } from '../../flows/ports.ts';

export interface ControlBucket {
  readonly quarantine: Quarantine;
  readonly oversized: OversizedValues;
}

/**
 * A mirror's control bucket. Most functions never write to it, so the client of S3, a third of what there is to load, is
 * loaded when it is first needed. `traced` is given the client.
 */
export function openControlBucket(bucket: string, traced: <Client>(client: Client) => Client): ControlBucket {
  let opened: Promise<ControlBucket> | null = null;
  const open = (): Promise<ControlBucket> =>
    (opened ??= import('./s3-quarantine.ts').then(({ openS3Stores }) => openS3Stores(bucket, traced)));
  return {
    quarantine: {
      put: async (entries) => (await open()).quarantine.put(entries),
      counts: async (table) => (await open()).quarantine.counts(table),
    },
    oversized: { bucket, put: async (values) => (await open()).oversized.put(values) },
  };
}

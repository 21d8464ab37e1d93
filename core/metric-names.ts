/** The CloudWatch namespace of every metric of a deployed mirror. */
export const METRIC_NAMESPACE = 'Glasshouse';

/** The unit of each metric. Dimensions are `mirror`, `table`, and for those of a target `target` (`lakehouse` or `warehouse`). */
export const METRICS = {
  /** Changes that were handed to Firehose, each once for both targets. */
  CapturedChanges: 'Count',
  /** Records that were set aside, with their reason. */
  QuarantinedRecords: 'Count',
  /** Rows with something in `_rescued`. */
  RescuedRows: 'Count',
  /** Values that were too large for a Firehose record and lie in S3, with a pointer in `_rescued`. */
  OversizedValues: 'Count',
  /** Records of a key whose sequence number did not rise within a shard: never, as far as DynamoDB promises. */
  StaleSequences: 'Count',
  /** Records that Firehose refused at first and took later. */
  DeliveryRetries: 'Count',
  /** From the oldest commit of a batch to its being handed over. */
  CaptureLag: 'Milliseconds',
  /** Now minus the newest commit that a reader of the target sees; 0 where nothing waits. */
  Freshness: 'Seconds',
  MergedChanges: 'Count',
  MergeFailures: 'Count',
  LoadedChanges: 'Count',
  LoadFailures: 'Count',
  /** What Redshift Serverless billed for loads, as far as the loader knows. */
  LoadBilledSeconds: 'Seconds',
  /** Records that `redrive` sent through again. */
  RedrivenRecords: 'Count',
} as const;

export type MetricName = keyof typeof METRICS;

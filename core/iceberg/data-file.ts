/** A partition value: a string, the days since 1970-01-01, or null. */
export type PartitionValue = string | number | null;

/** Partition values by partition field name; empty for a table without partitions. */
export type Partition = Readonly<Record<string, PartitionValue>>;

/** A file that stands on disk, with all that a manifest says about it. Maps are by field id. */
export interface DataFile {
  readonly content: 'data' | 'position-deletes';
  readonly path: string;
  readonly recordCount: number;
  readonly sizeBytes: number;
  readonly partition: Partition;
  readonly columnSizes: ReadonlyMap<number, number>;
  readonly valueCounts: ReadonlyMap<number, number>;
  readonly nullCounts: ReadonlyMap<number, number>;
  /** Bounds in Iceberg's single-value serialisation; a column that has none is absent. */
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>;
  readonly upperBounds: ReadonlyMap<number, Uint8Array>;
  /** For a file that a compaction writes: its place in the history, kept from what it replaces. Absent: that of its commit. */
  readonly dataSequenceNumber?: number;
  /** For position deletes: the one data file that they all refer to. */
  readonly referencedDataFile?: string;
}

/** A file of a snapshot, with where it came from. */
export interface LiveFile extends DataFile {
  /** Its place in the table's history: deletes apply to data files of the same or a lower number. */
  readonly dataSequenceNumber: number;
  readonly fileSequenceNumber: number;
  /** The snapshot that added it. */
  readonly snapshotId: number;
}

/** The data and delete files of a snapshot, in the order of its manifests. */
export interface SnapshotFiles {
  readonly data: readonly LiveFile[];
  readonly deletes: readonly LiveFile[];
}

/** The reserved columns of a position delete file. */
export const DELETE_FILE_PATH_ID = 2147483546;
export const DELETE_POSITION_ID = 2147483545;

/** A key that is equal for equal partitions. */
export function partitionKey(partition: Partition): string {
  return JSON.stringify(Object.entries(partition).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

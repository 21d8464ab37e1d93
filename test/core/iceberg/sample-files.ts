import type { DataFile, LiveFile } from '../../../core/iceberg/data-file.ts';
import type { TableDefinition } from '../../../core/iceberg/fields.ts';

export const ORDERS: TableDefinition = {
  fields: [
    { id: 1, name: 'id', type: 'string', required: true },
    { id: 2, name: 'total', type: 'decimal(38,9)', required: false },
  ],
  identifierFieldIds: [1],
};

/** A data file that is not on disk. */
export function dataFile(path: string, recordCount = 10, more: Partial<DataFile> = {}): DataFile {
  return {
    content: 'data',
    path,
    recordCount,
    sizeBytes: recordCount * 100,
    partition: {},
    columnSizes: new Map([[1, 50]]),
    valueCounts: new Map([[1, recordCount]]),
    nullCounts: new Map([[1, 0]]),
    lowerBounds: new Map([[1, Uint8Array.of(0x61)]]),
    upperBounds: new Map([[1, Uint8Array.of(0x7a)]]),
    ...more,
  };
}

/** The same, as a file of a snapshot. */
export function liveFile(path: string, more: Partial<LiveFile> = {}): LiveFile {
  return { ...dataFile(path), dataSequenceNumber: 1, fileSequenceNumber: 1, snapshotId: 1, ...more };
}

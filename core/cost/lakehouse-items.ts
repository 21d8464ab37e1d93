import type { CostItem } from './cost-item.ts';
import { costItem, rounded } from './cost-item.ts';
import { GB, MONTH_SECONDS, busyRuns } from './pace.ts';
import type { CapturePace } from './pace.ts';
import type { PriceName } from './prices.ts';
import type { Workload } from './workload.ts';

/** Data files by day and operation, manifest, manifest list, metadata. */
const PUTS_PER_FLUSH = 7;
const PUTS_PER_MERGE = 10;
const GETS_PER_MERGE = 40;
const TRANSITIONS_PER_MERGE = 7;
/** Key hash and version of a row, which a merge reads of every row of the state: neither compresses well. */
const GUARD_BYTES_PER_ROW = 35;
const LEAST_SCANNED_BYTES = 10_000_000;
/** Rows as Parquet with zstd. */
const COMPRESSION = 5;
const MERGE_FUNCTION_GB = 1;
const DPU_HOURS_PER_TABLE = 2 * 3 * 30 * 0.02;

/** What the lakehouse costs: Firehose, storage, merges. */
export function lakehouseItems(
  workload: Workload,
  { mergeEveryMinutes, bufferSeconds }: NonNullable<Workload['lakehouse']>,
  pace: CapturePace,
): CostItem[] {
  const { tables, rowsPerTable, rowBytes } = workload;
  const flushes = busyRuns(workload, Math.max(1, bufferSeconds));
  const merges = busyRuns(workload, mergeEveryMinutes * 60);
  const looks = MONTH_SECONDS / (mergeEveryMinutes * 60);
  const stateBytes = rowsPerTable * GUARD_BYTES_PER_ROW;
  const newBytes = merges === 0 ? 0 : pace.envelopeBytes / COMPRESSION / merges;
  const scanned = Math.max(LEAST_SCANNED_BYTES, stateBytes + newBytes) * merges;
  const stored = pace.envelopeBytes / COMPRESSION + (tables * rowsPerTable * rowBytes) / COMPRESSION;
  const lake = (name: string, price: PriceName, quantity: number, assumption: string) =>
    costItem('lakehouse', name, price, quantity, assumption);
  return [
    lake('Firehose into Iceberg', 'firehoseIceberg', pace.envelopeBytes / GB, 'a row and 300 bytes around it a change'),
    lake(
      'S3 requests that write',
      's3Puts',
      (flushes * PUTS_PER_FLUSH + merges * PUTS_PER_MERGE) / 1000,
      `${PUTS_PER_FLUSH} a flush of Firehose (every ${bufferSeconds} s where there are changes), ${PUTS_PER_MERGE} a merge`,
    ),
    lake('S3 requests that read', 's3Gets', (merges * GETS_PER_MERGE) / 1000, `${GETS_PER_MERGE} a merge`),
    lake(
      'S3 storage',
      's3Storage',
      stored / GB,
      `one month of changes and the rows, ${COMPRESSION} to 1; old snapshots not counted`,
    ),
    lake(
      'Athena, merges',
      'athenaScan',
      scanned / 1e12,
      `each merge reads the new files, and key and version of every row of the state: ${GUARD_BYTES_PER_ROW} bytes of ${rounded(rowsPerTable)} rows, 10 MB at least`,
    ),
    lake(
      'Step Functions',
      'stepTransitions',
      (merges * TRANSITIONS_PER_MERGE) / 1000,
      `${TRANSITIONS_PER_MERGE} transitions a merge`,
    ),
    lake('Lambda requests, merge', 'lambdaRequests', (looks + merges * 2) / 1e6, 'one a look, two a merge'),
    lake(
      'Lambda time, merge',
      'lambdaGbSeconds',
      (looks * 0.5 + merges * 2) * MERGE_FUNCTION_GB,
      '0.5 s a look, 2 s a merge, 1 GB',
    ),
    lake('EventBridge Scheduler', 'schedules', looks / 1e6, `a look every ${mergeEveryMinutes} min`),
    lake(
      'Glue optimizers',
      'glueDpuHour',
      tables * DPU_HOURS_PER_TABLE,
      'three optimizers of two tables, once a day, 0.02 DPU-hours each',
    ),
  ];
}

import type { CostItem } from './cost-item.ts';
import { costItem, rounded } from './cost-item.ts';
import { lakehouseItems } from './lakehouse-items.ts';
import { GB, MONTH_SECONDS, capturePace, serverlessPace } from './pace.ts';
import type { CapturePace, LoadPace } from './pace.ts';
import type { PriceName } from './prices.ts';
import { capacityOf, warehouseItems } from './warehouse-items.ts';
import type { Workload } from './workload.ts';

export interface CostEstimate {
  readonly items: readonly CostItem[];
  readonly monthlyUsd: number;
  /** Changes in a month. */
  readonly changes: number;
  readonly usdPerMillionChanges: number;
  /** Null where there is no Redshift that is woken for loads. */
  readonly load: LoadPace | null;
}

/** What a mirror costs in a month of 30 days at a workload, beside the source itself, item by item. */
export function estimateCost(workload: Workload): CostEstimate {
  const pace = capturePace(workload);
  const load = loadPaceOf(workload);
  const items = [
    ...captureItems(workload, pace),
    ...(workload.lakehouse === null ? [] : lakehouseItems(workload, workload.lakehouse, pace)),
    ...(workload.warehouse === null ? [] : warehouseItems(workload, workload.warehouse, pace, load)),
    ...operationItems(workload, pace),
  ];
  const monthlyUsd = items.reduce((sum, item) => sum + item.monthlyUsd, 0);
  const { changes } = pace;
  return { items, monthlyUsd, changes, usdPerMillionChanges: changes === 0 ? 0 : (monthlyUsd / changes) * 1e6, load };
}

function loadPaceOf(workload: Workload): LoadPace | null {
  if (workload.warehouse === null) return null;
  const { place, dailyBudgetUsd } = workload.warehouse;
  const capacity = capacityOf(place);
  return capacity === null ? null : serverlessPace(workload, capacity, dailyBudgetUsd);
}

/** A capture's own time: the calls to Firehose, and what each change takes. */
const CAPTURE_CALL_SECONDS = 0.06;
const CAPTURE_CHANGE_SECONDS = 1 / 40_000;

function captureItems(workload: Workload, pace: CapturePace): CostItem[] {
  const seconds = pace.invocations * CAPTURE_CALL_SECONDS + pace.changes * CAPTURE_CHANGE_SECONDS;
  const batches = `a batch of ${rounded(pace.changesPerInvocation)} on average, at most one a shard and ${workload.captureWindowSeconds} s`;
  return [
    costItem(
      'capture',
      'DynamoDB Streams, read by Lambda',
      'streamReads',
      (pace.invocations * 4) / 1e6,
      'free for Lambda',
    ),
    costItem('capture', 'Lambda requests', 'lambdaRequests', pace.invocations / 1e6, batches),
    costItem(
      'capture',
      'Lambda time',
      'lambdaGbSeconds',
      (seconds * workload.captureMemoryMb) / 1024,
      `${workload.captureMemoryMb} MB; 60 ms a batch and 25 µs a change`,
    ),
  ];
}

const LOG_BYTES_PER_INVOCATION = 1_500;
const METRICS_PER_TABLE = 12;
const METRICS_PER_MIRROR = 5;
const ALARMS_PER_TABLE = 8;
const ALARMS_PER_MIRROR = 4;
const CONTROL_UNITS_PER_RUN = 4;

function operationItems(workload: Workload, pace: CapturePace): CostItem[] {
  const { tables, lakehouse, warehouse } = workload;
  const looks = lakehouse === null ? 0 : MONTH_SECONDS / (lakehouse.mergeEveryMinutes * 60);
  const loads = warehouse === null ? 0 : MONTH_SECONDS / 60;
  const runs = looks * (1 + tables) + loads;
  const other = (name: string, price: PriceName, quantity: number, assumption: string) =>
    costItem('operations', name, price, quantity, assumption);
  return [
    other(
      'CloudWatch logs',
      'logs',
      ((pace.invocations + runs) * LOG_BYTES_PER_INVOCATION) / GB,
      '1.5 KB an invocation, metrics included',
    ),
    other(
      'CloudWatch metrics',
      'metric',
      tables * METRICS_PER_TABLE + METRICS_PER_MIRROR,
      `${METRICS_PER_TABLE} a table`,
    ),
    other('CloudWatch alarms', 'alarm', tables * ALARMS_PER_TABLE + ALARMS_PER_MIRROR, `${ALARMS_PER_TABLE} a table`),
    other('CloudWatch dashboard', 'dashboard', 1, 'one'),
    other('KMS key', 'kmsKey', 1, 'one for all that holds data'),
    other(
      'KMS requests',
      'kmsRequests',
      (pace.invocations * 0.02 + runs) / 10_000,
      'buckets have bucket keys; two of a hundred captures ask',
    ),
    other(
      'Control table, reads',
      'dynamoReads',
      (runs * CONTROL_UNITS_PER_RUN) / 1e6,
      `${CONTROL_UNITS_PER_RUN} units a look, merge or load`,
    ),
    other(
      'Control table, writes',
      'dynamoWrites',
      (runs * CONTROL_UNITS_PER_RUN) / 1e6,
      `${CONTROL_UNITS_PER_RUN} units a look, merge or load`,
    ),
  ];
}

import type { RedshiftPlace } from '../config/aws-config.ts';
import type { CostItem } from './cost-item.ts';
import { costItem, rounded } from './cost-item.ts';
import { GB, MONTH_SECONDS, busyRuns } from './pace.ts';
import type { CapturePace, LoadPace } from './pace.ts';
import type { PriceName } from './prices.ts';
import { REDSHIFT_NODE_HOUR_USD } from './prices.ts';
import type { Workload } from './workload.ts';

const HOURS = MONTH_SECONDS / 3600;
/** Rows as Redshift compresses them. */
const COMPRESSION = 5;

/** The base capacity of an existing workgroup is not in the configuration: AWS's own default is assumed. */
const UNKNOWN_CAPACITY = 128;

/** The base capacity in RPU; null for a cluster. */
export function capacityOf(place: RedshiftPlace): number | null {
  if (place.kind === 'new-serverless') return place.baseCapacity;
  return place.kind === 'serverless' ? UNKNOWN_CAPACITY : null;
}

/** The loader is called so often. */
const LOOK_SECONDS = 60;
const LOAD_FUNCTION_GB = 0.5;
/** Firehose counts every record as a multiple of this. */
const FIREHOSE_RECORD_STEP = 5 * 1024;
/** As many lines as capture packs into a record. */
const PACKED_BYTES = 512 * 1024;

/** What the warehouse costs: staging, loads, Redshift itself where it is the mirror's. */
export function warehouseItems(
  workload: Workload,
  { place, bufferSeconds }: NonNullable<Workload['warehouse']>,
  pace: CapturePace,
  load: LoadPace | null,
): CostItem[] {
  const objects = busyRuns(workload, Math.max(1, bufferSeconds));
  const loads = load?.wakeUps ?? busyRuns({ ...workload, tables: 1 }, workload.objectiveSeconds);
  const looks = MONTH_SECONDS / LOOK_SECONDS;
  const house = (name: string, price: PriceName, quantity: number, assumption: string) =>
    costItem('warehouse', name, price, quantity, assumption);
  return [
    house(
      'Firehose into staging',
      'firehoseS3',
      billedStagingBytes(pace) / GB,
      'the changes of a batch packed into records of up to 512 KiB, each rounded up to 5 KB',
    ),
    house(
      'S3 requests that write',
      's3Puts',
      (objects + loads * workload.tables) / 1000,
      `an object a table every ${bufferSeconds} s, a manifest a load`,
    ),
    house('S3 requests that read', 's3Gets', (objects * 2) / 1000, 'two an object'),
    house('SQS', 'sqsRequests', (objects * 3) / 1e6, 'sent, received, deleted'),
    house('Lambda requests, load', 'lambdaRequests', looks / 1e6, 'a look every minute'),
    house('EventBridge Scheduler', 'schedules', looks / 1e6, 'a look every minute'),
    house(
      'Lambda time, load',
      'lambdaGbSeconds',
      (looks * 0.5 + loads * 30) * LOAD_FUNCTION_GB,
      '0.5 s a look, 30 s of waiting a load, 512 MB',
    ),
    redshiftItem(place, load),
    house(
      'Redshift storage',
      'redshiftStorage',
      isOurs(place) ? (workload.tables * workload.rowsPerTable * workload.rowBytes) / COMPRESSION / GB : 0,
      isOurs(place) ? `the rows, ${COMPRESSION} to 1` : 'yours already',
    ),
  ];
}

/** What Firehose bills for staging: batches are packed into records, and each record is rounded up. */
export function billedStagingBytes(pace: CapturePace): number {
  if (pace.invocations === 0) return 0;
  const bytes = pace.envelopeBytes / pace.invocations;
  const records = Math.ceil(bytes / PACKED_BYTES);
  return pace.invocations * records * Math.ceil(bytes / records / FIREHOSE_RECORD_STEP) * FIREHOSE_RECORD_STEP;
}

function isOurs(place: RedshiftPlace): boolean {
  return place.kind === 'new-serverless' || place.kind === 'new-cluster';
}

function redshiftItem(place: RedshiftPlace, load: LoadPace | null): CostItem {
  switch (place.kind) {
    case 'serverless':
    case 'new-serverless': {
      const capacity = capacityOf(place) ?? 0;
      const hours = ((load?.billedSeconds ?? 0) / 3600) * capacity;
      const assumed = place.kind === 'serverless' ? ' (assumed: the configuration does not say)' : '';
      const every = `woken every ${rounded(load?.everySeconds ?? 0)} s where there are changes, 60 s each, ${capacity} RPU${assumed}; your own queries not counted`;
      return costItem('warehouse', 'Redshift Serverless, wake-ups', 'redshiftRpuHour', hours, every);
    }
    case 'new-cluster': {
      const usd = REDSHIFT_NODE_HOUR_USD[place.nodeType];
      const known = usd === undefined ? `; the price of ${place.nodeType} is not in the table` : '';
      return {
        part: 'warehouse',
        item: `Redshift cluster, ${place.nodes} × ${place.nodeType}`,
        quantity: HOURS * place.nodes,
        unit: 'node-hour',
        unitUsd: usd ?? 0,
        monthlyUsd: HOURS * place.nodes * (usd ?? 0),
        assumption: `on demand, always on${known}`,
      };
    }
    case 'cluster':
      return costItem(
        'warehouse',
        'Redshift cluster',
        'redshiftRpuHour',
        0,
        `${place.identifier} is yours already, and always on`,
      );
  }
}

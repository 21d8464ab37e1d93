import type { CostItem } from './cost-item.ts';
import type { CostEstimate } from './estimate.ts';
import { estimateCost } from './estimate.ts';
import type { Workload } from './workload.ts';

/** What dominates an estimate, and what would lower it. */
export interface CostAdvice {
  readonly dominating: CostItem | null;
  /** 0 to 1: the dominating item's part of the whole. */
  readonly share: number;
  /** What could be changed, with what would be saved in a month, greatest first. */
  readonly savings: readonly { readonly change: string; readonly monthlyUsd: number; readonly price: string }[];
}

/** Below so many dollars a month a change is not worth telling. */
const WORTH_TELLING_USD = 1;

/** Tries the settings that cost most, one at a time, and tells those that would lower the estimate. */
export function adviceFor(workload: Workload, estimate: CostEstimate): CostAdvice {
  const dominating = estimate.items.reduce<CostItem | null>(
    (most, one) => (one.monthlyUsd > (most?.monthlyUsd ?? 0) ? one : most),
    null,
  );
  const savings = alternatives(workload).flatMap(({ change, price, to }) => {
    const monthlyUsd = estimate.monthlyUsd - estimateCost(to).monthlyUsd;
    return monthlyUsd >= WORTH_TELLING_USD ? [{ change, price, monthlyUsd }] : [];
  });
  return {
    dominating,
    share: dominating === null ? 0 : dominating.monthlyUsd / estimate.monthlyUsd,
    savings: savings.toSorted((a, b) => b.monthlyUsd - a.monthlyUsd),
  };
}

interface Alternative {
  readonly change: string;
  /** What is given up for it. */
  readonly price: string;
  readonly to: Workload;
}

function alternatives(workload: Workload): Alternative[] {
  return [...lakehouseAlternatives(workload), ...warehouseAlternatives(workload), ...captureAlternatives(workload)];
}

function lakehouseAlternatives(workload: Workload): Alternative[] {
  const { lakehouse } = workload;
  if (lakehouse === null) return [];
  const mergeEveryMinutes = Math.min(1440, lakehouse.mergeEveryMinutes * 5);
  const bufferSeconds = Math.min(900, Math.max(60, lakehouse.bufferSeconds * 4));
  return [
    {
      change: `aws.lakehouse.mergeEveryMinutes: ${mergeEveryMinutes}`,
      price: `the state is up to ${mergeEveryMinutes} min old; the view <table>_live stays as fresh as it is`,
      to: { ...workload, lakehouse: { ...lakehouse, mergeEveryMinutes } },
    },
    {
      change: `aws.lakehouse.bufferSeconds: ${bufferSeconds}`,
      price: `changes reach the changelog up to ${bufferSeconds} s late`,
      to: { ...workload, lakehouse: { ...lakehouse, bufferSeconds } },
    },
  ];
}

function warehouseAlternatives(workload: Workload): Alternative[] {
  const { warehouse } = workload;
  if (warehouse === null) return [];
  const objectiveSeconds = Math.min(86_400, workload.objectiveSeconds * 5);
  const dailyBudgetUsd = warehouse.dailyBudgetUsd / 2;
  const isServerless = warehouse.place.kind === 'new-serverless' || warehouse.place.kind === 'serverless';
  const smaller: Alternative[] =
    warehouse.place.kind === 'new-serverless' && warehouse.place.baseCapacity > 4
      ? [
          {
            change: 'aws.redshift.baseCapacity: 4',
            price: 'loads and queries have half the memory and less',
            to: { ...workload, warehouse: { ...warehouse, place: { kind: 'new-serverless', baseCapacity: 4 } } },
          },
        ]
      : [];
  if (!isServerless) return [];
  return [
    {
      change: `freshness.objectiveSeconds: ${objectiveSeconds}`,
      price: `the warehouse may be ${objectiveSeconds} s old`,
      to: { ...workload, objectiveSeconds },
    },
    {
      change: `aws.redshift.dailyBudgetUsd: ${dailyBudgetUsd}`,
      price: 'the warehouse is loaded as often as the budget allows',
      to: { ...workload, warehouse: { ...warehouse, dailyBudgetUsd } },
    },
    ...smaller,
  ];
}

function captureAlternatives(workload: Workload): Alternative[] {
  const captureWindowSeconds = Math.max(5, workload.captureWindowSeconds * 5);
  return captureWindowSeconds > 300
    ? []
    : [
        {
          change: `aws.capture.windowSeconds: ${captureWindowSeconds}`,
          price: `changes wait up to ${captureWindowSeconds} s before they are captured`,
          to: { ...workload, captureWindowSeconds },
        },
      ];
}

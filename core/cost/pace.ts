import { LEAST_BILLED_SECONDS, secondsBetweenWakeUps, wakeUpCost } from '../load-cadence.ts';
import { REDSHIFT_RPU_HOUR_USD } from './prices.ts';
import type { Workload } from './workload.ts';

/** How often each part of a mirror runs, in a month of 30 days, and how much passes through it. What is assumed for it stands beside it. */
export const MONTH_SECONDS = 30 * 86_400;
export const GB = 1e9;

/** An on-demand table begins with four partitions, and each takes a thousand writes of 1 KB a second. */
const LEAST_SHARDS = 4;
const SHARD_WRITES_PER_SECOND = 1000;
/** A batch is at most 6 MB of stream records, which have two images each. */
const BATCH_BYTES = 6_000_000;
/** The envelope around a row: key, hash, version, times. */
const ENVELOPE_BYTES = 300;

export interface CapturePace {
  readonly changes: number;
  readonly invocations: number;
  readonly changesPerInvocation: number;
  /** Bytes of all envelopes, as they pass through Firehose to one target. */
  readonly envelopeBytes: number;
}

/** How the capture functions are called: once a window for each shard in which something was written. */
export function capturePace(workload: Workload): CapturePace {
  const { tables, rowBytes, captureWindowSeconds } = workload;
  const tableRate = workload.changesPerSecond / Math.max(1, tables);
  const units = Math.max(1, Math.ceil(rowBytes / 1000));
  const shards = Math.max(LEAST_SHARDS, Math.ceil((tableRate * units) / SHARD_WRITES_PER_SECOND));
  // Lambda polls a shard four times a second where it does not wait for more.
  const window = Math.max(0.25, captureWindowSeconds);
  const withChanges = busyShare(tableRate / shards, window) / window;
  const byBytes = (tableRate * 2 * rowBytes) / BATCH_BYTES / shards;
  const invocations = Math.max(withChanges, byBytes) * shards * tables * MONTH_SECONDS;
  const changes = workload.changesPerSecond * MONTH_SECONDS;
  return {
    changes,
    invocations,
    changesPerInvocation: invocations === 0 ? 0 : changes / invocations,
    envelopeBytes: changes * (rowBytes + ENVELOPE_BYTES),
  };
}

/** The share of spans of so many seconds in which a table has at least one change: they are taken to come at random. */
export function busyShare(changesPerSecond: number, seconds: number): number {
  return 1 - Math.exp(-changesPerSecond * seconds);
}

/** How often something that runs for each table every so many seconds finds something new, in a month, over all tables. */
export function busyRuns(workload: Workload, everySeconds: number): number {
  const tableRate = workload.changesPerSecond / Math.max(1, workload.tables);
  return (MONTH_SECONDS / everySeconds) * busyShare(tableRate, everySeconds) * workload.tables;
}

export interface LoadPace {
  /** Wake-ups in a month. One loads every table that waits. */
  readonly wakeUps: number;
  readonly everySeconds: number;
  readonly billedSeconds: number;
  /** Whether the budget spaces the loads further than the freshness objective asks for. */
  readonly isHeldByBudget: boolean;
}

/** How often Redshift Serverless of a base capacity is woken: as often as the objective asks for, within the budget. */
export function serverlessPace(workload: Workload, capacity: number, dailyBudgetUsd: number): LoadPace {
  const wakeUpUsd = wakeUpCost(capacity, REDSHIFT_RPU_HOUR_USD);
  // The loader spends half of the objective waiting for more.
  const wanted = Math.max(workload.objectiveSeconds / 2, LEAST_BILLED_SECONDS);
  const afforded = secondsBetweenWakeUps(wakeUpUsd, dailyBudgetUsd);
  const everySeconds = Math.max(wanted, afforded);
  const wakeUps = (MONTH_SECONDS / everySeconds) * busyShare(workload.changesPerSecond, everySeconds);
  const billedSeconds = wakeUps * LEAST_BILLED_SECONDS;
  return { wakeUps, everySeconds, billedSeconds, isHeldByBudget: afforded > wanted };
}

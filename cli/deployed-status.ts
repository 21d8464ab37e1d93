import type { DeployedStatus, TableStatus } from '../deployed/results.ts';
import { MOST_COUNTED } from '../deployed/results.ts';
import { countOf, countText, durationText } from './format.ts';
import { countsTotal, reasonsText, TARGET_NAMES } from './run-summary.ts';
import type { Session } from './session.ts';

/** Prints what a deployed mirror is doing, in the words of the local `status`. */
export function printDeployedStatus(session: Session, status: DeployedStatus): void {
  session.print(`mirror     ${session.paint('bold', status.mirror)}`);
  session.print(`region     ${status.region}`);
  session.print(`version    ${status.version}`);
  session.print(`dashboard  ${status.dashboard}`);
  session.print('');
  session.printTable(
    ['table', 'columns', 'target', 'lag', 'changes', 'undelivered', 'capture lag', 'rescued (24 h)', 'quarantined'],
    status.tables.flatMap(tableRows),
  );
  session.print('');
  printLoads(session, status);
  for (const line of troublesOf(status)) session.print(session.paint('yellow', line));
}

function tableRows(table: TableStatus): string[][] {
  return TARGET_NAMES.flatMap((target) => {
    const held = table.targets[target];
    if (held === undefined) return [];
    return [
      [
        table.table,
        countText(table.columns),
        target,
        durationOrDash(held.lagMs),
        countText(held.changes),
        cappedText(held.errorObjects),
        durationOrDash(table.iteratorAgeMs),
        countText(table.rescuedRows),
        quarantinedText(table),
      ],
    ];
  });
}

function printLoads(session: Session, { loads }: DeployedStatus): void {
  if (loads === null) return;
  const spent = loads.spentTodayUsd === null ? '' : `, about $${loads.spentTodayUsd.toFixed(2)}`;
  session.print(
    `Loads: ${countOf(loads.waiting, 'staged object')} waiting; today ${countOf(loads.wakeUpsToday, 'wake-up')} of ${durationText(loads.billedSecondsToday * 1000)}${spent}.`,
  );
}

/** What wants somebody to look, each with what to do. */
function troublesOf(status: DeployedStatus): string[] {
  const redrive = 'send them through again with `glasshouse redrive --deployed`';
  const undelivered = status.tables.flatMap((table) =>
    TARGET_NAMES.flatMap((target) => {
      const objects = table.targets[target]?.errorObjects ?? 0;
      return objects === 0
        ? []
        : [`Firehose did not deliver ${cappedOf(objects, 'object')} of ${table.table} to the ${target}; ${redrive}.`];
    }),
  );
  const aside = status.tables
    .filter((table) => table.quarantinedObjects > 0)
    .map((table) => `Set aside from ${table.table}: ${reasonsOf(table)}; once their cause is settled, ${redrive}.`);
  const failed =
    status.failedBatches === 0
      ? []
      : [`Lambda gave up on ${cappedOf(status.failedBatches, 'batch', 'batches')}; ${redrive}.`];
  const dead = status.loads?.deadLetters ?? 0;
  return [
    ...failed,
    ...undelivered,
    ...aside,
    ...(dead === 0 ? [] : [`The loader gave up on ${countOf(dead, 'staged object')}; ${redrive}.`]),
  ];
}

function reasonsOf(table: TableStatus): string {
  return table.quarantined === null ? cappedOf(table.quarantinedObjects, 'object') : reasonsText(table.quarantined);
}

function quarantinedText(table: TableStatus): string {
  return table.quarantined === null
    ? cappedOf(table.quarantinedObjects, 'object')
    : countText(countsTotal(table.quarantined));
}

function cappedText(count: number): string {
  return count >= MOST_COUNTED ? `${countText(MOST_COUNTED)} or more` : countText(count);
}

function cappedOf(count: number, singular: string, plural = `${singular}s`): string {
  return count >= MOST_COUNTED ? `${countText(MOST_COUNTED)} ${plural} or more` : countOf(count, singular, plural);
}

function durationOrDash(ms: number | null): string {
  return ms === null ? '-' : durationText(ms);
}

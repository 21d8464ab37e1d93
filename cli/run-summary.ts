import type { RunSummary, TableSummary, TargetName } from '../local/results.ts';
import { bytesText, countOf, countText, durationText, rateText } from './format.ts';
import type { Session } from './session.ts';

export const TARGET_NAMES: readonly TargetName[] = ['lakehouse', 'warehouse'];

/** Every record of a run that was set aside. */
export function quarantinedIn(summary: RunSummary): number {
  return summary.tables.reduce((sum, table) => sum + countsTotal(table.quarantined), 0);
}

export function countsTotal(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Prints a run or replay for people: a line for each table, then the pace, then what was set aside. */
export function printRunSummary(session: Session, summary: RunSummary): void {
  const targets = TARGET_NAMES.filter((target) => summary.tables.some((table) => table.rows[target] !== undefined));
  const rowHeads = targets.map((target) => `rows in ${target}`);
  session.printTable(
    ['table', 'records', 'changes', ...rowHeads, 'rescued', 'quarantined'],
    summary.tables.map((table) => summaryRow(table, targets)),
  );
  const records = summary.tables.reduce((sum, table) => sum + table.records, 0);
  session.print('');
  session.print(
    `${countOf(records, 'record')} in ${durationText(summary.seconds * 1000)}: ${rateText(summary.perSecond)}, at most ${bytesText(summary.peakMemoryBytes)} of memory`,
  );
  for (const table of summary.tables) {
    if (countsTotal(table.quarantined) === 0) continue;
    session.print(
      session.paint(
        'yellow',
        `Set aside from ${table.table}, in ${session.common.dir}/quarantine: ${reasonsText(table.quarantined)}`,
      ),
    );
  }
}

function summaryRow(table: TableSummary, targets: readonly TargetName[]): string[] {
  const rows = targets.map((target) => numberOrDash(table.rows[target]));
  return [
    table.table,
    countText(table.records),
    countText(table.changes),
    ...rows,
    countText(table.rescued),
    countText(countsTotal(table.quarantined)),
  ];
}

/** `3 not-json, 1 no-key`, the most frequent first. */
export function reasonsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${countText(count)} ${kind}`)
    .join(', ');
}

export function numberOrDash(count: number | null | undefined): string {
  return count === null || count === undefined ? '-' : countText(count);
}

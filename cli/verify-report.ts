import type { Difference, VerifyReport } from '../local/results.ts';
import { countOf, countText } from './format.ts';
import { TARGET_NAMES } from './run-summary.ts';
import type { Session } from './session.ts';

/** Prints a proof for people: a line for each table and target, what differs, and the verdict. */
export function printVerifyReport(session: Session, report: VerifyReport): void {
  const rows = report.tables.flatMap((table) =>
    TARGET_NAMES.flatMap((target) => {
      const compared = table.targets[target];
      if (compared === undefined) return [];
      const verdict = compared.differences === 0 ? 'equal' : countOf(compared.differences, 'difference');
      return [[table.table, target, countText(table.sourceRows), countText(compared.rows), verdict, table.checksum]];
    }),
  );
  session.printTable(['table', 'target', 'rows in source', 'rows in target', 'verdict', 'checksum of source'], rows);
  if (report.differences.length > 0) printDifferences(session, report);
  session.print('');
  session.print(
    report.equal
      ? session.paint('green', `Equal: source and targets agree in all of ${countOf(report.valuesCompared, 'value')}.`)
      : session.paint('red', `Not equal: of ${countOf(report.valuesCompared, 'value')}, some differ.`),
  );
}

function printDifferences(session: Session, report: VerifyReport): void {
  const total = report.tables.reduce(
    (sum, table) => sum + TARGET_NAMES.reduce((part, target) => part + (table.targets[target]?.differences ?? 0), 0),
    0,
  );
  session.print('');
  if (total > report.differences.length)
    session.print(`The first ${report.differences.length} of ${countText(total)} differences:`);
  session.printTable(
    ['table', 'target', 'key', 'difference', 'column', 'in source', 'in target'],
    report.differences.flatMap(differenceRows),
  );
}

function differenceRows(difference: Difference): string[][] {
  const { table, target, key, kind } = difference;
  if (kind === 'missing') return [[table, target, key, 'missing in the target', '', '', '']];
  if (kind === 'extra') return [[table, target, key, 'not in the source', '', '', '']];
  if (kind === 'repeated') return [[table, target, key, 'more than once in the target', '', '', '']];
  const columns = difference.columns ?? [];
  if (columns.length === 0) return [[table, target, key, 'different', '', '', '']];
  return columns.map((column) => [table, target, key, 'different', column.column, column.source, column.target]);
}

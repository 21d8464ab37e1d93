import { bytesText, countText, durationText, rateText } from '../cli/format.ts';
import { tableLines } from '../cli/table.ts';
import { type Figure, type Goal, type Unit, isMet } from './figure.ts';

const COLUMNS = ['what', 'measured', 'floor', 'to the floor', 'goal', 'met'];

/** The figures as the lines of a table, without colours. */
export function figureTable(figures: readonly Figure[]): string[] {
  const rows = figures.map((figure) => [
    figure.what,
    valueText(figure.measured, figure.unit),
    figure.floor === null ? '' : `${valueText(figure.floor.measured, figure.unit)} (${figure.floor.what})`,
    figure.floor === null ? '' : timesText(figure.floor.ratio),
    figure.goal === null ? '' : goalText(figure.goal, figure.unit),
    metText(isMet(figure)),
  ]);
  return tableLines(COLUMNS, rows, { paint: (_, text) => text, maxWidth: null }).map((line) => line.trimEnd());
}

function metText(met: boolean | null): string {
  if (met === null) return '';
  return met ? 'yes' : 'NO';
}

function goalText(goal: Goal, unit: Unit): string {
  return `${goal.is} ${goal.of === 'ratio' ? `${timesText(goal.value)} the floor` : valueText(goal.value, unit)}`;
}

/** A value in its unit: `41,210/s`, `1.2 s`, `1.5 GB`, `2.1x`. */
export function valueText(value: number, unit: Unit): string {
  switch (unit) {
    case 'changes/s':
      return rateText(value);
    case 'ms':
      return value < 10 ? `${value.toFixed(1)} ms` : `${countText(value)} ms`;
    case 's':
      return durationText(value * 1000);
    case 'bytes':
      return bytesText(value);
    case 'times':
      return timesText(value);
    case 'USD':
      return `$${value.toFixed(3)}`;
  }
}

function timesText(ratio: number): string {
  return `${ratio >= 100 ? ratio.toFixed(0) : ratio >= 0.1 ? ratio.toFixed(2) : ratio.toPrecision(2)}x`;
}

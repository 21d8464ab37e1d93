import type { Paint } from './colour.ts';
import { cutTo, printable, widthOf } from './text-width.ts';

export interface TableStyle {
  readonly paint: Paint;
  /** The most cells that a line may take; null: lines are as long as they must be, and nothing is cut. */
  readonly maxWidth: number | null;
}

const GAP = '  ';
const NARROWEST = 6;
const NUMBER = /^[-+]?[\d,]+(\.\d+)?([eE][-+]?\d+)?$/;

/**
 * Lines of an aligned table. A column in which every value is a number stands to the right; null is written `null`.
 * @param rows as long as `columns` each
 */
export function tableLines(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
  style: TableStyle,
): string[] {
  const head = columns.map(printable);
  const body = rows.map((row) => row.map((value) => (value === null ? null : printable(value))));
  const wanted = head.map((name, index) =>
    body.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? 'null')), widthOf(name)),
  );
  const widths = style.maxWidth === null ? wanted : fitted(wanted, style.maxWidth);
  const isNumber = head.map(
    (_, index) =>
      body.length > 0 && body.every((row) => NUMBER.test(row[index] ?? '0')) && body.some((row) => row[index] !== null),
  );
  const line = (values: readonly (string | null)[], decorate: (text: string, value: string | null) => string) =>
    values
      .map((value, index) => {
        const width = widths[index] ?? 0;
        const text = cutTo(value ?? 'null', width);
        const padding = ' '.repeat(Math.max(0, width - widthOf(text)));
        const isLast = index === values.length - 1;
        return isNumber[index] ? padding + decorate(text, value) : decorate(text, value) + (isLast ? '' : padding);
      })
      .join(GAP);
  return [
    line(head, (text) => style.paint('bold', text)),
    ...body.map((row) => line(row, (text, value) => (value === null ? style.paint('dim', text) : text))),
  ];
}

/** Takes from the widest columns until all fit, or each is as narrow as it may be. */
function fitted(wanted: readonly number[], maxWidth: number): number[] {
  const widths = [...wanted];
  const gaps = GAP.length * (widths.length - 1);
  for (;;) {
    const total = widths.reduce((sum, width) => sum + width, gaps);
    const widest = Math.max(...widths);
    if (total <= maxWidth || widest <= NARROWEST) return widths;
    const second = Math.max(NARROWEST, ...widths.filter((width) => width < widest));
    const equals = widths.filter((width) => width === widest).length;
    const target = Math.max(second, widest - Math.ceil((total - maxWidth) / equals), NARROWEST);
    for (const [index, width] of widths.entries()) if (width === widest) widths[index] = Math.min(target, widest - 1);
  }
}

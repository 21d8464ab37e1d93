import { InvalidArgumentError } from 'commander';
import type { CostAdvice } from '../../core/cost/advice.ts';
import type { CostReport } from '../../core/cost/cost-report.ts';
import type { CommandDefinition } from '../command.ts';
import { wholeNumber } from '../command.ts';
import { bytesText, countOf, countText, durationText } from '../format.ts';
import type { Session, SharedOptions } from '../session.ts';

interface CostOptions extends SharedOptions {
  readonly changesPerSecond: number;
  readonly rowBytes: number;
  readonly rows: number;
}

export const costCommand: CommandDefinition<CostOptions> = {
  usage: 'cost',
  summary: 'Estimate what the deployed mirror costs in a month, item by item',
  details:
    'From the configuration and a table of prices; it asks nobody. The source itself is not counted, nor are queries of yours. Without a configuration: one table into both targets.',
  examples: [
    ['glasshouse cost', 'ten changes a second of 1 KB'],
    ['glasshouse cost --changes-per-second 500 --row-bytes 2000 --rows 20000000', 'a larger table'],
    ['glasshouse cost --json | jq .estimate.monthlyUsd', 'the total, for a program'],
  ],
  configure(command) {
    command
      .option('--changes-per-second <n>', 'of all tables together', positiveNumber, 10)
      .option('--row-bytes <n>', 'the size of a row as JSON', wholeNumber(1, 400_000), 1000)
      .option('--rows <n>', 'the rows of each table', wholeNumber(0), 1_000_000);
  },
  async execute(session, { changesPerSecond, rowBytes, rows }) {
    const load = { changesPerSecond, rowBytes, rowsPerTable: rows };
    const report = await session.operations.costOf(await session.findMirror(), load);
    if (session.json) session.printJson(report);
    else printCost(session, report);
    return 0;
  },
};

function printCost(session: Session, report: CostReport): void {
  const { mirror, prices, workload, estimate, advice } = report;
  const what = mirror ?? 'no configuration here: one table into both targets';
  session.print(
    `${session.paint('bold', what)}, ${numberText(workload.changesPerSecond)} changes a second of ${bytesText(workload.rowBytes)}, ${countOf(workload.tables, 'table')} of ${countOf(workload.rowsPerTable, 'row')}`,
  );
  session.print('');
  session.printTable(
    ['', 'item', 'quantity', 'unit', 'USD a unit', 'USD a month', 'assuming'],
    [
      ...estimate.items.map((item) => [
        item.part,
        item.item,
        numberText(item.quantity),
        item.unit,
        numberText(item.unitUsd),
        usdText(item.monthlyUsd),
        item.assumption,
      ]),
      ['', 'total', null, '', null, usdText(estimate.monthlyUsd), ''].map((value) => value ?? '-'),
    ],
  );
  session.print('');
  session.print(
    `About $${usdText(estimate.monthlyUsd)} a month, $${usdText(estimate.usdPerMillionChanges)} a million changes (prices of ${prices.region}, ${prices.date}; free tiers not counted).`,
  );
  printLoadPace(session, report);
  printAdvice(session, advice);
}

function printLoadPace(session: Session, { workload: { objectiveSeconds }, estimate: { load } }: CostReport): void {
  if (load?.isHeldByBudget !== true) return;
  session.print(
    session.paint(
      'yellow',
      `The budget allows a load every ${durationText(load.everySeconds * 1000)}: the warehouse misses the objective of ${durationText(objectiveSeconds * 1000)}. aws.redshift.dailyBudgetUsd is what to raise.`,
    ),
  );
}

function printAdvice(session: Session, { dominating, share, savings }: CostAdvice): void {
  if (dominating === null) return;
  session.print(`${Math.round(share * 100)} % of it: ${dominating.item}.`);
  if (savings.length === 0) return;
  session.print('');
  session.print('What would lower it, each alone:');
  for (const { change, price, monthlyUsd } of savings)
    session.print(`  ${change}  saves $${usdText(monthlyUsd)} a month; ${price}`);
}

function usdText(usd: number): string {
  const [whole = '0', cents = '00'] = usd.toFixed(2).split('.');
  return `${countText(Number(whole))}.${cents}`;
}

/** Four digits that count. */
function numberText(value: number): string {
  if (value >= 1000) return countText(value);
  return String(Number(value.toPrecision(4)));
}

function positiveNumber(text: string): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (number <= 1e9) return number;
  throw new InvalidArgumentError('Write a number from 0 to 1,000,000,000.');
}

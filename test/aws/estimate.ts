import type { Mirror } from '../../core/config.ts';
import { costReport } from '../../core/cost/cost-report.ts';

/** What passes through the mirror while it is tested, all in all a few thousand changes in about an hour. */
const TEST_LOAD = { changesPerSecond: 1, rowBytes: 2000, rowsPerTable: 500 };
const HOURS_A_MONTH = 720;
/** The deploy, the test and the destroying. */
const HOURS = 1.5;
/** The probes of Firehose's limits, verify's reads, Redshift's wake-ups for the statements of the checks. */
const CHECKS_USD = 2;

/** What a test is going to cost, as lines to be read before it is agreed to. */
export function estimateLines(mirror: Mirror): string[] {
  const { estimate, prices } = costReport(mirror, TEST_LOAD);
  const usd = (estimate.monthlyUsd / HOURS_A_MONTH) * HOURS + (mirror.targets.warehouse === null ? 1 : CHECKS_USD);
  const dearest = [...estimate.items].sort((a, b) => b.monthlyUsd - a.monthlyUsd).slice(0, 5);
  return [
    `By \`glasshouse cost\` such a mirror costs $${estimate.monthlyUsd.toFixed(2)} a month at one change a second (prices of ${prices.region}, ${prices.date}), most of it:`,
    ...dearest.map((item) => `  $${item.monthlyUsd.toFixed(2)} a month  ${item.part}: ${item.item}`),
    `The test takes about an hour, and costs about $${usd.toFixed(2)}. Left standing (--keep), the mirror goes on costing.`,
  ];
}

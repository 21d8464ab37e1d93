import { relative } from 'node:path';
import type { DemoReport } from '../../local/results.ts';
import { type CommandDefinition, wholeNumber } from '../command.ts';
import { countOf, durationText } from '../format.ts';
import { TARGET_NAMES } from '../run-summary.ts';
import { DEFAULT_DIR, type Session, type SharedOptions } from '../session.ts';
import { printVerifyReport } from '../verify-report.ts';

interface DemoOptions extends SharedOptions {
  readonly items: number;
  readonly changes: number;
  readonly rate: number;
  readonly seed: number;
}

export const demoCommand: CommandDefinition<DemoOptions> = {
  usage: 'demo',
  summary: 'Watch a small shop being mirrored live, then see the proof',
  details:
    'Starts a DynamoDB on this machine, writes to it for some seconds, mirrors every write into both targets, and compares all three.',
  examples: [
    ['glasshouse demo', 'some seconds of a small shop'],
    ['glasshouse demo --items 5000 --changes 20000 --rate 2000', 'more of it, and quicker'],
    ['glasshouse demo --seed 7 --dir shop', 'another shop, in a folder of its own'],
  ],
  configure(command) {
    command
      .option('--items <count>', 'orders that the shop begins with', wholeNumber(1, 1_000_000), 500)
      .option('--changes <count>', 'changes that are written after that', wholeNumber(0, 10_000_000), 3000)
      .option('--rate <count>', 'changes a second', wholeNumber(1, 100_000), 500)
      .option('--seed <number>', 'the same seed makes the same shop', wholeNumber(0, 4_294_967_295), 1);
  },
  async execute(session, { items, changes, rate, seed }) {
    const report = await session.operations.runDemo(
      { items, changes, rate, seed },
      { ...session.common, say: session.json ? session.common.log : session.print },
    );
    if (session.json) session.printJson(report);
    else printDemo(session, report);
    return report.verify.equal ? 0 : 1;
  },
};

function printDemo(session: Session, report: DemoReport): void {
  const { paint, print } = session;
  const fresh = TARGET_NAMES.flatMap((target) => {
    const measured = report.freshnessMs[target];
    return measured === undefined
      ? []
      : [`${target} ${durationText(measured.p50)} (95 of 100 within ${durationText(measured.p95)})`];
  });
  print('');
  if (fresh.length > 0) print(`From a write to its being seen: ${fresh.join(', ')}.`);
  print('');
  print(paint('bold', 'The proof'));
  printVerifyReport(session, report.verify);
  for (const query of report.queries) {
    print('');
    print(paint('bold', query.title));
    print(paint('cyan', `  ${queryCall(session, query.sql, query.target)}`));
    session.printTable(query.result.columns, query.result.rows);
  }
  print('');
  print(`Iceberg tables: ${report.lakehouseDir}`);
  if (report.warehouseUrl !== null) print(`PostgreSQL:     ${report.warehouseUrl} (while it runs)`);
  print(
    `${countOf(report.writtenChanges, 'change')} written, mirrored and proven in ${durationText(report.seconds * 1000)}.`,
  );
}

/** The call that asks the query again, as one would paste it into a shell. */
function queryCall(session: Session, sql: string, target: string): string {
  const dir = relative(session.host.cwd, session.common.dir);
  const folder = dir === DEFAULT_DIR ? '' : ` --dir ${shellWord(dir)}`;
  return `npx glasshouse query ${shellWord(sql)}${target === 'lakehouse' ? '' : ` --target ${target}`}${folder}`;
}

/** Quoted where a shell would take it apart or change it. */
function shellWord(text: string): string {
  if (/^[\w./-]+$/.test(text)) return text;
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", `'\\''`)}'` : `"${text}"`;
}

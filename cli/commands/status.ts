import type { StatusReport } from '../../local/results.ts';
import type { CommandDefinition } from '../command.ts';
import type { PlaceOptions } from '../deployed-options.ts';
import { addPlaceOptions, deployedPlace } from '../deployed-options.ts';
import { printDeployedStatus } from '../deployed-status.ts';
import { bytesText, countText, durationText } from '../format.ts';
import { countsTotal, numberOrDash, reasonsText, TARGET_NAMES } from '../run-summary.ts';
import type { Session } from '../session.ts';

export const statusCommand: CommandDefinition<PlaceOptions> = {
  usage: 'status',
  summary: 'Show tables, rows, lag, quarantine, sizes and connections',
  details: 'With --dir and no --config, the folder is described by what it holds. With --deployed: the mirror in AWS.',
  examples: [
    ['glasshouse status', 'the mirror of this folder'],
    ['glasshouse status --dir replayed', 'a folder that replay or demo made'],
    ['glasshouse status --json | jq -r .warehouseUrl', 'the connection URL of the warehouse, for psql and other tools'],
    ['glasshouse status --deployed', 'the mirror that `cdk deploy` made'],
  ],
  configure: (command) => void addPlaceOptions(command),
  async execute(session, options) {
    const place = await deployedPlace(session, options);
    if (place !== null) {
      const status = await session.operations.statusOfDeployed(place.mirror, place.options);
      if (session.json) session.printJson(status);
      else printDeployedStatus(session, status);
      return 0;
    }
    const report = await session.operations.statusOf(await session.findMirror(), session.common);
    if (session.json) session.printJson(report);
    else printStatus(session, report);
    return 0;
  },
};

function printStatus(session: Session, report: StatusReport): void {
  session.print(`mirror     ${session.paint('bold', report.mirror)}`);
  session.print(`folder     ${report.dir}`);
  if (report.sourceEndpoint !== null) session.print(`source     ${report.sourceEndpoint}`);
  if (report.warehouseUrl !== null) session.print(`warehouse  ${report.warehouseUrl}`);
  session.print('');
  if (report.tables.length === 0) {
    session.print('No table is mirrored here yet; start with `glasshouse run`.');
    return;
  }
  session.printTable(
    ['table', 'columns', 'target', 'rows', 'size', 'lag', 'changes', 'rescued', 'quarantined'],
    report.tables.flatMap(tableRows),
  );
  for (const table of report.tables) {
    if (countsTotal(table.quarantined) === 0) continue;
    session.print(
      session.paint(
        'yellow',
        `Set aside from ${table.table}, in ${report.dir}/quarantine: ${reasonsText(table.quarantined)}`,
      ),
    );
  }
}

function tableRows(table: StatusReport['tables'][number]): string[][] {
  const targets = TARGET_NAMES.filter((target) => table.rows[target] !== undefined);
  return targets.map((target) => {
    const lagMs = table.lagMs[target];
    const bytes = table.bytes[target];
    return [
      table.table,
      countText(table.columns),
      target,
      numberOrDash(table.rows[target]),
      bytes === undefined ? '-' : bytesText(bytes),
      lagMs === undefined || lagMs === null ? '-' : durationText(lagMs),
      countText(table.changes),
      countText(table.rescuedRows),
      countText(countsTotal(table.quarantined)),
    ];
  });
}

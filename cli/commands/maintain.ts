import type { DeployedMaintainReport } from '../../deployed/results.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { CommandDefinition } from '../command.ts';
import type { PlaceOptions } from '../deployed-options.ts';
import { addPlaceOptions, deployedPlace } from '../deployed-options.ts';
import type { Session } from '../session.ts';
import { bytesText, countText } from '../format.ts';

interface MaintainOptions extends PlaceOptions {
  readonly dryRun?: boolean;
}

export const maintainCommand: CommandDefinition<MaintainOptions> = {
  usage: 'maintain',
  summary: 'Compact files, expire snapshots and remove orphans of the lakehouse',
  details:
    'Nothing that a reader of the newest snapshot sees is changed. It can run beside `glasshouse run`. With --deployed: by Athena, which bills what it reads; Glue does the same by itself once a day.',
  examples: [
    ['glasshouse maintain', 'the mirror of this folder'],
    ['glasshouse maintain --dir replayed', 'a folder that replay or demo made'],
    ['glasshouse maintain --deployed --dry-run', 'what would be run on the deployed mirror'],
  ],
  configure: (command) =>
    void addPlaceOptions(command).option('--dry-run', 'with --deployed: print the statements, and run none'),
  async execute(session, options) {
    const place = await deployedPlace(session, options);
    if (place !== null) {
      const dryRun = options.dryRun === true;
      const report = await session.operations.maintainDeployed(place.mirror, { ...place.options, dryRun });
      if (session.json) session.printJson(report);
      else printDeployed(session, report);
      return 0;
    }
    if (options.dryRun === true)
      throw new GlasshouseError('usage', '--dry-run is for --deployed: in a folder there is no statement to show.');
    const report = await session.operations.maintainMirror(await session.findMirror(), session.common);
    if (session.json) {
      session.printJson(report);
      return 0;
    }
    session.printTable(
      ['table', 'files before', 'files after', 'size before', 'size after', 'snapshots expired', 'orphans removed'],
      report.tables.map((table) => [
        table.table,
        countText(table.filesBefore),
        countText(table.filesAfter),
        bytesText(table.bytesBefore),
        bytesText(table.bytesAfter),
        countText(table.snapshotsExpired),
        countText(table.orphansRemoved),
      ]),
    );
    return 0;
  },
};

function printDeployed(session: Session, report: DeployedMaintainReport): void {
  const head = report.isDryRun ? 'would be run' : 'was run';
  session.printTable(
    ['table', head, 'read'],
    report.statements.map(({ table, sql, scannedBytes }) => [
      table,
      sql,
      scannedBytes === null ? '-' : bytesText(scannedBytes),
    ]),
  );
  for (const note of report.notes) session.print(note);
}

import { countOf, countText } from '../format.ts';
import type { CommandDefinition } from '../command.ts';
import type { PlaceOptions } from '../deployed-options.ts';
import { addPlaceOptions, deployedPlace } from '../deployed-options.ts';
import { leftIn, printRedrive } from '../redrive-report.ts';
import type { LocalRedriveReport } from '../../local/results.ts';
import type { Session } from '../session.ts';

export const redriveCommand: CommandDefinition<PlaceOptions> = {
  usage: 'redrive',
  summary: 'Send through again what was set aside',
  details:
    'Each record keeps its version, so it never overwrites anything newer, and doing it twice changes nothing. What is refused again stays. Deployed, this is quarantine, what Firehose could not deliver, batches that Lambda gave up on, and loads that were given up on. Exits 1 if anything is left.',
  examples: [
    ['glasshouse redrive', 'the quarantine of this folder; end `glasshouse run` first'],
    ['glasshouse redrive --deployed', 'everything that the deployed mirror has set aside'],
  ],
  configure: (command) => void addPlaceOptions(command),
  async execute(session, options) {
    const place = await deployedPlace(session, options);
    if (place !== null) {
      const result = await session.operations.redriveDeployed(place.mirror, place.options);
      if (session.json) session.printJson(result);
      else printRedrive(session, result);
      return leftIn(result.counts) === 0 ? 0 : 1;
    }
    const report = await session.operations.redriveMirror(await session.findMirror(), session.common);
    if (session.json) session.printJson(report);
    else printLocal(session, report);
    return report.tables.every((table) => table.refused === 0) ? 0 : 1;
  },
};

function printLocal(session: Session, report: LocalRedriveReport): void {
  session.printTable(
    ['table', 'found', 'redriven', 'refused again'],
    report.tables.map(({ table, found, redriven, refused }) => [
      table,
      countText(found),
      countText(redriven),
      countText(refused),
    ]),
  );
  const left = report.tables.reduce((sum, table) => sum + table.refused, 0);
  session.print('');
  session.print(
    left === 0
      ? session.paint('green', 'Nothing is left.')
      : session.paint(
          'yellow',
          `Refused again: ${countOf(left, 'record')}; still in ${session.common.dir}/quarantine.`,
        ),
  );
}

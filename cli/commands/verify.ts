import type { CommandDefinition } from '../command.ts';
import type { PlaceOptions } from '../deployed-options.ts';
import { addPlaceOptions, deployedPlace } from '../deployed-options.ts';
import { countOf } from '../format.ts';
import { printVerifyReport } from '../verify-report.ts';

export const verifyCommand: CommandDefinition<PlaceOptions> = {
  usage: 'verify',
  summary: 'Compare the source with each target, row by row and value by value',
  details:
    'Prints what differs, and exits 1 if anything does. With --deployed it scans the source and reads both targets whole, which costs; what differs is compared once more after the targets have caught up.',
  examples: [
    ['glasshouse verify', 'the mirror of this folder'],
    ['glasshouse verify --json | jq .differences', 'what differs, for a program'],
    ['glasshouse verify --deployed', 'the mirror that `cdk deploy` made'],
  ],
  configure: (command) => void addPlaceOptions(command),
  async execute(session, options) {
    const place = await deployedPlace(session, options);
    if (place !== null) {
      const report = await session.operations.verifyDeployed(place.mirror, place.options);
      if (session.json) session.printJson(report);
      else printVerifyReport(session, report);
      if (report.comparedAgain > 0)
        session.print(`${countOf(report.comparedAgain, 'row')} differed at first, and were compared once more.`);
      return report.equal ? 0 : 1;
    }
    const report = await session.operations.verifyMirror(await session.loadMirror(), session.common);
    if (session.json) session.printJson(report);
    else printVerifyReport(session, report);
    return report.equal ? 0 : 1;
  },
};

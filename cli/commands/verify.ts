import type { CommandDefinition } from '../command.ts';
import { printVerifyReport } from '../verify-report.ts';

export const verifyCommand: CommandDefinition = {
  usage: 'verify',
  summary: 'Compare the source with each target, row by row and value by value',
  details: 'Prints what differs, and exits 1 if anything does.',
  examples: [
    ['glasshouse verify', 'the mirror of this folder'],
    ['glasshouse verify --json | jq .differences', 'what differs, for a program'],
  ],
  async execute(session) {
    const report = await session.operations.verifyMirror(await session.loadMirror(), session.common);
    if (session.json) session.printJson(report);
    else printVerifyReport(session, report);
    return report.equal ? 0 : 1;
  },
};

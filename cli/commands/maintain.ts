import type { CommandDefinition } from '../command.ts';
import { bytesText, countText } from '../format.ts';

export const maintainCommand: CommandDefinition = {
  usage: 'maintain',
  summary: 'Compact files, expire snapshots and remove orphans of the lakehouse',
  details: 'Nothing that a reader of the newest snapshot sees is changed. It can run beside `glasshouse run`.',
  examples: [
    ['glasshouse maintain', 'the mirror of this folder'],
    ['glasshouse maintain --dir replayed', 'a folder that replay or demo made'],
  ],
  async execute(session) {
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

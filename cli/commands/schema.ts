import { columnTypeText } from '../../core/column.ts';
import type { CommandDefinition } from '../command.ts';

export const schemaCommand: CommandDefinition = {
  usage: 'schema <table>',
  summary: 'Show the columns of a mirrored table, and the attributes they come from',
  examples: [
    ['glasshouse schema orders', 'the newest version of the schema'],
    ['glasshouse schema orders --dir replayed --json', 'of a folder that replay made, for a program'],
  ],
  async execute(session, _options, words) {
    const table = words[0] ?? '';
    const { version, columns } = await session.operations.schemaOf(await session.findMirror(), table, session.common);
    const described = columns.map((column) => ({ ...column, type: columnTypeText(column.type) }));
    if (session.json) {
      session.printJson({ table, version, columns: described });
      return 0;
    }
    session.print(`${session.paint('bold', table)}, version ${version} of its schema`);
    session.print('');
    session.printTable(
      ['id', 'column', 'type', 'attribute', 'key', 'declared'],
      described.map((column) => [
        String(column.id),
        column.name,
        column.type,
        column.attribute,
        column.keyIndex === undefined ? '' : column.keyIndex === 0 ? 'hash' : 'range',
        column.declared === true ? 'yes' : '',
      ]),
    );
    return 0;
  },
};

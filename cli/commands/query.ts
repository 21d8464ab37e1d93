import { Option } from 'commander';
import type { TargetName } from '../../local/results.ts';
import type { CommandDefinition } from '../command.ts';
import { TARGET_NAMES } from '../run-summary.ts';
import type { SharedOptions } from '../session.ts';

interface QueryOptions extends SharedOptions {
  readonly target: TargetName;
}

export const queryCommand: CommandDefinition<QueryOptions> = {
  usage: 'query <sql>',
  summary: 'Ask the lakehouse (DuckDB SQL) or the warehouse (PostgreSQL)',
  details:
    'In the lakehouse every table has four names: orders, orders__changes, orders_live and orders_history. With --dir and no --config, the folder is described by what it holds.',
  examples: [
    ['glasshouse query "select count(*) from orders"', 'the current rows'],
    ['glasshouse query "select * from orders_history order by _valid_from desc limit 5"', 'every version of every row'],
    [
      'glasshouse query "select order_status, sum(total) from orders group by 1" --target warehouse',
      'the same table in the warehouse',
    ],
  ],
  configure(command) {
    command.addOption(
      new Option('--target <target>', 'which of the two').choices([...TARGET_NAMES]).default('lakehouse'),
    );
  },
  async execute(session, options, words) {
    const mirror = await session.findMirror();
    const result = await session.operations.queryMirror(mirror, words[0] ?? '', options.target, session.common);
    if (session.json) session.printJson(result);
    else session.printTable(result.columns, result.rows);
    return 0;
  },
};

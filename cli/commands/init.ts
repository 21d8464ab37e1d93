import { writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { GlasshouseError, messageOf } from '../../core/errors.ts';
import type { CommandDefinition } from '../command.ts';
import { CONFIG_TEMPLATE } from '../config-template.ts';
import type { SharedOptions } from '../session.ts';

interface InitOptions extends SharedOptions {
  readonly force?: boolean;
}

export const initCommand: CommandDefinition<InitOptions> = {
  usage: 'init',
  summary: 'Write a commented glasshouse.config.ts',
  examples: [
    ['glasshouse init', 'in this folder, for a DynamoDB on this machine; the lines for AWS are in it as comments'],
    ['glasshouse init --config shop.config.ts', 'under another name'],
    ['glasshouse init --force', 'in place of the one that is there'],
  ],
  configure: (command) => void command.option('--force', 'write over the file that is there'),
  async execute(session, options) {
    const path = resolve(session.host.cwd, options.config ?? 'glasshouse.config.ts');
    await writeConfig(path, options.force === true);
    if (session.json) session.printJson({ path });
    else
      session.print(
        `Wrote ${relative(session.host.cwd, path)}. Change it to your tables, then start with \`glasshouse run\`.`,
      );
    return 0;
  },
};

async function writeConfig(path: string, force: boolean): Promise<void> {
  try {
    await writeFile(path, CONFIG_TEMPLATE, { flag: force ? 'w' : 'wx' });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new GlasshouseError(
        'usage',
        `${path} is there already; write over it with --force, or choose another name with --config.`,
      );
    }
    throw new GlasshouseError(
      'unavailable',
      `${path} cannot be written: ${messageOf(thrown)}. Check the folder and its permissions.`,
      { cause: thrown },
    );
  }
}

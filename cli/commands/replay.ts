import { resolve } from 'node:path';
import { Option } from 'commander';
import { columnNameOf } from '../../core/column-name.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { TargetName } from '../../local/results.ts';
import type { CommandDefinition } from '../command.ts';
import { countOf } from '../format.ts';
import { printRunSummary, quarantinedIn, TARGET_NAMES } from '../run-summary.ts';
import type { SharedOptions } from '../session.ts';

interface ReplayOptions extends SharedOptions {
  readonly table: string;
  readonly key: string;
  readonly target: TargetName | 'both';
  readonly strict?: boolean;
}

/** What DynamoDB allows. */
const TABLE_NAME = /^[A-Za-z0-9_.-]{1,255}$/;
const MAX_MIRROR_NAME = 40;

export const replayCommand: CommandDefinition<ReplayOptions> = {
  usage: 'replay <file...>',
  summary: 'Mirror files of DynamoDB stream records',
  details:
    'The records are as Lambda gets them: one a line, or whole {"Records": [...]} events; plain or gzip; "-" is standard input. In any order, with any duplicates: the result is the same. What cannot be read is set aside with its reason and place.',
  examples: [
    [
      'glasshouse replay events.jsonl --table Orders --key customer_id,order_id --dir replayed',
      'into a lakehouse and a warehouse under replayed/',
    ],
    [
      'glasshouse replay day/*.jsonl.gz --table orders --key id --dir lake --target lakehouse',
      'many files, the lakehouse alone',
    ],
    [
      'aws s3 cp s3://bucket/events.gz - | glasshouse replay - --table orders --key id --strict',
      'from another program; exit 1 if any record was set aside',
    ],
  ],
  configure(command) {
    command
      .requiredOption('--table <name>', 'the DynamoDB table; the mirror has it by the same name in lower_snake')
      .requiredOption('--key <attributes>', 'the key attribute, or two with a comma (hash, then range)')
      .addOption(new Option('--target <target>', 'where to').choices([...TARGET_NAMES, 'both']).default('both'))
      .option('--strict', 'exit 1 if any record was set aside');
  },
  async execute(session, options, words) {
    const summary = await session.operations.replayFiles(
      {
        files: words.map((file) => (file === '-' ? file : resolve(session.host.cwd, file))),
        table: tableName(options.table),
        key: keyAttributes(options.key),
        targets: options.target === 'both' ? TARGET_NAMES : [options.target],
        strict: options.strict === true,
      },
      session.common,
    );
    if (session.json) session.printJson(summary);
    else printRunSummary(session, summary);
    const aside = quarantinedIn(summary);
    if (options.strict !== true || aside === 0) return 0;
    session.common.log(
      `${countOf(aside, 'record')} ${aside === 1 ? 'was' : 'were'} set aside, and --strict allows none.`,
    );
    return 1;
  },
};

function tableName(text: string): string {
  if (TABLE_NAME.test(text) && columnNameOf(text).length <= MAX_MIRROR_NAME) return text;
  throw new GlasshouseError(
    'usage',
    `--table ${JSON.stringify(text)} is no DynamoDB table's name (at most 255 of A-Z a-z 0-9 _ . -) that makes a lower_snake name of at most ${MAX_MIRROR_NAME} characters; write one such as Orders.`,
  );
}

function keyAttributes(text: string): string[] {
  const attributes = text.split(',').map((attribute) => attribute.trim());
  const isKey =
    attributes.length <= 2 &&
    attributes.every((attribute) => attribute !== '') &&
    new Set(attributes).size === attributes.length;
  if (isKey) return attributes;
  throw new GlasshouseError(
    'usage',
    `--key ${JSON.stringify(text)} is no key; name one attribute, or two with a comma: --key customer_id,order_id.`,
  );
}

import { type Command, InvalidArgumentError } from 'commander';
import type { ExitCode } from './failure.ts';
import type { Host } from './host.ts';
import type { Operations } from './operations.ts';
import { openSession, type Session, type SharedOptions } from './session.ts';

/** One command: its help, and what it does. */
export interface CommandDefinition<Options extends SharedOptions = SharedOptions> {
  /** As commander takes it: `replay <file...>`. */
  readonly usage: string;
  readonly summary: string;
  /** More than the summary says, for the command's own help. */
  readonly details?: string;
  /** Real calls, each with what it does. */
  readonly examples: readonly (readonly [call: string, meaning: string])[];
  /** Adds the options of this command alone. */
  configure?(command: Command): void;
  execute(session: Session, options: Options, words: readonly string[]): Promise<ExitCode>;
}

/** What adding a command needs; `done` gets its exit code. */
export interface CommandHome {
  readonly program: Command;
  readonly host: Host;
  readonly operations: Operations;
  readonly done: (code: ExitCode) => void;
}

export function addCommand<Options extends SharedOptions>(
  home: CommandHome,
  definition: CommandDefinition<Options>,
): void {
  const command = home.program.command(definition.usage).summary(definition.summary);
  command.description(
    definition.details === undefined ? `${definition.summary}.` : `${definition.summary}. ${definition.details}`,
  );
  definition.configure?.(command);
  addSharedOptions(command).addHelpText('after', examplesText(definition.examples));
  command.action(async (...received: unknown[]) => {
    // Commander gives the arguments (a variadic one as an array), then the options, then the command.
    const words = received
      .slice(0, -2)
      .flat()
      .filter((word) => typeof word === 'string');
    const options = command.opts<Options>();
    const session = openSession(home.host, home.operations, options);
    try {
      home.done(await definition.execute(session, options, words));
    } finally {
      session.end();
    }
  });
}

function addSharedOptions(command: Command): Command {
  return command
    .option('--config <path>', 'the configuration (default: glasshouse.config.ts, .mjs or .js in this folder)')
    .option('--dir <folder>', 'where the mirror keeps its data (default: .glasshouse)')
    .option('--json', 'print the result as JSON');
}

function examplesText(examples: CommandDefinition['examples']): string {
  return ['', 'Examples:', ...examples.flatMap(([call, meaning]) => [`  ${call}`, `      ${meaning}`])].join('\n');
}

/** Reads an option that is a whole number from `least` on. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Write a whole number ${range}.`);
  };
}

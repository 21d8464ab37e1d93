import { Command, CommanderError } from 'commander';
import { paintFor } from './colour.ts';
import { addCommand, type CommandHome } from './command.ts';
import { costCommand } from './commands/cost.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { dynamodbCommand } from './commands/dynamodb.ts';
import { initCommand } from './commands/init.ts';
import { maintainCommand } from './commands/maintain.ts';
import { queryCommand } from './commands/query.ts';
import { redriveCommand } from './commands/redrive.ts';
import { replayCommand } from './commands/replay.ts';
import { runCommand } from './commands/run.ts';
import { schemaCommand } from './commands/schema.ts';
import { statusCommand } from './commands/status.ts';
import { verifyCommand } from './commands/verify.ts';
import { type ExitCode, failureOf } from './failure.ts';
import type { Host } from './host.ts';
import { embeddedOperations, type Operations } from './operations.ts';
import { VERSION } from './package-version.ts';

/**
 * The command line.
 * @param words what follows the program's name
 * @returns the exit code: 0 done; 1 a difference or a failure; 2 usage or configuration
 */
export async function main(
  words: readonly string[],
  host: Host,
  operations: Operations = embeddedOperations,
): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const stop = { asked: false };
  const program = createProgram(host);
  const home: CommandHome = { program, host, operations, done: (code) => (exitCode = code) };
  addCommands(home);
  if (words.length === 0) {
    program.outputHelp({ error: true });
    return 2;
  }
  const endListening = host.onStop(() => (stop.asked = true));
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    // Commander has written its own message already.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const paint = paintFor(host.stderr.isTerminal, host.env);
    if (stop.asked && isAbort(thrown)) {
      host.stderr.write('Stopped before the end; what was finished by then is kept.\n');
      return 1;
    }
    const failure = failureOf(thrown, host.env);
    host.stderr.write(`${paint('red', 'error:')} ${failure.message}\n`);
    return failure.exitCode;
  } finally {
    endListening();
  }
}

function createProgram(host: Host): Command {
  return new Command('glasshouse')
    .description(
      'Mirrors DynamoDB tables into a lakehouse (Apache Iceberg) and a warehouse (PostgreSQL), in near real time, and proves that they are equal.',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      getOutHelpWidth: () => host.stdout.columns,
      getErrHelpWidth: () => host.stderr.columns,
    })
    .addHelpText(
      'after',
      '\nStart with `glasshouse demo`, or with `glasshouse init` for tables of your own.\nExit codes: 0 done; 1 a difference or a failure; 2 usage or configuration.',
    );
}

function addCommands(home: CommandHome): void {
  addCommand(home, demoCommand);
  addCommand(home, initCommand);
  addCommand(home, runCommand);
  addCommand(home, verifyCommand);
  addCommand(home, statusCommand);
  addCommand(home, queryCommand);
  addCommand(home, schemaCommand);
  addCommand(home, redriveCommand);
  addCommand(home, maintainCommand);
  addCommand(home, replayCommand);
  addCommand(home, dynamodbCommand);
  addCommand(home, doctorCommand);
  addCommand(home, costCommand);
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === 'AbortError' || thrown.name === 'ABORT_ERR');
}

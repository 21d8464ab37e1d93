import type { ProgressEvent } from '../../local/results.ts';
import type { CommandDefinition } from '../command.ts';
import { printRunSummary } from '../run-summary.ts';
import type { Session, SharedOptions } from '../session.ts';

interface RunOptions extends SharedOptions {
  readonly untilIdle?: boolean;
}

const JSON_LINE_MS = 1000;

export const runCommand: CommandDefinition<RunOptions> = {
  usage: 'run',
  summary: 'Mirror the tables of the configuration until a signal',
  details:
    'A second start continues where the first stopped. A table that has items already is read in beside its stream. With --json every line is a document: progress, and the summary at the end.',
  examples: [
    ['glasshouse run', 'mirrors until Ctrl-C'],
    ['glasshouse run --until-idle', 'mirrors what is there, and ends when nothing more comes'],
    ['glasshouse run --config shop.config.ts --dir /data/shop', 'another configuration, another folder'],
  ],
  configure: (command) => void command.option('--until-idle', 'end when the streams have nothing more'),
  async execute(session, options) {
    const mirror = await session.loadMirror();
    const onProgress = session.json ? jsonProgress(session) : session.common.onProgress;
    const summary = await session.operations.runMirror(mirror, {
      ...session.common,
      onProgress,
      untilIdle: options.untilIdle === true,
    });
    if (session.json) session.printJson({ event: 'summary', ...summary });
    else printRunSummary(session, summary);
    return 0;
  },
};

/** Progress as JSON lines on standard output, at most one a second. */
function jsonProgress(session: Session): (event: ProgressEvent) => void {
  let writtenAt = Number.NEGATIVE_INFINITY;
  return (event) => {
    const at = session.host.now();
    if (at - writtenAt < JSON_LINE_MS) return;
    writtenAt = at;
    session.printJson({ event: 'progress', ...event });
  };
}

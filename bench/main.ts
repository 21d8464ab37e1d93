import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import { TASK_FLAG, runTask } from './child-task.ts';
import type { Figure, Measurement, Size } from './figure.ts';
import { isMet } from './figure.ts';
import { figureTable } from './figure-table.ts';
import { MEASUREMENTS, TASKS } from './measurements.ts';
import { writeResults } from './results.ts';

/** The bench: `npm run bench [-- --smoke] [-- --only NAME]`. Ends with 1 where a measurement went wrong, never because it was slow. */
async function bench(words: readonly string[]): Promise<void> {
  const { smoke, only } = readOptions(words);
  const size: Size = smoke ? 'smoke' : 'full';
  const chosen = only.length === 0 ? MEASUREMENTS : only.map(measurementNamed);
  const figures: Figure[] = [];
  for (const { name, measure } of chosen) {
    figures.push(...(await measure(size, (line) => process.stderr.write(`${name}: ${line}\n`))));
  }
  process.stdout.write(
    `\n${figureTable(size === 'smoke' ? figures.map((figure) => ({ ...figure, goal: null })) : figures).join('\n')}\n\n${conclusion(figures, size)}\n`,
  );
  // What was measured on a little says nothing about speed, and what was measured in part would hide the rest.
  if (size === 'full') await writeResults(projectFolder(), figures);
}

function readOptions(words: readonly string[]): { readonly smoke: boolean; readonly only: readonly string[] } {
  try {
    const options = { smoke: { type: 'boolean' }, only: { type: 'string', multiple: true } } as const;
    const { smoke = false, only = [] } = parseArgs({ args: [...words], options }).values;
    return { smoke, only };
  } catch (cause) {
    throw new GlasshouseError('usage', `${messageOf(cause)}. Usage: npm run bench [-- --smoke] [-- --only NAME]`, {
      cause,
    });
  }
}

function measurementNamed(name: string): Measurement {
  const found = MEASUREMENTS.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = MEASUREMENTS.map((one) => one.name).join(', ');
  throw new GlasshouseError('usage', `There is no measurement ${JSON.stringify(name)}; there are ${names}.`);
}

function conclusion(figures: readonly Figure[], size: Size): string {
  if (size === 'smoke') return 'A smoke run: everything works, and the figures say nothing about speed.';
  const goals = figures.filter((figure) => isMet(figure) !== null);
  const met = goals.filter(isMet).length;
  return `${met} of ${goals.length} goals met.`;
}

/** The folder above `dist/bench/main.js`. */
function projectFolder(): string {
  return resolve(dirname(process.argv[1] ?? ''), '..', '..');
}

const words = process.argv.slice(2);
try {
  if (words[0] === TASK_FLAG) await runTask(TASKS, words.slice(1));
  else await bench(words);
} catch (thrown) {
  const isOurs = thrown instanceof GlasshouseError && thrown.code !== 'bug';
  process.stderr.write(
    `${isOurs || !(thrown instanceof Error) ? messageOf(thrown) : (thrown.stack ?? thrown.message)}\n`,
  );
  process.exit(thrown instanceof GlasshouseError && thrown.code === 'usage' ? 2 : 1);
}

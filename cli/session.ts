import { resolve } from 'node:path';
import type { Mirror } from '../core/config.ts';
import type { CommonOptions, ProgressEvent } from '../local/results.ts';
import { type Paint, paintFor } from './colour.ts';
import type { Host, StopReason } from './host.ts';
import type { Operations } from './operations.ts';
import { createProgress } from './progress.ts';
import { type TableStyle, tableLines } from './table.ts';

export const DEFAULT_DIR = '.glasshouse';
const DEFAULT_CONFIG = 'glasshouse.config.ts';

/** The options that every command has. */
export interface SharedOptions {
  readonly config?: string;
  readonly dir?: string;
  readonly json?: boolean;
}

/** What a command works with: where its text goes, what stops it, and what does its work. */
export interface Session {
  readonly host: Host;
  readonly operations: Operations;
  readonly json: boolean;
  readonly paint: Paint;
  readonly common: CommonOptions;
  /** Why the command was asked to stop; null while it was not. */
  stopReason(): StopReason | null;
  /** A line of the result for people; nothing with --json. */
  readonly print: (line: string) => void;
  printTable(columns: readonly string[], rows: readonly (readonly (string | null)[])[]): void;
  /** The result with --json: one document. */
  printJson(value: unknown): void;
  /** The configuration that the command needs. */
  loadMirror(): Promise<Mirror>;
  /**
   * The configuration, where the command can do without: null where a folder is named and no configuration is, or where
   * there is none, and the folder is then described by what it holds.
   */
  findMirror(): Promise<Mirror | null>;
  /** Ends the live line and the listening for signals. */
  end(): void;
}

/** Opens a session. `onProgress` gets the events instead of the progress line, where it is given. */
export function openSession(
  host: Host,
  operations: Operations,
  options: SharedOptions,
  onProgress?: (event: ProgressEvent) => void,
): Session {
  const json = options.json === true;
  const paint = paintFor(host.stdout.isTerminal, host.env);
  const style: TableStyle = { paint, maxWidth: host.stdout.isTerminal ? host.stdout.columns : null };
  const progress = createProgress(host.stderr, paintFor(host.stderr.isTerminal, host.env), () => host.now());
  const stop = listenForStop(host, (line) => progress.log(line));
  const configPath = resolve(host.cwd, options.config ?? DEFAULT_CONFIG);
  const print = (line: string) => {
    if (json) return;
    progress.finish();
    host.stdout.write(`${line}\n`);
  };
  const found = async () => (options.config === undefined ? await operations.findConfig(host.cwd) : configPath);
  return {
    host,
    operations,
    json,
    paint,
    common: {
      dir: resolve(host.cwd, options.dir ?? DEFAULT_DIR),
      signal: stop.signal,
      onProgress: onProgress ?? ((event) => progress.update(event)),
      log: (line) => progress.log(line),
    },
    stopReason: stop.reason,
    print,
    printTable: (columns, rows) => tableLines(columns, rows, style).forEach(print),
    printJson(value) {
      progress.finish();
      host.stdout.write(`${JSON.stringify(value)}\n`);
    },
    loadMirror: async () => operations.loadConfig((await found()) ?? configPath),
    async findMirror() {
      if (options.config === undefined && options.dir !== undefined) return null;
      const path = await found();
      return path === null ? null : operations.loadConfig(path);
    },
    end() {
      progress.finish();
      stop.end();
    },
  };
}

/** The first signal asks for an end in order; the second ends at once. */
function listenForStop(host: Host, log: (line: string) => void) {
  const controller = new AbortController();
  let reason: StopReason | null = null;
  const end = host.onStop((next) => {
    if (reason !== null && reason !== 'EPIPE' && next !== 'EPIPE') {
      host.exitNow(next === 'SIGINT' ? 130 : 143);
      return;
    }
    const isFirst = reason === null;
    reason ??= next;
    if (next !== 'EPIPE') {
      reason = next;
      log('Stopping … (once more stops at once)');
    }
    if (isFirst) controller.abort();
  });
  return { signal: controller.signal, reason: () => reason, end };
}

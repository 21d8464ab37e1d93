import type { Host, Output, StopReason } from './host.ts';
import { main } from './main.ts';

/** Runs the command line in this process, and ends it with the command's exit code. */
export async function runProcess(words: readonly string[]): Promise<void> {
  const code = await main(words, processHost());
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

function processHost(): Host {
  const listeners = new Set<(reason: StopReason) => void>();
  const tell = (reason: StopReason) => {
    for (const listener of [...listeners]) listener(reason);
  };
  process.on('SIGINT', () => tell('SIGINT'));
  process.on('SIGTERM', () => tell('SIGTERM'));
  // The terminal was closed: what runs below it, a database among it, must be ended as in order as by hand.
  process.on('SIGHUP', () => tell('SIGTERM'));
  return {
    stdout: output(process.stdout, () => tell('EPIPE')),
    stderr: output(process.stderr, () => undefined),
    env: process.env,
    cwd: process.cwd(),
    now: () => Date.now(),
    onStop(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exitNow: (code) => process.exit(code),
  };
}

/** A stream that may lose its reader (`glasshouse query … | head`): what is written after that goes nowhere. */
function output(stream: NodeJS.WriteStream, onReaderGone: () => void): Output {
  let readerGone = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    readerGone = true;
    onReaderGone();
  });
  return {
    write(text) {
      if (!readerGone) stream.write(text);
    },
    isTerminal: stream.isTTY,
    get columns() {
      // Not there where the stream is no terminal, whatever its type says.
      return (stream.columns as number | undefined) ?? 80;
    },
  };
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}

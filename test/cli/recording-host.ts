import type { Host, StopReason } from '../../cli/host.ts';
import { main } from '../../cli/main.ts';
import type { Operations } from '../../cli/operations.ts';

/** A host that keeps what is written, whose clock stands still until it is moved, and whose signals the test sends. */
export interface RecordingHost extends Host {
  out(): string;
  err(): string;
  advance(ms: number): void;
  stop(reason: StopReason): void;
  /** The code that `exitNow` was called with. */
  exitedWith(): number | null;
}

export function recordingHost(
  settings: {
    readonly isTerminal?: boolean;
    readonly columns?: number;
    readonly env?: Record<string, string>;
    readonly cwd?: string;
  } = {},
): RecordingHost {
  const written = { out: '', err: '' };
  const listeners = new Set<(reason: StopReason) => void>();
  let time = 0;
  let exited: number | null = null;
  const shape = { isTerminal: settings.isTerminal === true, columns: settings.columns ?? 80 };
  return {
    stdout: { ...shape, write: (text) => void (written.out += text) },
    stderr: { ...shape, write: (text) => void (written.err += text) },
    env: settings.env ?? {},
    cwd: settings.cwd ?? '/place',
    now: () => time,
    onStop(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exitNow: (code) => void (exited = code),
    out: () => written.out,
    err: () => written.err,
    advance: (ms) => void (time += ms),
    stop: (reason) => [...listeners].forEach((listener) => listener(reason)),
    exitedWith: () => exited,
  };
}

/** Operations of which only the given ones may be called. */
export function onlyOperations(given: Partial<Operations>): Operations {
  const refuse = (name: string) => () => Promise.reject(new Error(`${name} was not expected to be called`));
  return {
    loadConfig: refuse('loadConfig'),
    findConfig: () => Promise.resolve(null),
    runDemo: refuse('runDemo'),
    runMirror: refuse('runMirror'),
    replayFiles: refuse('replayFiles'),
    verifyMirror: refuse('verifyMirror'),
    statusOf: refuse('statusOf'),
    queryMirror: refuse('queryMirror'),
    schemaOf: refuse('schemaOf'),
    maintainMirror: refuse('maintainMirror'),
    redriveMirror: refuse('redriveMirror'),
    startDynamoDb: refuse('startDynamoDb'),
    costOf: refuse('costOf'),
    examine: refuse('examine'),
    statusOfDeployed: refuse('statusOfDeployed'),
    verifyDeployed: refuse('verifyDeployed'),
    redriveDeployed: refuse('redriveDeployed'),
    maintainDeployed: refuse('maintainDeployed'),
    ...given,
  };
}

/** Runs a command line as one would type it, without quotes. */
export async function run(line: string, operations: Partial<Operations> = {}, host: RecordingHost = recordingHost()) {
  const code = await main(
    line.split(' ').filter((word) => word !== ''),
    host,
    onlyOperations(operations),
  );
  return { code, out: host.out(), err: host.err(), host };
}

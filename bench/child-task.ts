import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { GlasshouseError, messageOf } from '../core/errors.ts';

/** Work that runs in a process of its own, so that its memory and garbage are its own. What goes in and out is JSON. */
export interface Task<P, R> {
  readonly name: string;
  /** `parent`: the process that waits for the result, to which one may talk meanwhile. */
  readonly run: (params: P, parent: Peer) => Promise<R>;
}

/** A process on the other side, for messages while a task runs. */
export interface Peer {
  tell(message: unknown): void;
  /** The next message of the other side. */
  hear(): Promise<unknown>;
}

export interface TaskResult<R> {
  readonly result: R;
  /** The most memory that the process ever had resident, in bytes. */
  readonly peakBytes: number;
}

/** A task that was begun in a child process. */
export interface StartedTask<R> extends Peer {
  /** Rejects where the task throws, or where its process ends before its work. */
  readonly done: Promise<TaskResult<R>>;
  /** Waits until its process is gone, after asking it to go. */
  end(): Promise<void>;
}

type Message =
  | { readonly kind: 'said'; readonly message: unknown }
  | { readonly kind: 'result'; readonly result: unknown; readonly peakBytes: number }
  | { readonly kind: 'error'; readonly error: string };

/** The argument that makes this program run a task instead of the bench. */
export const TASK_FLAG = '--task';

/** Runs a task in a child process. Throws as `StartedTask.done` does. */
export async function runInChild<P, R>(task: Task<P, R>, params: P): Promise<TaskResult<R>> {
  return startInChild(task, params).done;
}

/** Begins a task in a child process: this program, called with the task's name. */
export function startInChild<P, R>(task: Task<P, R>, params: P): StartedTask<R> {
  const child = fork(process.argv[1] ?? '', [TASK_FLAG, task.name, JSON.stringify(params)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const failed = (why: string) => new GlasshouseError('bug', `The task ${task.name} ${why}`);
  const done = new Promise<TaskResult<R>>((resolve, reject) => {
    child.on('message', (message) => {
      const reply = message as Message;
      if (reply.kind === 'error') reject(failed(`failed: ${reply.error}`));
      if (reply.kind === 'result') resolve(reply as TaskResult<R>);
    });
    child.on('error', reject);
    // After a reply this changes nothing.
    child.on('exit', (code, signal) => reject(failed(`ended with ${signal ?? `code ${code}`} and no reply.`)));
  });
  const gone = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  // Whoever waits for a message meanwhile is told of a failure too.
  const heard = inbox((receive) => child.on('message', receive));
  return {
    done,
    tell: (message) => void child.send({ kind: 'said', message } satisfies Message),
    hear: () => Promise.race([heard(), done.then(() => Promise.reject(failed('ended without saying it.')))]),
    end: () => {
      if (child.connected) child.disconnect();
      return gone;
    },
  };
}

/** What the child does: runs the task that the arguments name, replies, and ends the process. */
export async function runTask(
  tasks: readonly Task<never, unknown>[],
  [name, params]: readonly string[],
): Promise<void> {
  const task = tasks.find((one) => one.name === name);
  if (task === undefined || params === undefined)
    throw new GlasshouseError('usage', `There is no task ${JSON.stringify(name)}; it is the bench that calls them.`);
  const parent: Peer = {
    tell: (message) => process.send?.({ kind: 'said', message } satisfies Message),
    hear: inbox((receive) => process.on('message', receive)),
  };
  // A child without a parent has nobody to work for.
  process.on('disconnect', () => process.exit(1));
  const run = async (): Promise<unknown> => task.run(JSON.parse(params) as never, parent);
  const reply = await run().then(
    (result): Message => ({ kind: 'result', result, peakBytes: peakBytes() }),
    (thrown: unknown): Message => ({ kind: 'error', error: stackOf(thrown) }),
  );
  // By hand, as under a profiler, there is no parent: the reply is printed.
  if (process.send === undefined) process.stdout.write(`${JSON.stringify(reply, null, 2)}\n`);
  else await new Promise((sent) => process.send?.(reply, sent));
  process.exit(reply.kind === 'error' ? 1 : 0);
}

/** What was said and not heard yet, in order. */
function inbox(listen: (receive: (message: unknown) => void) => unknown): () => Promise<unknown> {
  const said: unknown[] = [];
  const arrival = new EventTarget();
  listen((received) => {
    const message = received as Message;
    if (message.kind !== 'said') return;
    said.push(message.message);
    arrival.dispatchEvent(new Event('message'));
  });
  return async () => {
    while (said.length === 0) await once(arrival, 'message');
    return said.shift();
  };
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
}

/** The kernel's own count where it tells it: the one that `resourceUsage` has includes the parent's memory at the fork. */
function peakBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // No /proc on this system.
  }
  return process.resourceUsage().maxRSS * 1024;
}

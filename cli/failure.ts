import { inspect } from 'node:util';
import { GlasshouseError, messageOf } from '../core/errors.ts';

/** 0: done; 1: a difference or a failure; 2: usage or configuration. */
export type ExitCode = 0 | 1 | 2;

export interface Failure {
  readonly message: string;
  readonly exitCode: ExitCode;
}

/** What a user is told about what was thrown. With GLASSHOUSE_DEBUG=1 the stack too. */
export function failureOf(thrown: unknown, env: Readonly<Record<string, string | undefined>>): Failure {
  const isOurs = thrown instanceof GlasshouseError;
  const exitCode = isOurs && (thrown.code === 'usage' || thrown.code === 'config') ? 2 : 1;
  if (env.GLASSHOUSE_DEBUG === '1') return { message: inspect(thrown, { depth: 4 }), exitCode };
  if (isOurs && thrown.code !== 'bug') return { message: thrown.message, exitCode };
  return { message: `${messageOf(thrown)} (unexpected; GLASSHOUSE_DEBUG=1 shows where)`, exitCode };
}

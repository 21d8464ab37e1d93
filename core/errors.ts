/**
 * What kind of trouble an error is. The command line maps it to an exit code and flows map it to what they do next:
 * `usage` and `config` end with 2; everything else ends with 1.
 */
export type ErrorCode =
  | 'usage' // a command was called in a way that it does not take
  | 'config' // the configuration is not valid
  | 'input' // a file or record that cannot be read
  | 'conflict' // another writer committed first, and the work must be planned again
  | 'gap' // the stream no longer holds what the mirror has not read yet
  | 'throttled' // a service asked for less
  | 'unavailable' // a service, port, or disk that cannot be used now
  | 'corrupt' // stored state that contradicts itself
  | 'bug'; // a state that the code believes to be impossible

/** An error that a user can meet: its message says what happened, with which value, and what to do. */
export class GlasshouseError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'GlasshouseError';
    this.code = code;
  }
}

/** The message of anything that was thrown, on one line. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message.split('\n')[0] ?? thrown.name;
  return String(thrown);
}

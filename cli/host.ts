/** Where a command's text goes. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** The cells of a line of the terminal; 80 where that is not known. */
  readonly columns: number;
}

/** The process that a command runs in, as far as a command may know it. Tests bring their own. */
export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Epoch milliseconds. */
  now(): number;
  /** Calls back at every SIGINT and SIGTERM, and when nobody reads standard output any more; gives back what ends that. */
  onStop(listener: (reason: StopReason) => void): () => void;
  /** Ends the process at once. */
  exitNow(code: number): void;
}

export type StopReason = 'SIGINT' | 'SIGTERM' | 'EPIPE';

/** What may stand in a line of the log: names, counts, durations, hashes. Never a row's values. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** Says what happened, for people and for searches. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** `thrown` is what was caught, if anything was. */
  error(message: string, thrown?: unknown, fields?: LogFields): void;
}

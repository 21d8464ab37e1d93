/**
 * The articles of `docs/operations.md`, by the name of their alarm: an alarm, its article and its section's anchor have one name.
 */
export const ARTICLES = [
  'freshness',
  'capture-late',
  'capture-at-risk',
  'failed-batches',
  'quarantine',
  'stale-sequences',
  'firehose-failures',
  'firehose-late',
  'firehose-throttled',
  'merge-failures',
  'load-failures',
  'dead-letters',
  'function-errors',
] as const;

export type Article = (typeof ARTICLES)[number];

/** What an alarm's description ends with. */
export function runbookLink(article: Article): string {
  return `Runbook: docs/operations.md#${article}`;
}

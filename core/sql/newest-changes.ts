/** The columns of the changelog that a merge and the live view read. */
const MERGED_COLUMNS = '"_key_hash", "_version", "_op", "_committed_at", "_captured_at", "_schema", "_row"';

/** How long before the oldest commit among some changes a delete that outranks one of them may seem to have been committed. */
export const LOOK_BACK_SLACK_MINUTES = 5;

/** The merged columns of some changes: `from` is a table or a parenthesised query, `where` a condition. */
export function selectChanges(from: string, where?: string): string {
  return `SELECT ${MERGED_COLUMNS} FROM ${from}${where === undefined ? '' : ` WHERE ${where}`}`;
}

/**
 * The newest change of each key among those of a query. The changelog may hold a change twice, and then in two forms,
 * where the schema grew in between: the one that was captured first is taken, whatever the order of reading.
 */
export function newestChanges(query: string): string {
  const order = '"_version" DESC, "_captured_at", "_schema", "_row"';
  const ranked = `SELECT ${MERGED_COLUMNS}, row_number() OVER (PARTITION BY "_key_hash" ORDER BY ${order}) AS "_rank" FROM (\n${query}\n)`;
  return `SELECT ${MERGED_COLUMNS} FROM (\n${ranked}\n) WHERE "_rank" = 1`;
}

import type { Operation } from '../../change.ts';
import { GlasshouseError } from '../../errors.ts';
import type { ChangelogFile, MicrosSpan, NewFiles } from '../../iceberg/new-files.ts';
import { changelogName } from '../../lake-tables.ts';
import type { TableSchema } from '../../schema.ts';
import { utf8Bytes } from '../dialect.ts';
import type { LakeDialect } from '../lake-dialect.ts';
import { lakeTableName, quoteLakeName, quoteLakeText, timestampLiteral } from '../lake-dialect.ts';
import { LOOK_BACK_SLACK_MINUTES, newestChanges, selectChanges } from '../newest-changes.ts';

/** A state table and its changelog, in one database. */
export interface MergeTable {
  readonly database: string;
  readonly table: string;
}

/** How large the parts of a merge may be. */
export interface MergeLimits {
  /** Trino prunes by up to this many named files; of more it looks at all between the first and the last. */
  readonly filesPerStatement: number;
  /** What one statement may take in within the time that Athena gives it. */
  readonly recordsPerStatement: number;
  /** All statements together, as JSON: what a state machine hands on, less room for the rest of its state. */
  readonly payloadBytes: number;
}

export const MERGE_LIMITS: MergeLimits = {
  filesPerStatement: 1_000,
  recordsPerStatement: 20_000_000,
  payloadBytes: 225_000,
};

const MICROS_PER_MINUTE = 60_000_000;

/** A delete may be captured by a clock that runs behind the source's: a day's partition more costs nearly nothing, since its files are passed over by their bounds. */
const CLOCK_SLACK_MINUTES = 24 * 60;

/**
 * The statements that bring a state table up to `files.upTo`, to be run in their order; none where nothing is new. Each
 * merges the newest version of each key among (the changes of some new files, and all deletes committed since the
 * oldest commit among them less a slack), guarded by version. A delete that outranks a change was committed after it, so a
 * late change never brings a row back. Any of them may be run again, or left out and planned anew.
 *
 * They read the changelog as the snapshot `files.upTo` has it: a compaction that comes between planning and running takes
 * no file away.
 * @throws GlasshouseError `config` where a statement is longer than the engine takes.
 */
export function planMerge(
  table: MergeTable,
  schema: TableSchema,
  files: NewFiles,
  options: PlanOptions,
): readonly string[] {
  const { dialect, limits = MERGE_LIMITS } = options;
  if (files.upTo === null) return [];
  const changes = dialect.atSnapshot(lakeTableName(table.database, changelogName(table.table)), files.upTo.snapshotId);
  const statementOf = (query: string): string => mergeStatement(table, schema, { dialect, query });
  if (files.whole !== null) return checked([statementOf(selectChanges(changes))], table, options);
  if (files.files.length === 0) return [];
  const fixedBytes = utf8Bytes(statementOf(changesOf([], changes, dialect)));
  const room = (dialect.maxStatementBytes ?? Infinity) - fixedBytes - CONDITION_BYTES;
  const named = inParts(files.files, room, limits).map((part) => statementOf(changesOf(part, changes, dialect)));
  if (payloadBytes(named) <= limits.payloadBytes) return checked(named, table, options);
  // So many files are quicker to find by when they were captured; what was merged already is read again, and changes nothing.
  return checked([statementOf(changesBetween(files.files, changes))], table, options);
}

/** What statements take in a state machine's state: as JSON, in bytes. */
export function payloadBytes(statements: readonly string[]): number {
  return utf8Bytes(JSON.stringify(statements));
}

/** Files in the order of their commits, in parts that one statement takes. */
function inParts(files: readonly ChangelogFile[], roomBytes: number, limits: MergeLimits): ChangelogFile[][] {
  const parts: ChangelogFile[][] = [];
  let [bytes, records] = [0, 0];
  for (const file of files) {
    const fileBytes = utf8Bytes(file.path) + PATH_OVERHEAD_BYTES;
    const part = parts.at(-1);
    const isFull =
      part === undefined ||
      part.length >= limits.filesPerStatement ||
      bytes + fileBytes > roomBytes ||
      records + file.records > limits.recordsPerStatement;
    if (isFull) {
      parts.push([file]);
      [bytes, records] = [fileBytes, file.records];
    } else {
      part.push(file);
      bytes += fileBytes;
      records += file.records;
    }
  }
  return parts;
}

/** The conditions beside the paths: five timestamps, four operations, and the names of what they bound. */
const CONDITION_BYTES = 1_000;
/** Quotes, comma and blank, and as much again for quotes inside a path. */
const PATH_OVERHEAD_BYTES = 8;

/** The changes of the named files, and the deletes to look back at. */
function changesOf(files: readonly ChangelogFile[], changes: string, dialect: LakeDialect): string {
  const paths = files.map((file) => quoteLakeText(file.path)).join(', ');
  const where = [`${dialect.fileColumn} IN (${paths})`, ...operationsIn(files), ...capturedIn(files)];
  return withLookBack(selectChanges(changes, where.join(' AND ')), files, changes);
}

function changesBetween(files: readonly ChangelogFile[], changes: string): string {
  const where = capturedIn(files);
  return withLookBack(selectChanges(changes, where.length === 0 ? undefined : where.join(' AND ')), files, changes);
}

function withLookBack(named: string, files: readonly ChangelogFile[], changes: string): string {
  // A delete brings no row back: only the others are looked back from.
  const others = files.filter((file) => file.operation !== 'delete');
  if (files.length > 0 && others.length === 0) return named;
  const committed = spanOf(others.map((file) => file.committedAt));
  const where = [`"_op" = 'delete'`];
  if (committed !== null) {
    const from = committed.from - LOOK_BACK_SLACK_MINUTES * MICROS_PER_MINUTE;
    where.push(`"_committed_at" >= ${timestampLiteral(from)}`);
    where.push(`"_captured_at" >= ${timestampLiteral(from - CLOCK_SLACK_MINUTES * MICROS_PER_MINUTE)}`);
  }
  return `${named}\nUNION ALL\n${selectChanges(changes, where.join(' AND '))}`;
}

/** So that partitions prune: the operations of the files, where every one is known. */
function operationsIn(files: readonly ChangelogFile[]): string[] {
  const known = files.map((file) => file.operation).filter((one): one is Operation => one !== null);
  if (known.length < files.length || files.length === 0) return [];
  return [`"_op" IN (${[...new Set(known)].sort().map(quoteLakeText).join(', ')})`];
}

/** So that partitions prune: the days on which the files' changes were captured, where that is known of every one. */
function capturedIn(files: readonly ChangelogFile[]): string[] {
  const span = spanOf(files.map((file) => file.capturedAt));
  return span === null
    ? []
    : [`"_captured_at" BETWEEN ${timestampLiteral(span.from)} AND ${timestampLiteral(span.to)}`];
}

function spanOf(spans: readonly (MicrosSpan | null)[]): MicrosSpan | null {
  let all: MicrosSpan | null = null;
  for (const span of spans) {
    if (span === null) return null;
    all = all === null ? span : { from: Math.min(all.from, span.from), to: Math.max(all.to, span.to) };
  }
  return all;
}

/** Columns go by short names between source and target: a statement of many long names would pass the engine's limit. */
function mergeStatement(
  { database, table }: MergeTable,
  schema: TableSchema,
  { dialect, query }: { readonly dialect: LakeDialect; readonly query: string },
): string {
  const columns = [
    ...schema.columns.map((column) => ({ name: column.name, from: dialect.field(column) })),
    { name: '_rescued', from: dialect.rescued },
  ].map((column, index) => ({ ...column, name: quoteLakeName(column.name), alias: `c${index}` }));
  const own = ['"_version"', '"_committed_at"'];
  const selected = ['"_key_hash"', '"_op"', ...own, ...columns.map(({ from, alias }) => `${from} AS ${alias}`)];
  const updates = [
    ...own.map((name) => `${name} = s.${name}`),
    ...columns.map(({ name, alias }) => `${name} = s.${alias}`),
  ];
  const inserted = ['"_key_hash"', ...own];
  const values = [...inserted.map((name) => `s.${name}`), ...columns.map(({ alias }) => `s.${alias}`)];
  return (
    `MERGE INTO ${lakeTableName(database, table)} AS t\nUSING (\nSELECT ${selected.join(', ')}\nFROM (\n${newestChanges(query)}\n)\n) AS s\n` +
    `ON t."_key_hash" = s."_key_hash"\n` +
    `WHEN MATCHED AND s."_version" > t."_version" AND s."_op" = 'delete' THEN DELETE\n` +
    `WHEN MATCHED AND s."_version" > t."_version" THEN UPDATE SET ${updates.join(', ')}\n` +
    `WHEN NOT MATCHED AND s."_op" <> 'delete' THEN INSERT (${[...inserted, ...columns.map(({ name }) => name)].join(', ')})\n` +
    `VALUES (${values.join(', ')})`
  );
}

interface PlanOptions {
  readonly dialect: LakeDialect;
  readonly limits?: MergeLimits;
}

function checked(
  statements: readonly string[],
  { table }: MergeTable,
  { dialect, limits = MERGE_LIMITS }: PlanOptions,
): readonly string[] {
  const longest = Math.max(0, ...statements.map(utf8Bytes));
  const fits = longest <= (dialect.maxStatementBytes ?? Infinity) && payloadBytes(statements) <= limits.payloadBytes;
  if (fits || dialect.maxStatementBytes === null) return statements;
  throw new GlasshouseError(
    'config',
    `Merging ${table} takes a statement of ${longest} bytes: ${dialect.name} takes ${dialect.maxStatementBytes}, and the state ` +
      `machine hands on ${limits.payloadBytes}. Lower maxColumns, or drop columns that nobody needs.`,
  );
}

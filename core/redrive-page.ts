import { GlasshouseError } from './errors.ts';

/** What `redrive` works through, in this order. */
export const REDRIVE_KINDS = [
  /** Batches that Lambda gave up on. */
  'failed-batches',
  /** Records that capture set aside. */
  'quarantine',
  /** What Firehose could not append to a changelog. */
  'lakehouse-errors',
  /** What Firehose could not stage for the warehouse. */
  'staging-errors',
  /** Notices of staged objects that the loader gave up on. */
  'dead-letters',
] as const;

export type RedriveKind = (typeof REDRIVE_KINDS)[number];

/** What became of what was found. */
export interface RedriveCounts {
  /** Objects (or notices) that were looked at. */
  readonly found: number;
  /** Records, or notices, that went through. */
  readonly redriven: number;
  /** Records that were refused again, and stay where they are. */
  readonly refused: number;
  /** What could not be read for what it is, and stays where it is. */
  readonly unknown: number;
}

export const NOTHING_REDRIVEN: RedriveCounts = { found: 0, redriven: 0, refused: 0, unknown: 0 };

export type RedriveReport = Readonly<Record<RedriveKind, RedriveCounts>>;

/** Where a page ended: the kind it was at, and the last object of it that is done with (null: none yet). */
export interface RedriveCursor {
  readonly kind: RedriveKind;
  readonly after: string | null;
}

/** A mirrored table, as the redrive function has to know it. */
export interface RedriveTableNote {
  readonly table: string;
  /** The DynamoDB table. */
  readonly sourceTable: string;
  readonly maxColumns: number;
}

/** The input of the redrive function: one page. */
export interface RedriveInput {
  readonly tables: readonly RedriveTableNote[];
  /** Null begins. */
  readonly cursor: RedriveCursor | null;
}

/** What a page did. A null cursor: all is done. */
export interface RedrivePage {
  readonly counts: RedriveReport;
  /** Why things were left, in words, each once; at most some dozens. No values of rows. */
  readonly notes: readonly string[];
  readonly cursor: RedriveCursor | null;
}

export function emptyReport(): RedriveReport {
  return Object.fromEntries(REDRIVE_KINDS.map((kind) => [kind, NOTHING_REDRIVEN])) as RedriveReport;
}

export function addCounts(one: RedriveCounts, other: Partial<RedriveCounts>): RedriveCounts {
  return {
    found: one.found + (other.found ?? 0),
    redriven: one.redriven + (other.redriven ?? 0),
    refused: one.refused + (other.refused ?? 0),
    unknown: one.unknown + (other.unknown ?? 0),
  };
}

/** Both reports together. */
export function addReports(one: RedriveReport, other: RedriveReport): RedriveReport {
  return Object.fromEntries(REDRIVE_KINDS.map((kind) => [kind, addCounts(one[kind], other[kind])])) as RedriveReport;
}

/**
 * The input as the function gets it.
 * @throws GlasshouseError `usage` where it does not name the tables.
 */
export function parseRedriveInput(raw: unknown): RedriveInput {
  const { tables, cursor } = (raw ?? {}) as Partial<RedriveInput>;
  if (Array.isArray(tables)) return { tables, cursor: cursor ?? null };
  throw new GlasshouseError(
    'usage',
    'The redrive function was called without the tables of the mirror. Call it by `glasshouse redrive --deployed`, which names them.',
  );
}

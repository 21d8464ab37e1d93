import { createHash } from 'node:crypto';
import { PREFIXES } from './aws-names.ts';
import type { Column } from './column.ts';
import { RESCUED_FIELD, canonicalJson } from './row.ts';
import type { TableSchema } from './schema.ts';

/** Where values go that are too large to travel. */
export interface OversizePlace {
  readonly bucket: string;
  /** The mirror's name of the table. */
  readonly table: string;
}

/** A value that goes to an object of its own. Its key follows from its content: the same value is the same object. */
export interface OversizedValue {
  readonly key: string;
  /** A text in UTF-8, a binary's bytes, anything else as canonical JSON; what was rescued as it stands there. */
  readonly content: Uint8Array;
}

export interface ShrunkRow {
  readonly row: string;
  readonly oversized: readonly OversizedValue[];
}

/** A member of `_row` or of its `_rescued` that may be taken out. */
interface Candidate {
  /** The name under which `_rescued` tells of it. */
  readonly attribute: string;
  /** The column; null for a member of `_rescued`. */
  readonly column: Column | null;
  readonly value: unknown;
  readonly jsonBytes: number;
}

/**
 * Takes values out of a row (canonical JSON), the largest first, until it is not too long. A column that loses its value
 * is null, and `_rescued` tells of it by the attribute's name: `{"bytes": …, "sha256": "…", "s3": "s3://…"}`. Key columns
 * stay. A row of so many small values that this does not help goes out whole, but for its key. The same row gives the same.
 * @param excessOf by how many bytes a row is too long; 0 or less: it is not.
 */
export function shrinkRow(
  row: string,
  schema: TableSchema,
  place: OversizePlace,
  excessOf: (row: string) => number,
): ShrunkRow {
  const fields = JSON.parse(row) as Readonly<Record<string, unknown>>;
  const left = new Map(Object.entries(fields));
  const rescued = new Map(Object.entries((fields[RESCUED_FIELD] ?? {}) as Readonly<Record<string, unknown>>));
  const largest = candidatesOf(fields, rescued, schema).values();
  const oversized: OversizedValue[] = [];
  let smaller = row;
  for (let excess = excessOf(row); excess > 0; excess = excessOf(smaller)) {
    for (let freed = 0; freed < excess;) {
      const { value: candidate, done } = largest.next();
      if (done) return wholeOut(row, fields, schema, place);
      const { value, pointer } = takenOut(contentOf(candidate), place);
      oversized.push(value);
      if (candidate.column !== null) left.set(candidate.column.name, null);
      rescued.set(candidate.attribute, pointer);
      freed += candidate.jsonBytes - POINTER_BYTES;
    }
    smaller = rowOf(left, rescued);
  }
  return { row: smaller, oversized };
}

function rowOf(fields: ReadonlyMap<string, unknown>, rescued: ReadonlyMap<string, unknown>): string {
  const members = { ...Object.fromEntries(fields), [RESCUED_FIELD]: Object.fromEntries(rescued) };
  return canonicalJson(members);
}

/** The key columns, and a pointer to all of the row. */
function wholeOut(
  row: string,
  fields: Readonly<Record<string, unknown>>,
  schema: TableSchema,
  place: OversizePlace,
): ShrunkRow {
  const keys = schema.columns.filter((column) => column.keyIndex !== undefined).map(({ name }) => name);
  const kept = new Map(keys.filter((name) => Object.hasOwn(fields, name)).map((name) => [name, fields[name]]));
  const { value, pointer } = takenOut(utf8(row), place);
  return { row: rowOf(kept, new Map([[RESCUED_FIELD, pointer]])), oversized: [value] };
}

/** About what a pointer takes. */
const POINTER_BYTES = 256;
/** A value that is not much larger than its pointer is left where it is. */
const SMALLEST_BYTES = 4 * POINTER_BYTES;

/** The largest first, and by name where two are alike. */
function candidatesOf(
  fields: Readonly<Record<string, unknown>>,
  rescued: ReadonlyMap<string, unknown>,
  schema: TableSchema,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (const column of schema.columns) {
    const value = Object.hasOwn(fields, column.name) ? fields[column.name] : null;
    if (value === null || column.keyIndex !== undefined) continue;
    candidates.push({ attribute: column.attribute, column, value, jsonBytes: jsonBytesOf(value) });
  }
  for (const [attribute, value] of rescued)
    candidates.push({ attribute, column: null, value, jsonBytes: jsonBytesOf(value) });
  const large = candidates.filter(({ jsonBytes }) => jsonBytes >= SMALLEST_BYTES);
  return large.sort((a, b) => b.jsonBytes - a.jsonBytes || (a.attribute < b.attribute ? -1 : 1));
}

/** As a line of the changelog has it: JSON within JSON. */
function jsonBytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(canonicalJson(value)), 'utf8');
}

function contentOf({ column, value }: Candidate): Uint8Array {
  if (column?.type.kind === 'string' && typeof value === 'string') return utf8(value);
  if (column?.type.kind === 'binary' && typeof value === 'string') return Buffer.from(value, 'base64');
  return utf8(canonicalJson(value));
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

interface TakenOut {
  readonly value: OversizedValue;
  readonly pointer: { readonly bytes: number; readonly sha256: string; readonly s3: string };
}

function takenOut(content: Uint8Array, { bucket, table }: OversizePlace): TakenOut {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const key = `${PREFIXES.oversized}${table}/${sha256}`;
  return { value: { key, content }, pointer: { bytes: content.length, sha256, s3: `s3://${bucket}/${key}` } };
}

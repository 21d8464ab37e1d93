import { createHash } from 'node:crypto';
import { cellText } from '../core/cell-text.ts';
import type { KeyHash, TypedRow } from '../core/change.ts';
import { canonicalJson } from '../core/row.ts';
import type { TableSchema } from '../core/schema.ts';
import { keyColumnsOf } from '../core/schema.ts';
import type { Target } from './ports.ts';

/** A row that the source has, as the mirror should have it. */
export interface SourceRow {
  readonly keyHash: KeyHash;
  readonly key: string;
  readonly row: TypedRow;
}

/** The rows of the source, in any order; asked for again where something differs. */
export type ReadSource = () => AsyncIterable<readonly SourceRow[]>;

export interface RowDifference {
  /** `missing`: the target lacks it; `extra`: the source lacks it; `repeated`: the target has it more than once; `different`: `columns` says where. */
  readonly kind: 'missing' | 'extra' | 'repeated' | 'different';
  readonly keyHash: KeyHash;
  readonly key: string;
  readonly columns: readonly { readonly column: string; readonly source: string; readonly target: string }[];
}

export interface Comparison {
  readonly sourceRows: number;
  readonly targetRows: number;
  readonly differences: number;
  /** The first of them, with what differs. */
  readonly shown: readonly RowDifference[];
}

/** What the source holds: a digest of each row by key, and of all together, whatever their order. */
export interface SourceDigest {
  readonly rows: ReadonlyMap<KeyHash, string>;
  readonly checksum: string;
}

/** How many differences are told in detail. */
export const MOST_SHOWN = 100;

/** Digests every row of the source. Rows are kept as 16 bytes each, so a table of millions fits. */
export async function digestSource(read: ReadSource, schema: TableSchema): Promise<SourceDigest> {
  const rows = new Map<KeyHash, string>();
  let sum = 0n;
  for await (const page of read()) {
    for (const { keyHash, row } of page) {
      const digest = digestOf(keyHash, row, schema);
      rows.set(keyHash, digest);
      sum = BigInt.asUintN(128, sum + BigInt(`0x${Buffer.from(digest, 'latin1').toString('hex')}`));
    }
  }
  return { rows, checksum: sum.toString(16).padStart(32, '0') };
}

/**
 * Compares a target with the source, row by row and value by value, typed columns and what was rescued. `shape` is what the
 * target's engine makes of a row; `read` gives the source's rows again, for the values of those that differ.
 */
export async function compareTarget(
  target: Pick<Target, 'rows'>,
  source: { readonly digest: SourceDigest; readonly read: ReadSource },
  schema: TableSchema,
  shape: (row: TypedRow) => TypedRow,
): Promise<Comparison> {
  const expected =
    shape === unshaped ? source.digest.rows : (await digestSource(shaped(source.read, shape), schema)).rows;
  const seen = new Set<KeyHash>();
  const differing = new Map<KeyHash, DifferingRow>();
  let targetRows = 0;
  let differences = 0;
  for await (const page of target.rows(schema)) {
    for (const row of page) {
      targetRows++;
      const isRepeated = seen.has(row.keyHash);
      seen.add(row.keyHash);
      if (!isRepeated && expected.get(row.keyHash) === digestOf(row.keyHash, row, schema)) continue;
      differences++;
      if (differing.size < MOST_SHOWN) differing.set(row.keyHash, { row, isRepeated });
    }
  }
  const missing = [...expected.keys()].filter((keyHash) => !seen.has(keyHash));
  const shown = await explain({ missing: missing.slice(0, MOST_SHOWN), differing }, shaped(source.read, shape), schema);
  return { sourceRows: expected.size, targetRows, differences: differences + missing.length, shown };
}

/** For a target that holds every row as it is. */
export function unshaped(row: TypedRow): TypedRow {
  return row;
}

function shaped(read: ReadSource, shape: (row: TypedRow) => TypedRow): ReadSource {
  return async function* () {
    for await (const page of read()) yield page.map((one) => ({ ...one, row: shape(one.row) }));
  };
}

/** A row of the target that is not as it should be. */
interface DifferingRow {
  readonly row: TypedRow;
  readonly isRepeated: boolean;
}

async function explain(
  found: { readonly missing: readonly KeyHash[]; readonly differing: ReadonlyMap<KeyHash, DifferingRow> },
  read: ReadSource,
  schema: TableSchema,
): Promise<RowDifference[]> {
  const shown: RowDifference[] = [];
  if (found.missing.length + found.differing.size === 0) return shown;
  const missing = new Set(found.missing);
  const extra = new Map(found.differing);
  for await (const page of read()) {
    for (const { keyHash, key, row } of page) {
      if (missing.has(keyHash)) shown.push({ kind: 'missing', keyHash, key, columns: [] });
      const held = extra.get(keyHash);
      if (held === undefined) continue;
      extra.delete(keyHash);
      if (held.isRepeated) shown.push({ kind: 'repeated', keyHash, key, columns: [] });
      else shown.push({ kind: 'different', keyHash, key, columns: differingColumns(row, held.row, schema) });
    }
  }
  for (const [keyHash, { row }] of extra)
    shown.push({ kind: 'extra', keyHash, key: keyOfCells(row, schema), columns: [] });
  return shown.slice(0, MOST_SHOWN);
}

function differingColumns(source: TypedRow, target: TypedRow, schema: TableSchema): RowDifference['columns'] {
  const names = [...schema.columns.map((column) => column.name), '_rescued'];
  const [texts, held] = [textsOf(source, schema), textsOf(target, schema)];
  return names.flatMap((column, index) => {
    const [from, to] = [texts[index] ?? null, held[index] ?? null];
    return from === to ? [] : [{ column, source: from ?? 'null', target: to ?? 'null' }];
  });
}

function keyOfCells(row: TypedRow, schema: TableSchema): string {
  return JSON.stringify(
    keyColumnsOf(schema).map((column) => cellText(row.cells[schema.columns.indexOf(column)] ?? null, column.type)),
  );
}

function digestOf(keyHash: KeyHash, row: TypedRow, schema: TableSchema): string {
  const text = JSON.stringify([keyHash, textsOf(row, schema)]);
  return createHash('sha256').update(text).digest().toString('latin1', 0, 16);
}

function textsOf(row: TypedRow, schema: TableSchema): (string | null)[] {
  const texts = schema.columns.map((column, index) => cellText(row.cells[index] ?? null, column.type));
  texts.push(row.rescued === null ? null : canonicalJson(JSON.parse(row.rescued)));
  return texts;
}

import type { Cell, Column, ColumnType } from './column.ts';
import type { TypedRow } from './change.ts';
import { GlasshouseError } from './errors.ts';
import { dayOf, microsOfIso } from './instant.ts';
import type { JsonStyle } from './json-text.ts';
import { PLAIN, memberPrefix, quoted } from './json-text.ts';
import { MapShape } from './map-shape.ts';
import { isPlainCanonical, jsonNumber, scaledInteger } from './number.ts';
import type { TableSchema } from './schema.ts';

/**
 * A row after normalising: one value for each column of its schema, in column order. `undefined` where the item lacks the
 * attribute (or its value was rescued), null for a DynamoDB NULL, else the value's exact form: text (numbers in
 * canonical text, binary in base64, json as canonical JSON, timestamps and dates as `core/instant.ts` writes them) or a
 * boolean.
 */
export interface NormalisedRow {
  readonly values: readonly RowValue[];
  /** Canonical JSON of what fits no column, by attribute name; null where all did. */
  readonly rescued: string | null;
}

export type RowValue = string | boolean | null | undefined;

/** How the rows of one schema are written: made once a schema, used for every row. */
export interface RowLayout {
  readonly schema: TableSchema;
  readonly columnOf: ReadonlyMap<string, number>;
  /** Columns in the order of their names, each with its JSON prefix: the canonical order. */
  readonly inNameOrder: readonly { readonly index: number; readonly prefix: string; readonly form: JsonForm }[];
  /** How the row's JSON, and that of its `json` columns, is quoted. */
  readonly style: JsonStyle;
  /** Each column's attribute as it begins a member of a JSON object, in column order. */
  readonly attributePrefixes: readonly string[];
  /** Which column's attribute came after each column's (first: at the start) the last time: items of a table mostly have one order. A guess, never more. */
  readonly successors: Int32Array;
  /** What the maps in each column's values looked like the last time. A guess too. */
  readonly shapes: readonly MapShape[];
}

/** How a value stands in `_row`. */
type JsonForm = 'text' | 'base64' | 'number' | 'boolean' | 'json';

const JSON_FORMS: Readonly<Record<ColumnType['kind'], JsonForm>> = {
  string: 'text',
  timestamp: 'base64',
  date: 'base64',
  binary: 'base64',
  decimal: 'number',
  long: 'number',
  double: 'number',
  boolean: 'boolean',
  json: 'json',
};

export const RESCUED_FIELD = '_rescued';

export function rowLayout(schema: TableSchema, style: JsonStyle = PLAIN): RowLayout {
  const inNameOrder = schema.columns
    .map((column, index) => ({ index, name: column.name, form: JSON_FORMS[column.type.kind] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ index, name, form }) => ({ index, prefix: memberPrefix(name, style), form }));
  return {
    schema,
    columnOf: new Map(schema.columns.map((column, index) => [column.attribute, index])),
    inNameOrder,
    style,
    attributePrefixes: schema.columns.map((column) => memberPrefix(column.attribute, PLAIN)),
    shapes: schema.columns.map(() => new MapShape()),
    successors: new Int32Array(schema.columns.length + 1).fill(-1),
  };
}

/** The row as canonical JSON: names sorted, absent attributes left out, `_rescued` only where something was. */
export function rowJson(row: NormalisedRow, layout: RowLayout): string {
  const { values } = row;
  const { style } = layout;
  // Every name of ours sorts before every column's, since those begin with a letter.
  let json = row.rescued === null ? '' : memberPrefix(RESCUED_FIELD, style) + row.rescued;
  for (const { index, prefix, form } of layout.inNameOrder) {
    const value = values[index];
    if (value === undefined) continue;
    const member = prefix + valueJson(value, form, style);
    json = json === '' ? member : `${json},${member}`;
  }
  return `{${json}}`;
}

function valueJson(value: string | boolean | null, form: JsonForm, style: JsonStyle): string {
  if (typeof value !== 'string') return String(value);
  switch (form) {
    case 'text':
      return quoted(value, style);
    case 'number':
      return jsonNumber(value, style);
    case 'base64':
      return style.quote + value + style.quote;
    case 'json':
    case 'boolean':
      return value;
  }
}

/** The typed cells of a row, in column order. */
export function typedRow(row: NormalisedRow, schema: TableSchema): TypedRow {
  const cells = new Array<Cell>(schema.columns.length);
  for (const [index, column] of schema.columns.entries()) cells[index] = cellOf(row.values[index], column.type);
  return { cells, rescued: row.rescued };
}

/** The typed form of a value that the normaliser has found to fit its column. */
export function cellOf(value: RowValue, type: ColumnType): Cell {
  if (typeof value !== 'string') return value ?? null;
  switch (type.kind) {
    case 'string':
    case 'json':
      return value;
    case 'decimal':
      return scaledInteger(value, type.precision, type.scale);
    case 'long':
      return BigInt(value);
    case 'double':
      return Number(value);
    case 'binary':
      return Buffer.from(value, 'base64');
    case 'timestamp':
      return microsOfIso(value);
    case 'date':
      return dayOf(value);
    case 'boolean':
      throw new GlasshouseError('bug', `A boolean column holds the text ${JSON.stringify(value.slice(0, 40))}.`);
  }
}

/**
 * Reads a `_row` in terms of a layout whose schema may be newer than the one it was written to: columns that it lacks are
 * absent. The inverse of `rowJson` (whose own text `scanRow` reads more quickly).
 */
export function parseRow(json: string, schema: TableSchema): NormalisedRow {
  const parsed = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const rescued = parsed[RESCUED_FIELD];
  return {
    // A column may be called `constructor`: what a row lacks must be absent, not inherited.
    values: schema.columns.map((column) =>
      Object.hasOwn(parsed, column.name) ? rowValueOf(parsed[column.name], column) : undefined,
    ),
    rescued: rescued === undefined ? null : canonicalJson(rescued),
  };
}

function rowValueOf(value: unknown, column: Column): RowValue {
  if (value === undefined || value === null) return value;
  if (column.type.kind === 'json') return canonicalJson(value);
  if (typeof value === 'number') return plainNumberText(value);
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  throw new GlasshouseError(
    'corrupt',
    `Column ${column.name} holds ${JSON.stringify(value).slice(0, 80)} in the changelog, which is no ${column.type.kind}.`,
  );
}

/** JSON with sorted names; numbers as our own rows have them. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number') return plainNumberText(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>;
  return `{${Object.keys(members)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name])}`)
    .join(',')}}`;
}

/** A JSON number of ours, so of at most 15 digits, which a double holds, as canonical text: JavaScript writes small ones with an exponent. */
function plainNumberText(value: number): string {
  const text = String(value);
  return isPlainCanonical(text) ? text : value.toFixed(15).replace(/0+$/, '').replace(/\.$/, '');
}

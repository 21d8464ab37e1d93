import { createHash } from 'node:crypto';
import type { TypedRow } from '../change.ts';
import type { Cell, Column } from '../column.ts';
import { RESCUED_FIELD, canonicalJson } from '../row.ts';
import type { TableSchema } from '../schema.ts';
import type { DialectName } from './dialect.ts';
import { utf8Bytes } from './dialect.ts';

/**
 * What an engine cannot hold leaves its column null and is named in `_rescued` by its attribute:
 * - a NUL in a text, in JSON or in what was rescued (both engines): `{"escaped": "<JSON of the value>"}`, in which NUL is
 *   the six characters `\u0000`: still exact;
 * - Redshift, a text of over 65,535 bytes: `{"bytes": 70000, "sha256": "…"}`; inside JSON the text alone is null, and the
 *   attribute names each by its JSON pointer: `{"/0/note": {"bytes": …, "sha256": …}}`.
 */
const MAX_SUPER_TEXT_BYTES = 65_535;
/** A text of so few UTF-16 units cannot pass the limit in bytes. */
const SURELY_SHORT = 21_845;
/** Base64 of so many bytes is as long as a text may be. */
const MAX_SUPER_BINARY_BYTES = 49_149;

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** How one column's value is held: as it is, or changed, with what `_rescued` then says. */
interface Held<T> {
  readonly value: T | null;
  readonly rescued: Json;
}

/** The typed row as the engine holds it; the same object where it holds all of it, as nearly always. */
export function shapeCells(row: TypedRow, schema: TableSchema, engine: DialectName): TypedRow {
  if (!cellsNeedCare(row, schema, engine)) return row;
  const cells = [...row.cells];
  const rescued = new Map<string, Json>();
  for (const [index, column] of schema.columns.entries()) {
    const held = heldCell(row.cells[index] ?? null, column, engine);
    if (!held) continue;
    cells[index] = held.value;
    rescued.set(column.attribute, held.rescued);
  }
  return { cells, rescued: rescuedJson(row.rescued, rescued, engine) };
}

/** The same for a row as canonical JSON (`_row`); a delete's null stays. */
export function shapeRow(row: string | null, schema: TableSchema, engine: DialectName): string | null {
  if (row === null || !(row.includes('\\u0000') || (engine === 'redshift' && row.length > SURELY_SHORT))) return row;
  const fields = JSON.parse(row) as Record<string, Json>;
  const rescued = new Map<string, Json>();
  for (const column of schema.columns) {
    const held = heldField(fields[column.name] ?? null, column, engine);
    if (!held) continue;
    fields[column.name] = held.value;
    rescued.set(column.attribute, held.rescued);
  }
  const before = fields[RESCUED_FIELD];
  const after = rescuedJson(before === undefined ? null : canonicalJson(before), rescued, engine);
  return canonicalJson(after === null ? fields : { ...fields, [RESCUED_FIELD]: JSON.parse(after) as Json });
}

/** Whether a row needs a closer look: quick, and true too often rather than too seldom. */
function cellsNeedCare(row: TypedRow, schema: TableSchema, engine: DialectName): boolean {
  const { cells, rescued } = row;
  const limit = engine === 'redshift' ? SURELY_SHORT : Infinity;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    if (typeof cell === 'string') {
      if (cell.length > limit) return true;
      if (cell.includes(schema.columns[index]?.type.kind === 'json' ? '\\u0000' : '\0')) return true;
    } else if (cell instanceof Uint8Array && cell.length > limit) return true;
  }
  return rescued !== null && (rescued.length > limit || rescued.includes('\\u0000'));
}

function heldCell(cell: Cell, column: Column, engine: DialectName): Held<Cell> | null {
  if (cell instanceof Uint8Array) return heldBinary(cell, engine);
  if (typeof cell !== 'string') return null;
  if (column.type.kind !== 'json') return heldText(cell, engine);
  const held = heldJson(JSON.parse(cell) as Json, engine);
  return held && { value: held.value === null ? null : canonicalJson(held.value), rescued: held.rescued };
}

function heldField(field: Json, column: Column, engine: DialectName): Held<Json> | null {
  if (column.type.kind === 'json') return heldJson(field, engine);
  if (typeof field !== 'string') return null;
  return column.type.kind === 'binary' ? heldBinary(Buffer.from(field, 'base64'), engine) : heldText(field, engine);
}

function heldText(text: string, engine: DialectName): Held<string> | null {
  if (isTooLong(text, engine)) return { value: null, rescued: fingerprint(text) };
  return text.includes('\0') ? { value: null, rescued: escaped(text, engine) } : null;
}

function heldBinary(bytes: Uint8Array, engine: DialectName): Held<never> | null {
  const fits = engine !== 'redshift' || bytes.length <= MAX_SUPER_BINARY_BYTES;
  return fits ? null : { value: null, rescued: fingerprint(bytes) };
}

function heldJson(value: Json, engine: DialectName): Held<Json> | null {
  if (holdsNul(value)) return { value: null, rescued: escaped(value, engine) };
  const found = new Map<string, Json>();
  const kept = withoutLongTexts(value, '', engine, found);
  if (found.size === 0) return null;
  return typeof value === 'string'
    ? { value: null, rescued: found.get('') ?? null }
    : { value: kept, rescued: Object.fromEntries(found) };
}

/** The value with null for each text that is too long, which `found` names by its JSON pointer. */
function withoutLongTexts(value: Json, pointer: string, engine: DialectName, found: Map<string, Json>): Json {
  if (typeof value === 'string') {
    if (!isTooLong(value, engine)) return value;
    found.set(pointer, fingerprint(value));
    return null;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return value.map((item, index) => withoutLongTexts(item, `${pointer}/${index}`, engine, found));
  const members = Object.entries(value).map(([name, member]): [string, Json] => {
    const step = name.replaceAll('~', '~0').replaceAll('/', '~1');
    return [name, withoutLongTexts(member, `${pointer}/${step}`, engine, found)];
  });
  return Object.fromEntries(members);
}

/** What the row had rescued, as far as the engine holds it, and what its columns could not hold; null where there is neither. */
function rescuedJson(before: string | null, added: ReadonlyMap<string, Json>, engine: DialectName): string | null {
  const all = new Map<string, Json>();
  const earlier = before === null ? {} : (JSON.parse(before) as Readonly<Record<string, Json>>);
  for (const [attribute, value] of Object.entries(earlier))
    all.set(freeName(attribute, all), heldRescued(value, engine));
  for (const [attribute, value] of added) all.set(freeName(attribute, all), value);
  return all.size === 0 ? null : canonicalJson(Object.fromEntries(all));
}

function heldRescued(value: Json, engine: DialectName): Json {
  if (holdsNul(value)) return escaped(value, engine);
  const found = new Map<string, Json>();
  withoutLongTexts(value, '', engine, found);
  return found.size === 0 ? value : fingerprint(canonicalJson(value));
}

/** An attribute's name with NUL written out. Where an attribute has that very name, underscores tell them apart. */
function freeName(attribute: string, taken: ReadonlyMap<string, Json>): string {
  let name = attribute.replaceAll('\0', '\\u0000');
  while (taken.has(name)) name += '_';
  return name;
}

function escaped(value: Json, engine: DialectName): Json {
  const text = canonicalJson(value);
  return isTooLong(text, engine) ? fingerprint(text) : { escaped: text };
}

function fingerprint(value: string | Uint8Array): Json {
  const bytes = typeof value === 'string' ? utf8Bytes(value) : value.length;
  return { bytes, sha256: createHash('sha256').update(value).digest('hex') };
}

function isTooLong(text: string, engine: DialectName): boolean {
  return engine === 'redshift' && text.length > SURELY_SHORT && utf8Bytes(text) > MAX_SUPER_TEXT_BYTES;
}

function holdsNul(value: Json): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  if (isArray(value)) return value.some(holdsNul);
  return Object.entries(value).some(([name, member]) => name.includes('\0') || holdsNul(member));
}

/** `Array.isArray` does not narrow a readonly array. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

import type { BytePiece } from '../byte-text.ts';
import { ByteText, pieceOf } from '../byte-text.ts';
import type { ColumnType } from '../column.ts';
import type { ScalarType } from '../fit.ts';
import { fitPayload, isScalar } from '../fit.ts';
import type { JsonBytes, NumberShape } from '../json-bytes.ts';
import { numberShape } from '../json-bytes.ts';
import { UNKNOWN_FORM } from '../json-scan.ts';
import { PLAIN, memberPrefix } from '../json-text.ts';
import { MapPlace } from '../map-bytes.ts';
import type { TableSchema } from '../schema.ts';
import { B_TAG, BOOL_TAG, NULL_TAG, N_TAG, SAFE_JSON_DIGITS, S_TAG, writePlain } from './plain-bytes.ts';

/** Where a column's value comes from when the row is written. */
const ABSENT = 0;
const AS_IT_STANDS = 1;
const NESTED = 2;
const MADE = 3;
const NULL_VALUE = 4;

const COMMA = 44;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const NULL = pieceOf('null');

interface ByteColumn {
  readonly type: ColumnType;
  /** Its attribute and its name, as they begin a member. */
  readonly attribute: BytePiece;
  readonly name: BytePiece;
  /** What the maps in its values look like. */
  readonly place: MapPlace;
}

/** Reads items of one schema from their bytes, and writes their rows as `rowJson` does. */
export class ImageBytes {
  private readonly columns: readonly ByteColumn[];
  private readonly columnOf: ReadonlyMap<string, number>;
  private readonly inNameOrder: Int32Array;
  /** Which column came after each the last time; first: at the start. A guess. */
  private readonly successors: Int32Array;

  // Of the item at hand: for each column what it has, and where.
  private readonly forms: Uint8Array;
  private readonly from: Int32Array;
  private readonly to: Int32Array;
  /** The values of `json` columns, as they will stand in the row. */
  private readonly nested = new ByteText(1 << 12);
  private readonly made: string[] = [];

  constructor({ columns }: TableSchema) {
    this.columns = columns.map(({ attribute, name, type }) => ({
      type,
      attribute: pieceOf(memberPrefix(attribute, PLAIN)),
      name: pieceOf(memberPrefix(name, PLAIN)),
      place: new MapPlace(),
    }));
    this.columnOf = new Map(columns.map(({ attribute }, index) => [attribute, index]));
    const names = columns.map(({ name }, index) => ({ name, index })).sort((a, b) => (a.name < b.name ? -1 : 1));
    this.inNameOrder = Int32Array.from(names, ({ index }) => index);
    this.successors = new Int32Array(columns.length + 1).fill(-1);
    this.forms = new Uint8Array(columns.length);
    this.from = new Int32Array(columns.length);
    this.to = new Int32Array(columns.length);
  }

  /** Passes an item. Throws UNKNOWN_FORM where its row would be anything but plain values in their columns. */
  read(scan: JsonBytes): void {
    const { columns, forms } = this;
    forms.fill(ABSENT);
    this.nested.length = 0;
    if (!scan.enterObject()) return;
    let last = -1;
    do {
      const index = this.readName(scan, last);
      const column = columns[index];
      if (column === undefined) {
        // A NULL of an attribute that the schema does not know says nothing; any other value makes a column.
        scan.expect(NULL_TAG);
        scan.skip();
        scan.close();
      } else if (forms[index] === ABSENT) {
        this.readValue(scan, column, index);
        last = index;
      } else throw UNKNOWN_FORM;
    } while (scan.moreMembers());
  }

  private readName(scan: JsonBytes, last: number): number {
    const guess = this.successors[last + 1] ?? -1;
    const guessed = this.columns[guess];
    if (guessed !== undefined && scan.passes(guessed.attribute)) return guess;
    const from = scan.at;
    scan.name();
    const index = this.columnOf.get(scan.text(from + 1, scan.at - 2)) ?? -1;
    if (index !== -1) this.successors[last + 1] = index;
    return index;
  }

  private readValue(scan: JsonBytes, { type, place }: ByteColumn, index: number): void {
    if (scan.passes(NULL_TAG)) {
      scan.skip();
      scan.close();
      this.forms[index] = NULL_VALUE;
    } else if (isScalar(type)) {
      this.readScalar(scan, type, index);
      scan.close();
    } else {
      this.forms[index] = NESTED;
      this.from[index] = this.nested.length;
      writePlain(scan, this.nested, place);
      this.to[index] = this.nested.length;
    }
  }

  /** Passes an attribute value without its closing brace. */
  private readScalar(scan: JsonBytes, type: ScalarType, index: number): void {
    this.forms[index] = AS_IT_STANDS;
    switch (type.kind) {
      case 'string':
        scan.expect(S_TAG);
        this.from[index] = scan.at;
        scan.string();
        this.to[index] = scan.at;
        return;
      case 'boolean':
        scan.expect(BOOL_TAG);
        this.from[index] = scan.at;
        scan.boolean();
        this.to[index] = scan.at;
        return;
      case 'decimal':
      case 'long':
      case 'double':
        scan.expect(N_TAG);
        readNumber(scan, { from: this.from, to: this.to, index }, type);
        return;
      default:
        this.makeValue(scan, type, index);
    }
  }

  /** Values of the rarer types are made as text, as the whole way makes them. */
  private makeValue(scan: JsonBytes, type: ScalarType, index: number): void {
    const tag = scan.passes(S_TAG) ? 'S' : scan.passes(N_TAG) ? 'N' : 'B';
    if (tag === 'B') scan.expect(B_TAG);
    const from = scan.at;
    scan.string();
    const value = fitPayload(tag, scan.text(from + 1, scan.at - 1), type);
    if (typeof value !== 'string') throw UNKNOWN_FORM;
    this.forms[index] = MADE;
    this.made[index] = `"${value}"`;
  }

  /** Writes the row of the item that was read; its bytes must still be where they were. */
  writeRow(scan: JsonBytes, into: ByteText): void {
    const { inNameOrder, columns, forms } = this;
    const start = into.length;
    into.byte(OPEN_OBJECT);
    for (const index of inNameOrder) {
      const column = columns[index];
      if (column === undefined || forms[index] === ABSENT) continue;
      if (into.length > start + 1) into.byte(COMMA);
      into.piece(column.name);
      this.writeValue(scan, into, index);
    }
    into.byte(CLOSE_OBJECT);
  }

  private writeValue(scan: JsonBytes, into: ByteText, index: number): void {
    const form = this.forms[index];
    if (form === NULL_VALUE) into.piece(NULL);
    else if (form === MADE) into.text(this.made[index] ?? '');
    else into.copy(form === NESTED ? this.nested : scan, this.from[index] ?? 0, this.to[index] ?? 0);
  }
}

/** A place among the places of pieces of a record. */
interface PlaceOfPiece {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly index: number;
}

const shape: NumberShape = { end: 0, whole: 0, fraction: 0, digits: 0 };

/**
 * Passes a number in quotes and keeps where it stands as JSON has it: without them where no reader can lose a digit. Throws
 * UNKNOWN_FORM where that is no piece of the record, or where it may not fit a column of the type (null: any fits).
 */
export function readNumber(scan: JsonBytes, { from, to, index }: PlaceOfPiece, type: ScalarType | null): void {
  const start = scan.at;
  scan.string();
  const end = scan.at;
  numberShape(scan.bytes, start + 1, end - 1, shape);
  const isSafe = shape.digits <= SAFE_JSON_DIGITS;
  if ((!isSafe && shape.end < end - 1) || (type !== null && !fits(type))) throw UNKNOWN_FORM;
  from[index] = isSafe ? start + 1 : start;
  to[index] = isSafe ? shape.end : end;
}

/** Whether the number at hand fits its column; false also where that would take more than a look. */
function fits(type: ScalarType): boolean {
  if (type.kind === 'long') return shape.fraction === 0 && shape.whole <= 18;
  if (type.kind !== 'decimal') return true;
  return shape.whole + type.scale <= type.precision && shape.fraction <= type.scale;
}

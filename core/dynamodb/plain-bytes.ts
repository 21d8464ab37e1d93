import type { ByteText } from '../byte-text.ts';
import { pieceOf } from '../byte-text.ts';
import type { JsonBytes, NumberShape } from '../json-bytes.ts';
import { numberShape } from '../json-bytes.ts';
import { UNKNOWN_FORM } from '../json-scan.ts';
import { quoted } from '../json-text.ts';
import type { MapForm, MapPlace } from '../map-bytes.ts';
import { jsonNumber } from '../number.ts';
import { binaryPayload, numberPayload, sortNames, sortNumbers } from './attribute-value.ts';

const TAGS = {
  S: pieceOf('{"S":'),
  N: pieceOf('{"N":'),
  B: pieceOf('{"B":'),
  M: pieceOf('{"M":'),
  L: pieceOf('{"L":'),
  BOOL: pieceOf('{"BOOL":'),
  NULL: pieceOf('{"NULL":'),
  SS: pieceOf('{"SS":'),
  NS: pieceOf('{"NS":'),
  BS: pieceOf('{"BS":'),
};
export const S_TAG = TAGS.S;
export const N_TAG = TAGS.N;
export const B_TAG = TAGS.B;
export const BOOL_TAG = TAGS.BOOL;
export const NULL_TAG = TAGS.NULL;

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const NULL = pieceOf('null');

/** The most digits that every JSON reader keeps, as `jsonNumber` has it. */
export const SAFE_JSON_DIGITS = 15;

const shape: NumberShape = { end: 0, whole: 0, fraction: 0, digits: 0 };

/** Passes an attribute value and writes it as plain canonical JSON, as `plainJson` does. Throws UNKNOWN_FORM where it would take too much care. */
export function writePlain(scan: JsonBytes, into: ByteText, place: MapPlace): void {
  if (scan.passes(TAGS.S)) {
    const from = scan.at;
    scan.string();
    into.copy(scan, from, scan.at);
  } else if (scan.passes(TAGS.N)) writeNumber(scan, into);
  else if (scan.passes(TAGS.M)) writeMap(scan, into, place);
  else if (scan.passes(TAGS.L)) writeList(scan, into, place.element());
  else if (scan.passes(TAGS.BOOL)) {
    const from = scan.at;
    scan.boolean();
    into.copy(scan, from, scan.at);
  } else if (scan.passes(TAGS.NULL)) {
    scan.skip();
    into.piece(NULL);
  } else writeBinaryOrSet(scan, into);
  scan.close();
}

/** Passes a number in quotes and writes it as `jsonNumber` does. */
function writeNumber(scan: JsonBytes, into: ByteText): void {
  const from = scan.at;
  scan.string();
  numberShape(scan.bytes, from + 1, scan.at - 1, shape);
  const isSafe = shape.digits <= SAFE_JSON_DIGITS;
  if (!isSafe) into.byte(QUOTE);
  into.copy(scan, from + 1, shape.end);
  if (!isSafe) into.byte(QUOTE);
}

function writeBinaryOrSet(scan: JsonBytes, into: ByteText): void {
  if (scan.passes(TAGS.B)) {
    const from = scan.at;
    scan.string();
    binaryPayload(scan.text(from + 1, scan.at - 1));
    into.copy(scan, from, scan.at);
    return;
  }
  const writeTexts = (texts: readonly string[]): void => writeSet(into, texts);
  if (scan.passes(TAGS.SS)) writeTexts(sortNames(textsOf(scan)).map((text) => quoted(text)));
  else if (scan.passes(TAGS.BS)) writeTexts(sortNames(textsOf(scan).map(binaryPayload)).map((text) => quoted(text)));
  else {
    scan.expect(TAGS.NS);
    writeTexts(sortNumbers(textsOf(scan).map(numberPayload)).map((text) => jsonNumber(text)));
  }
}

/** A list's strings. */
function textsOf(scan: JsonBytes): string[] {
  const texts: string[] = [];
  if (!scan.enterList()) return texts;
  do {
    const from = scan.at;
    scan.string();
    texts.push(scan.text(from + 1, scan.at - 1));
  } while (scan.moreElements());
  return texts;
}

function writeSet(into: ByteText, texts: readonly string[]): void {
  into.text(`[${texts.join(',')}]`);
}

function writeList(scan: JsonBytes, into: ByteText, place: MapPlace): void {
  into.byte(OPEN_LIST);
  if (scan.enterList()) {
    writePlain(scan, into, place);
    while (scan.moreElements()) {
      into.byte(COMMA);
      writePlain(scan, into, place);
    }
  }
  into.byte(CLOSE_LIST);
}

function writeMap(scan: JsonBytes, into: ByteText, place: MapPlace): void {
  const { at, depth } = scan;
  const { length } = into;
  if (place.newest !== null && writeMapAs(scan, into, place.newest)) return;
  // It is of another form than the last one here: its names say of which.
  scan.at = at;
  scan.depth = depth;
  into.length = length;
  const form = place.formOf(namesOf(scan));
  scan.at = at;
  scan.depth = depth;
  if (form === null || !writeMapAs(scan, into, form)) throw UNKNOWN_FORM;
}

function namesOf(scan: JsonBytes): string[] {
  const names: string[] = [];
  if (!scan.enterObject()) return names;
  do {
    const from = scan.at;
    scan.name();
    names.push(scan.text(from + 1, scan.at - 2));
    scan.skip();
  } while (scan.moreMembers());
  return names;
}

/** Passes a map of a given form and writes it; false, somewhere in the midst, where it is not of that form. */
function writeMapAs(scan: JsonBytes, into: ByteText, form: MapForm): boolean {
  const { prefixes, places, starts, isSorted } = form;
  const start = into.length;
  if (isSorted) into.byte(OPEN_OBJECT);
  let member = 0;
  if (scan.enterObject()) {
    do {
      const prefix = prefixes[member];
      const place = places[member];
      if (prefix === undefined || place === undefined || !scan.passes(prefix)) return false;
      if (isSorted) {
        if (member > 0) into.byte(COMMA);
        into.piece(prefix);
      } else starts[member] = into.length;
      writePlain(scan, into, place);
      member++;
    } while (scan.moreMembers());
  }
  if (member < prefixes.length) return false;
  if (isSorted) into.byte(CLOSE_OBJECT);
  else writeInNameOrder(into, form, start);
  return true;
}

/** Puts the values of a map, which were written from `start` on in the order of the text, into the order of their names. */
function writeInNameOrder(into: ByteText, { inNameOrder, prefixes, starts }: MapForm, start: number): void {
  const end = into.length;
  starts[prefixes.length] = end;
  into.byte(OPEN_OBJECT);
  for (let order = 0; order < inNameOrder.length; order++) {
    const member = inNameOrder[order] ?? 0;
    const prefix = prefixes[member];
    if (prefix === undefined) throw UNKNOWN_FORM;
    if (order > 0) into.byte(COMMA);
    into.piece(prefix);
    into.copy(into, starts[member] ?? 0, starts[member + 1] ?? 0);
  }
  into.byte(CLOSE_OBJECT);
  into.remove(start, end);
}

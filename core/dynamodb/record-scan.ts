import type { ColumnType } from '../column.ts';
import { MISFIT, fitValue } from '../fit.ts';
import { JsonScan, UNKNOWN_FORM } from '../json-scan.ts';
import type { JsonStyle } from '../json-text.ts';
import { memberPrefix, quoted } from '../json-text.ts';
import { jsonNumber } from '../number.ts';
import type { NormalisedRow, RowLayout, RowValue } from '../row.ts';
import { binaryPayload, numberPayload, sortNames, sortNumbers } from './attribute-value.ts';
import { RecordFault } from './fault.ts';
import type { NormaliseContext, NormalisedChange } from './normalise.ts';
import { envelopeOf } from './normalise.ts';
import type { Image } from './stream-record.ts';
import { parseFrame } from './stream-record.ts';

/**
 * Normalises a record from its JSON text, without making objects of its image first: half the time of parsing and
 * normalising it. Null where the text has anything that is out of the ordinary (an attribute that the schema does not
 * know, a value that its column cannot hold, a name twice, a poison record, no JSON at all): `normaliseRecord` on the
 * parsed text then says what it comes to. What it does give is exactly what that would give.
 */
export function scanRecord(text: string, context: NormaliseContext): NormalisedChange | null {
  // Text that was decoded from UTF-8 has no half surrogate pairs but by an escape.
  if (!text.isWellFormed()) return null;
  try {
    return scanFrame(new JsonScan(text), context);
  } catch (thrown) {
    if (thrown === UNKNOWN_FORM || thrown instanceof RecordFault) return null;
    throw thrown;
  }
}

/** What a record has beside its image, as the parsed record would have it. */
interface Frame {
  eventName?: unknown;
  eventSourceARN?: unknown;
  userIdentity?: unknown;
  dynamodb?: Record<string, unknown>;
}

function scanFrame(scan: JsonScan, context: NormaliseContext): NormalisedChange | null {
  const frame: Frame = {};
  let row: NormalisedRow | null = null;
  if (!scan.enterObject()) return null;
  do {
    const name = scan.name();
    switch (name) {
      case 'eventName':
      case 'eventSourceARN':
        once(frame, name);
        frame[name] = scan.string();
        break;
      case 'userIdentity':
        once(frame, name);
        frame[name] = scanTexts(scan);
        break;
      case 'dynamodb':
        once(frame, name);
        frame.dynamodb = {};
        row = scanBody(scan, frame.dynamodb, context.layout);
        break;
      default:
        scan.skip();
    }
  } while (scan.nextMember());
  scan.end();
  const record = parseFrame(frame, context.table);
  if (record.operation === 'delete') row = null;
  else if (row === null) return null;
  return envelopeOf(record, row === null ? null : { row, unknown: [] }, context);
}

/** Reads the `dynamodb` member; the row of its NewImage, null where there is none. */
function scanBody(scan: JsonScan, body: Record<string, unknown>, layout: RowLayout): NormalisedRow | null {
  let row: NormalisedRow | null = null;
  if (!scan.enterObject()) return row;
  do {
    const name = scan.name();
    switch (name) {
      case 'ApproximateCreationDateTime':
        once(body, name);
        body[name] = scan.number();
        break;
      case 'SequenceNumber':
        once(body, name);
        body[name] = scan.string();
        break;
      case 'Keys':
        once(body, name);
        body[name] = scanKeys(scan);
        break;
      case 'NewImage':
        if (row !== null) throw UNKNOWN_FORM;
        row = scanImage(scan, layout);
        break;
      default:
        scan.skip();
    }
  } while (scan.nextMember());
  return row;
}

/** A name that stands twice is read by `JSON.parse` as its last: rare enough to leave it to that. */
function once(members: object, name: string): void {
  if (Object.hasOwn(members, name)) throw UNKNOWN_FORM;
}

/** An object whose values are all strings. */
function scanTexts(scan: JsonScan): Record<string, string> {
  const texts: Record<string, string> = {};
  if (!scan.enterObject()) return texts;
  do {
    const name = scan.name();
    once(texts, name);
    texts[name] = scan.string();
  } while (scan.nextMember());
  return texts;
}

function scanKeys(scan: JsonScan): Image {
  const keys: Record<string, unknown> = {};
  if (!scan.enterObject()) return keys;
  do {
    const name = scan.name();
    once(keys, name);
    keys[name] = scanTexts(scan);
  } while (scan.nextMember());
  return keys;
}

function scanImage(scan: JsonScan, layout: RowLayout): NormalisedRow {
  const values = new Array<RowValue>(layout.schema.columns.length).fill(undefined);
  if (!scan.enterObject()) return { values, rescued: null };
  do {
    const index = layout.columnOf.get(scan.name());
    const column = index === undefined ? undefined : layout.schema.columns[index];
    if (index === undefined || column === undefined) passNull(scan);
    else if (values[index] === undefined) values[index] = scanColumnValue(scan, column.type, layout.style);
    else throw UNKNOWN_FORM;
  } while (scan.nextMember());
  return { values, rescued: null };
}

/** A NULL of an attribute that the schema does not know says nothing; any other value makes a column. */
function passNull(scan: JsonScan): void {
  if (!scan.enterObject() || scan.name() !== 'NULL') throw UNKNOWN_FORM;
  scan.skip();
  if (scan.nextMember()) throw UNKNOWN_FORM;
}

function scanColumnValue(scan: JsonScan, type: ColumnType, style: JsonStyle): RowValue {
  if (!scan.enterObject()) throw UNKNOWN_FORM;
  const tag = scan.name();
  const value = type.kind === 'json' ? scanPayload(scan, tag, style) : scanScalar(scan, tag, type, style);
  if (scan.nextMember()) throw UNKNOWN_FORM;
  return value;
}

function scanScalar(scan: JsonScan, tag: string, type: ColumnType, style: JsonStyle): RowValue {
  switch (tag) {
    case 'S':
    case 'N':
    case 'B': {
      const payload = wellFormed(scan.string());
      if (tag === 'S' && type.kind === 'string') return payload;
      return fitting(fitValue({ [tag]: payload }, tag, type, style));
    }
    case 'BOOL':
      return fitting(fitValue({ BOOL: scan.boolean() }, tag, type, style));
    case 'NULL':
      scan.skip();
      return null;
    default:
      throw UNKNOWN_FORM;
  }
}

function fitting(value: RowValue | typeof MISFIT): RowValue {
  if (value === MISFIT) throw UNKNOWN_FORM;
  return value;
}

/** A value of any type as plain canonical JSON, as `plainJson` writes it. */
function scanPlain(scan: JsonScan, style: JsonStyle): string {
  if (!scan.enterObject()) throw UNKNOWN_FORM;
  const json = scanPayload(scan, scan.name(), style) ?? 'null';
  if (scan.nextMember()) throw UNKNOWN_FORM;
  return json;
}

/** Null for a NULL: a column has none there, and within JSON it is written out. */
function scanPayload(scan: JsonScan, tag: string, style: JsonStyle): string | null {
  switch (tag) {
    case 'S':
      return quoted(wellFormed(scan.string()), style);
    case 'N':
      return jsonNumber(numberPayload(scan.string()), style);
    case 'B':
      return style.quote + binaryPayload(scan.string()) + style.quote;
    case 'BOOL':
      return scan.boolean() ? 'true' : 'false';
    case 'NULL':
      scan.skip();
      return null;
    case 'M':
      return scanMap(scan, style);
    case 'L':
      return `[${scanList(scan, () => scanPlain(scan, style)).join(',')}]`;
    case 'SS':
      return setJson(sortNames(scanList(scan, () => wellFormed(scan.string()))), (text) => quoted(text, style));
    case 'NS':
      return setJson(sortNumbers(scanList(scan, () => numberPayload(scan.string()))), (text) =>
        jsonNumber(text, style),
      );
    case 'BS':
      return setJson(sortNames(scanList(scan, () => binaryPayload(scan.string()))), (text) => quoted(text, style));
    default:
      throw UNKNOWN_FORM;
  }
}

function scanMap(scan: JsonScan, style: JsonStyle): string {
  if (!scan.enterObject()) return '{}';
  const names: string[] = [];
  const members: string[] = [];
  let isSorted = true;
  do {
    const name = wellFormed(scan.name());
    const before = names.at(-1);
    if (before !== undefined && before >= name) isSorted = false;
    names.push(name);
    members.push(memberPrefix(name, style) + scanPlain(scan, style));
  } while (scan.nextMember());
  return `{${(isSorted ? members : inOrder(names, members)).join(',')}}`;
}

/** The members in the order of their names. Throws UNKNOWN_FORM where two are the same. */
function inOrder(names: readonly string[], members: readonly string[]): string[] {
  const places = sortNames([...names]);
  return places.map((name, index) => {
    if (places[index + 1] === name) throw UNKNOWN_FORM;
    return members[names.indexOf(name)] ?? '';
  });
}

function scanList(scan: JsonScan, element: () => string): string[] {
  const elements: string[] = [];
  if (!scan.enterList()) return elements;
  do elements.push(element());
  while (scan.nextElement());
  return elements;
}

function setJson(elements: readonly string[], render: (text: string) => string): string {
  return `[${elements.map(render).join(',')}]`;
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw UNKNOWN_FORM;
  return text;
}

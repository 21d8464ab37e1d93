import type { ColumnType } from '../column.ts';
import type { ScalarType } from '../fit.ts';
import { MISFIT, fitPayload, isScalar } from '../fit.ts';
import { JsonScan, UNKNOWN_FORM } from '../json-scan.ts';
import type { JsonStyle } from '../json-text.ts';
import { quoted } from '../json-text.ts';
import { MapShape } from '../map-shape.ts';
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
  try {
    return scanFrame(new JsonScan(text), context);
  } catch (thrown) {
    if (thrown === UNKNOWN_FORM || thrown instanceof RecordFault) return null;
    throw thrown;
  }
}

/** What a record has beside its image, as the parsed record would have it. */
interface Frame {
  eventName?: string;
  eventSourceARN?: string;
  userIdentity?: Readonly<Record<string, string>>;
  dynamodb?: FrameBody;
}

interface FrameBody {
  ApproximateCreationDateTime?: number;
  SequenceNumber?: string;
  Keys?: Image;
}

function scanFrame(scan: JsonScan, context: NormaliseContext): NormalisedChange | null {
  const frame: Frame = {};
  let row: NormalisedRow | null = null;
  if (!scan.enter('{}')) return null;
  do {
    const name = scan.name();
    switch (name) {
      case 'eventName':
      case 'eventSourceARN':
        if (frame[name] !== undefined) return null;
        frame[name] = scan.string();
        break;
      case 'userIdentity':
        if (frame.userIdentity !== undefined) return null;
        frame.userIdentity = scanTexts(scan);
        break;
      case 'dynamodb':
        if (frame.dynamodb !== undefined) return null;
        frame.dynamodb = {};
        row = scanBody(scan, frame.dynamodb, context.layout);
        break;
      default:
        scan.skip();
    }
  } while (scan.moreMembers());
  scan.end();
  const record = parseFrame(frame, context.table);
  if (record.operation === 'delete') row = null;
  else if (row === null) return null;
  return envelopeOf(record, row === null ? null : { row, unknown: NO_UNKNOWN }, context);
}

const NO_UNKNOWN: readonly never[] = [];

/** Reads the `dynamodb` member; the row of its NewImage, null where there is none. */
function scanBody(scan: JsonScan, body: FrameBody, layout: RowLayout): NormalisedRow | null {
  let row: NormalisedRow | null = null;
  if (!scan.enter('{}')) return row;
  do {
    const name = scan.name();
    switch (name) {
      case 'ApproximateCreationDateTime':
        if (body[name] !== undefined) throw UNKNOWN_FORM;
        body[name] = scan.number();
        break;
      case 'SequenceNumber':
        if (body[name] !== undefined) throw UNKNOWN_FORM;
        body[name] = scan.string();
        break;
      case 'Keys':
        if (body[name] !== undefined) throw UNKNOWN_FORM;
        body[name] = scanKeys(scan);
        break;
      case 'NewImage':
        if (row !== null) throw UNKNOWN_FORM;
        row = scanImage(scan, layout);
        break;
      default:
        scan.skip();
    }
  } while (scan.moreMembers());
  return row;
}

/** An object whose values are all strings. */
function scanTexts(scan: JsonScan): Record<string, string> {
  const texts: Record<string, string> = {};
  if (!scan.enter('{}')) return texts;
  do {
    const name = scan.name();
    once(texts, name);
    texts[name] = scan.string();
  } while (scan.moreMembers());
  return texts;
}

function scanKeys(scan: JsonScan): Image {
  const keys: Record<string, unknown> = {};
  if (!scan.enter('{}')) return keys;
  do {
    const name = scan.name();
    once(keys, name);
    keys[name] = scan.passes('{"S":') ? { S: closed(scan, scan.string()) } : scanTexts(scan);
  } while (scan.moreMembers());
  return keys;
}

/** A name that stands twice is read by `JSON.parse` as its last: rare enough to leave it to that. */
function once(members: object, name: string): void {
  if (Object.hasOwn(members, name)) throw UNKNOWN_FORM;
}

function closed<T>(scan: JsonScan, value: T): T {
  scan.expect('}');
  return value;
}

function scanImage(scan: JsonScan, layout: RowLayout): NormalisedRow {
  const { columns } = layout.schema;
  const values = new Array<RowValue>(columns.length).fill(undefined);
  if (!scan.enter('{}')) return { values, rescued: null };
  let last = -1;
  do {
    const index = scanColumnName(scan, layout, last);
    const column = columns[index];
    if (column === undefined) passNull(scan);
    else if (values[index] === undefined) {
      values[index] = scanColumnValue(scan, column.type, layout, index);
      last = index;
    } else throw UNKNOWN_FORM;
  } while (scan.moreMembers());
  return { values, rescued: null };
}

/** The column of the attribute that comes next, -1 where the schema does not know it: first the one that came here the last time is tried. */
function scanColumnName(scan: JsonScan, layout: RowLayout, last: number): number {
  const guess = layout.successors[last + 1] ?? -1;
  if (guess !== -1 && scan.passes(layout.attributePrefixes[guess] ?? '')) return guess;
  const index = layout.columnOf.get(scan.name()) ?? -1;
  if (index !== -1) layout.successors[last + 1] = index;
  return index;
}

/** A NULL of an attribute that the schema does not know says nothing; any other value makes a column. */
function passNull(scan: JsonScan): void {
  scan.expect('{"NULL":');
  scan.skip();
  scan.expect('}');
}

function scanColumnValue(scan: JsonScan, type: ColumnType, layout: RowLayout, index: number): RowValue {
  if (!isScalar(type))
    return scan.passes('{"NULL":')
      ? passedNull(scan)
      : scanPlain(scan, layout.style, layout.shapes[index] ?? new MapShape());
  if (scan.passes('{"S":')) return scalarOf('S', closed(scan, scan.string()), type);
  if (scan.passes('{"N":')) return scalarOf('N', closed(scan, scan.string()), type);
  if (scan.passes('{"NULL":')) return passedNull(scan);
  if (scan.passes('{"BOOL":')) return scalarOf('BOOL', closed(scan, scan.boolean()), type);
  scan.expect('{"B":');
  return scalarOf('B', closed(scan, scan.string()), type);
}

function passedNull(scan: JsonScan): null {
  scan.skip();
  return closed(scan, null);
}

function scalarOf(tag: 'S' | 'N' | 'B' | 'BOOL', payload: string | boolean, type: ScalarType): RowValue {
  if (tag === 'S' && type.kind === 'string') return payload;
  const value = fitPayload(tag, payload, type);
  if (value === MISFIT) throw UNKNOWN_FORM;
  return value;
}

/** A value of any type as plain canonical JSON, as `plainJson` writes it. */
function scanPlain(scan: JsonScan, style: JsonStyle, shape: MapShape): string {
  if (scan.passes('{"S":')) return closed(scan, scan.jsonString(style));
  if (scan.passes('{"N":')) return closed(scan, jsonNumber(numberPayload(scan.string()), style));
  if (scan.passes('{"M":')) return closed(scan, scanMap(scan, style, shape));
  if (scan.passes('{"L":')) return closed(scan, scanList(scan, style, shape.element()));
  if (scan.passes('{"BOOL":')) return closed(scan, scan.boolean() ? 'true' : 'false');
  if (scan.passes('{"NULL":')) return String(passedNull(scan));
  if (scan.passes('{"B":')) return closed(scan, style.quote + binaryPayload(scan.string()) + style.quote);
  if (scan.passes('{"SS":')) return closed(scan, setJson(sortNames(scanSet(scan, asItIs)), style));
  if (scan.passes('{"BS":')) return closed(scan, setJson(sortNames(scanSet(scan, binaryPayload)), style));
  scan.expect('{"NS":');
  const numbers = sortNumbers(scanSet(scan, numberPayload));
  return closed(scan, `[${numbers.map((text) => jsonNumber(text, style)).join(',')}]`);
}

function scanMap(scan: JsonScan, style: JsonStyle, shape: MapShape): string {
  if (!scan.enter('{}')) return '{}';
  const members: string[] = [];
  /** Null while the names are the ones that the shape has. */
  let names: string[] | null = null;
  do {
    const place = members.length;
    const prefix = names === null ? shape.prefixes[place] : undefined;
    if (prefix === undefined || !scan.passes(prefix)) {
      names ??= shape.firstNames(place);
      names.push(scan.name());
    }
    members.push(scanPlain(scan, style, names === null ? shape.child(place) : new MapShape()));
  } while (scan.moreMembers());
  if (names === null && members.length < shape.prefixes.length) names = shape.firstNames(members.length);
  if (names !== null && !shape.learn(names, style)) throw UNKNOWN_FORM;
  return shape.json(members);
}

function scanList(scan: JsonScan, style: JsonStyle, shape: MapShape): string {
  if (!scan.enter('[]')) return '[]';
  let json = scanPlain(scan, style, shape);
  while (scan.moreElements()) json = `${json},${scanPlain(scan, style, shape)}`;
  return `[${json}]`;
}

function scanSet(scan: JsonScan, read: (payload: string) => string): string[] {
  const elements: string[] = [];
  if (!scan.enter('[]')) return elements;
  do elements.push(read(scan.string()));
  while (scan.moreElements());
  return elements;
}

function setJson(elements: readonly string[], style: JsonStyle): string {
  let json = '';
  for (const text of elements) json = json === '' ? quoted(text, style) : `${json},${quoted(text, style)}`;
  return `[${json}]`;
}

function asItIs(text: string): string {
  return text;
}

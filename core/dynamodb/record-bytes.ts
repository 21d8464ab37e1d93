import type { BytePiece, ByteText } from '../byte-text.ts';
import { pieceOf } from '../byte-text.ts';
import type { Operation } from '../change.ts';
import { JsonBytes } from '../json-bytes.ts';
import { UNKNOWN_FORM } from '../json-scan.ts';
import { PLAIN, memberPrefix } from '../json-text.ts';
import { keyHashOf } from '../key.ts';
import type { ChangePacker } from '../packed-changes.ts';
import type { KeyAttributes, TableSchema } from '../schema.ts';
import { POSITION_DIGITS, parseStreamArn } from '../version.ts';
import { RecordFault } from './fault.ts';
import { ImageBytes, readNumber } from './image-bytes.ts';
import { B_TAG, N_TAG, S_TAG } from './plain-bytes.ts';

/** 9999-12-31T23:59:59Z in epoch seconds: `parseFrame` takes none that is later. */
const LAST_SECOND = 253_402_300_799;
const MICROS = 1_000_000;

const COMMA = 44;
const HYPHEN = 45;
const ZERO = 48;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;

const EVENT_NAME = pieceOf('"eventName":');
const EVENT_SOURCE_ARN = pieceOf('"eventSourceARN":');
const DYNAMODB = pieceOf('"dynamodb":');
const USER_IDENTITY = pieceOf('"userIdentity":');
const RECORDS = pieceOf('"Records":');
const CREATED = pieceOf('"ApproximateCreationDateTime":');
const SEQUENCE = pieceOf('"SequenceNumber":');
const KEYS = pieceOf('"Keys":');
const NEW_IMAGE = pieceOf('"NewImage":');

const EVENTS: readonly { readonly text: BytePiece; readonly operation: Operation }[] = [
  { text: pieceOf('"INSERT"'), operation: 'insert' },
  { text: pieceOf('"MODIFY"'), operation: 'update' },
  { text: pieceOf('"REMOVE"'), operation: 'delete' },
];

/** What scanning must know of a table. */
export interface RecordTable {
  /** The DynamoDB table's name; null where records of any are taken. */
  readonly table: string | null;
  readonly key: KeyAttributes;
  readonly schema: TableSchema;
}

/**
 * Normalises ordinary records straight from their bytes into packed changes, without making strings or objects of them:
 * several times quicker than `scanRecord`, and for fewer records. Whatever has an escape, a number that is not canonical, or
 * what `scanRecord` leaves to the full parser too, it does not take. What it does take comes to exactly what
 * `normaliseRecord` makes of the parsed record.
 */
export class RecordBytesScanner {
  private readonly table: string | null;
  private readonly key: readonly { readonly prefix: BytePiece; readonly tag: BytePiece }[];
  private readonly image: ImageBytes;
  private readonly scan = new JsonBytes();

  /** The ARN seen last, in its quotes, and its epoch. */
  private arn = pieceOf('');
  private epoch = pieceOf('');

  // What was found in the record at hand.
  private readonly keyFrom = new Int32Array(2);
  private readonly keyTo = new Int32Array(2);
  private operation: Operation | null = null;
  private hasArn = false;
  private hasBody = false;
  private hasImage = false;
  private keysFound = -1;
  private sequenceFrom = -1;
  private sequenceTo = -1;
  private seconds = -1;

  constructor({ table, key, schema }: RecordTable) {
    this.table = table;
    this.key = key.map(({ attribute, type }) => ({
      prefix: pieceOf(memberPrefix(attribute, PLAIN)),
      tag: type === 'S' ? S_TAG : type === 'N' ? N_TAG : B_TAG,
    }));
    this.image = new ImageBytes(schema);
  }

  /** Packs the record that stands between two places of some UTF-8, or returns false and packs nothing. */
  pack(bytes: Buffer, from: number, to: number, into: ChangePacker): boolean {
    try {
      this.scan.start(bytes, from, to);
      this.scanFrame();
      this.write(into);
      return true;
    } catch (thrown) {
      if (thrown !== UNKNOWN_FORM && !(thrown instanceof RecordFault)) throw thrown;
      into.undo();
      return false;
    }
  }

  private scanFrame(): void {
    const { scan } = this;
    this.forget();
    if (!scan.enterObject()) throw UNKNOWN_FORM;
    do {
      if (scan.passes(EVENT_NAME)) this.scanEvent();
      else if (scan.passes(EVENT_SOURCE_ARN)) this.scanArn();
      else if (scan.passes(DYNAMODB)) this.scanBody();
      else if (scan.passes(USER_IDENTITY) || scan.passes(RECORDS)) throw UNKNOWN_FORM;
      else {
        scan.name();
        scan.skip();
      }
    } while (scan.moreMembers());
    scan.finish();
    // Without an ARN or a time there are rules for what stands for them, which are not repeated here.
    if (!this.hasArn || this.operation === null || this.keysFound === -1 || this.sequenceFrom === -1)
      throw UNKNOWN_FORM;
    if (this.seconds === -1 || (this.operation !== 'delete' && !this.hasImage)) throw UNKNOWN_FORM;
  }

  private forget(): void {
    this.operation = null;
    this.hasArn = this.hasBody = this.hasImage = false;
    this.keysFound = this.sequenceFrom = this.seconds = -1;
  }

  private scanEvent(): void {
    const found = EVENTS.find(({ text }) => this.scan.passes(text));
    if (found === undefined || this.operation !== null) throw UNKNOWN_FORM;
    this.operation = found.operation;
  }

  private scanArn(): void {
    const { scan } = this;
    if (this.hasArn) throw UNKNOWN_FORM;
    this.hasArn = true;
    if (this.arn.length > 0 && scan.passes(this.arn)) return;
    const from = scan.at;
    scan.string();
    const stream = parseStreamArn(scan.text(from + 1, scan.at - 1));
    if (stream === null || (this.table !== null && stream.table !== this.table)) throw UNKNOWN_FORM;
    this.arn = pieceOf(scan.text(from, scan.at));
    this.epoch = pieceOf(stream.epoch);
  }

  private scanBody(): void {
    const { scan } = this;
    if (this.hasBody || !scan.enterObject()) throw UNKNOWN_FORM;
    this.hasBody = true;
    do {
      if (scan.passes(CREATED)) this.scanTime();
      else if (scan.passes(KEYS)) this.scanKeys();
      else if (scan.passes(NEW_IMAGE)) this.scanImage();
      else if (scan.passes(SEQUENCE)) this.scanSequence();
      else {
        scan.name();
        scan.skip();
      }
    } while (scan.moreMembers());
  }

  private scanTime(): void {
    if (this.seconds !== -1) throw UNKNOWN_FORM;
    this.seconds = this.scan.wholeNumber();
    if (this.seconds > LAST_SECOND) throw UNKNOWN_FORM;
  }

  private scanSequence(): void {
    const { scan } = this;
    if (this.sequenceFrom !== -1) throw UNKNOWN_FORM;
    const from = scan.at;
    scan.string();
    this.sequenceFrom = from + 1;
    this.sequenceTo = scan.at - 1;
    const digits = this.sequenceTo - this.sequenceFrom;
    if (digits === 0 || digits > POSITION_DIGITS) throw UNKNOWN_FORM;
    for (let at = this.sequenceFrom; at < this.sequenceTo; at++) {
      const digit = (scan.bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) throw UNKNOWN_FORM;
    }
  }

  private scanKeys(): void {
    const { scan, key } = this;
    if (this.keysFound !== -1 || !scan.enterObject()) throw UNKNOWN_FORM;
    this.keysFound = 0;
    this.keyFrom.fill(-1);
    do {
      const index = key.findIndex(({ prefix }) => scan.passes(prefix));
      const attribute = key[index];
      if (attribute === undefined || this.keyFrom[index] !== -1) throw UNKNOWN_FORM;
      scan.expect(attribute.tag);
      // Base64 has rules of its own.
      if (attribute.tag === B_TAG) throw UNKNOWN_FORM;
      const place = { from: this.keyFrom, to: this.keyTo, index };
      if (attribute.tag === N_TAG) readNumber(scan, place, null);
      else {
        this.keyFrom[index] = scan.at;
        scan.string();
        this.keyTo[index] = scan.at;
      }
      scan.close();
      this.keysFound++;
    } while (scan.moreMembers());
    if (this.keysFound !== key.length) throw UNKNOWN_FORM;
  }

  private scanImage(): void {
    if (this.hasImage) throw UNKNOWN_FORM;
    this.hasImage = true;
    this.image.read(this.scan);
  }

  private write(into: ChangePacker): void {
    const { operation, scan } = this;
    if (operation === null) throw UNKNOWN_FORM;
    const from = into.keys.length;
    this.writeKey(into.keys);
    into.keyHashes.text(keyHashOf(into.keys.bytes.toString('utf8', from, into.keys.length)));
    const { versions } = into;
    versions.piece(this.epoch);
    versions.byte(HYPHEN);
    for (let zeros = POSITION_DIGITS - (this.sequenceTo - this.sequenceFrom); zeros > 0; zeros--) versions.byte(ZERO);
    versions.copy(scan, this.sequenceFrom, this.sequenceTo);
    if (operation !== 'delete') this.image.writeRow(scan, into.rows);
    into.next(operation, 'user', this.seconds * MICROS);
  }

  private writeKey(into: ByteText): void {
    into.byte(OPEN_LIST);
    for (let index = 0; index < this.key.length; index++) {
      if (index > 0) into.byte(COMMA);
      into.copy(this.scan, this.keyFrom[index] ?? 0, this.keyTo[index] ?? 0);
    }
    into.byte(CLOSE_LIST);
  }
}

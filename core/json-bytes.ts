import type { BytePiece, Bytes } from './byte-text.ts';
import { pieceOf, viewOf } from './byte-text.ts';
import { UNKNOWN_FORM } from './json-scan.ts';

/** JSON that is nested deeper is left to the full parser, which does not use the stack. */
const MAX_DEPTH = 64;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const BACKSLASH = 92;
const FIRST_PRINTED = 32;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const WORD = 4;
const ONES = 0x01010101;
const BLANKS = 0x20202020;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const HIGH_BITS = 0x80808080;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/**
 * Walks over JSON as UTF-8 bytes, without blanks and without escapes: what `JsonScan` does over text, but nothing is made of
 * the bytes until somebody asks. Of such JSON it takes what `JSON.parse` takes, or less: where it is in doubt it throws
 * UNKNOWN_FORM. The caller has made sure that the bytes are UTF-8.
 */
export class JsonBytes implements Bytes {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = viewOf(this.bytes);
  /** Where it stands. */
  at = 0;
  /** How much is open; a caller that goes back must put it back. */
  depth = 0;
  private end = 0;

  /** Goes to the beginning of the JSON between two places. */
  start(bytes: Buffer, from: number, to: number): void {
    if (bytes !== this.bytes) this.view = viewOf(bytes);
    this.bytes = bytes;
    this.at = from;
    this.end = to;
    this.depth = 0;
  }

  /** Passes a piece if it comes next. */
  passes(piece: BytePiece): boolean {
    const { at, view } = this;
    const { length, view: wanted } = piece;
    if (at + length > this.end) return false;
    if (length < WORD) return this.passesBytes(piece);
    const last = length - WORD;
    for (let index = 0; index < last; index += WORD)
      if (view.getInt32(at + index, true) !== wanted.getInt32(index, true)) return false;
    if (view.getInt32(at + last, true) !== wanted.getInt32(last, true)) return false;
    this.at = at + length;
    return true;
  }

  private passesBytes({ bytes, length }: BytePiece): boolean {
    for (let index = 0; index < length; index++) if (this.bytes[this.at + index] !== bytes[index]) return false;
    this.at += length;
    return true;
  }

  expect(piece: BytePiece): void {
    if (!this.passes(piece)) throw UNKNOWN_FORM;
  }

  /** Passes an object's opening bracket; false, and its closing one passed too, where it is empty. */
  enterObject(): boolean {
    return this.enter(OPEN_OBJECT, CLOSE_OBJECT);
  }

  enterList(): boolean {
    return this.enter(OPEN_LIST, CLOSE_LIST);
  }

  private enter(open: number, close: number): boolean {
    if (this.bytes[this.at] !== open) throw UNKNOWN_FORM;
    this.at++;
    if (this.at < this.end && this.bytes[this.at] === close) {
      this.at++;
      return false;
    }
    if (++this.depth > MAX_DEPTH) throw UNKNOWN_FORM;
    return true;
  }

  /** After a member: passes the comma before another, or the closing bracket, and is then false. */
  moreMembers(): boolean {
    return this.more(CLOSE_OBJECT);
  }

  moreElements(): boolean {
    return this.more(CLOSE_LIST);
  }

  private more(close: number): boolean {
    const code = this.at < this.end ? this.bytes[this.at] : 0;
    this.at++;
    if (code === COMMA) return true;
    if (code !== close) throw UNKNOWN_FORM;
    this.depth--;
    return false;
  }

  /** Passes a closing brace, of a value whose opening one was passed as part of a piece. */
  close(): void {
    if (this.at >= this.end || this.bytes[this.at] !== CLOSE_OBJECT) throw UNKNOWN_FORM;
    this.at++;
  }

  /** Passes a string with its quotes. */
  string(): void {
    const { bytes, end } = this;
    if (this.at >= end || bytes[this.at] !== QUOTE) throw UNKNOWN_FORM;
    for (let at = this.wordsWithoutEnd(this.at + 1); at < end; at++) {
      const code = bytes[at] ?? 0;
      if (code === QUOTE) {
        this.at = at + 1;
        return;
      }
      if (code < FIRST_PRINTED || code === BACKSLASH) throw UNKNOWN_FORM;
    }
    throw UNKNOWN_FORM;
  }

  /** The place of the first word of four bytes, counted from a place in a string, that has a quote or what a string here may not have. */
  private wordsWithoutEnd(from: number): number {
    const { view } = this;
    const last = this.end - WORD;
    let at = from;
    for (; at <= last; at += WORD) {
      const word = view.getInt32(at, true);
      const quotes = word ^ QUOTES;
      const backslashes = word ^ BACKSLASHES;
      // In each of these the highest bit of a byte is set where the byte is null, null, or below a blank.
      const found = ((quotes - ONES) & ~quotes) | ((backslashes - ONES) & ~backslashes) | ((word - BLANKS) & ~word);
      if ((found & HIGH_BITS) !== 0) break;
    }
    return at;
  }

  /** Passes the name of a member, with its colon. */
  name(): void {
    this.string();
    if (this.at >= this.end || this.bytes[this.at] !== COLON) throw UNKNOWN_FORM;
    this.at++;
  }

  /** Passes any value. */
  skip(): void {
    switch (this.at < this.end ? this.bytes[this.at] : 0) {
      case QUOTE:
        this.string();
        return;
      case OPEN_OBJECT:
        if (!this.enterObject()) return;
        do {
          this.name();
          this.skip();
        } while (this.moreMembers());
        return;
      case OPEN_LIST:
        if (!this.enterList()) return;
        do this.skip();
        while (this.moreElements());
        return;
      default:
        this.bare();
    }
  }

  /** Passes a number, true, false or null. */
  private bare(): void {
    const from = this.at;
    let at = from;
    let code = this.bytes[at] ?? 0;
    let onlyDigits = true;
    while (at < this.end && code !== COMMA && code !== CLOSE_OBJECT && code !== CLOSE_LIST) {
      if (code < ZERO || code > NINE) onlyDigits = false;
      code = this.bytes[++at] ?? 0;
    }
    this.at = at;
    const isPlainInteger = onlyDigits && at > from && (this.bytes[from] !== ZERO || at === from + 1);
    if (isPlainInteger) return;
    const text = this.bytes.toString('latin1', from, at);
    if (text !== 'true' && text !== 'false' && text !== 'null' && !NUMBER.test(text)) throw UNKNOWN_FORM;
  }

  /** Passes true or false. */
  boolean(): void {
    if (!this.passes(TRUE)) this.expect(FALSE);
  }

  /** Passes a whole number without a sign, of at most 15 digits, and gives it. */
  wholeNumber(): number {
    const from = this.at;
    let value = 0;
    let at = from;
    for (; at < this.end; at++) {
      const digit = (this.bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === from || at - from > 15 || (this.bytes[from] === ZERO && at - from > 1)) throw UNKNOWN_FORM;
    this.at = at;
    return value;
  }

  /** After the last value: throws unless all has been passed. */
  finish(): void {
    if (this.at !== this.end) throw UNKNOWN_FORM;
  }

  /** The text between two places. */
  text(from: number, to: number): string {
    return this.bytes.toString('utf8', from, to);
  }
}

const TRUE = pieceOf('true');
const FALSE = pieceOf('false');

/** What a number looks like in canonical form. */
export interface NumberShape {
  /** Where its canonical form ends: the zeros after the last digit of a fraction are not part of it. */
  end: number;
  /** Characters before the point, its sign among them. */
  whole: number;
  /** Digits after the point. */
  fraction: number;
  /** Digits in all. */
  digits: number;
}

/** The most characters, its sign left out, that a number may have here. */
const MAX_CHARACTERS = 38;

/**
 * The shape of the number between two places. Throws UNKNOWN_FORM where its canonical form, as `canonicalNumber` has it, is
 * not what stands there without needless zeros at the end.
 */
export function numberShape(bytes: Buffer, from: number, to: number, into: NumberShape): void {
  const start = bytes[from] === MINUS ? from + 1 : from;
  if (to === start || to - start > MAX_CHARACTERS) throw UNKNOWN_FORM;
  let dot = -1;
  for (let at = start; at < to; at++) {
    const code = bytes[at] ?? 0;
    if (code === DOT) {
      if (dot !== -1 || at === start) throw UNKNOWN_FORM;
      dot = at;
    } else if (code < ZERO || code > NINE) throw UNKNOWN_FORM;
  }
  let end = to;
  if (dot !== -1) {
    while (bytes[end - 1] === ZERO) end--;
    if (end - 1 === dot) {
      end = dot;
      dot = -1;
    }
  }
  const whole = (dot === -1 ? end : dot) - start;
  // A zero before other digits, or with a sign alone.
  if (bytes[start] === ZERO && (whole > 1 || (dot === -1 && start > from))) throw UNKNOWN_FORM;
  into.end = end;
  into.whole = whole + start - from;
  into.fraction = dot === -1 ? 0 : end - dot - 1;
  into.digits = whole + into.fraction;
}

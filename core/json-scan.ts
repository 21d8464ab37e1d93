import type { JsonStyle } from './json-text.ts';
import { PLAIN, quoted } from './json-text.ts';

/** Thrown, always the same object, where a text is not what a scan knows: the caller then parses it in full. */
export const UNKNOWN_FORM = new Error('The text has a form that the quick scan does not know.');

/** Text that is nested deeper is left to the full parser, which does not use the stack. */
const MAX_DEPTH = 64;

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const CLOSE_OBJECT = 125;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const CONTROL = /[\u0000-\u001f]/;

/**
 * Walks over JSON text without blanks, as programs write it, without making objects of it. Of such texts it takes those
 * that `JSON.parse` takes, or fewer: where it is in doubt it throws UNKNOWN_FORM. It looks for whole pieces of text, since
 * one search of the engine's own costs no more than a few characters looked at one by one.
 */
export class JsonScan {
  readonly text: string;
  private at = 0;
  private depth = 0;
  /** Whether any string may have an escape; most records have none, and then a string ends at the next quote. */
  private readonly hasEscapes: boolean;

  constructor(text: string) {
    this.text = text;
    this.hasEscapes = text.includes('\\');
    if (!text.isWellFormed()) throw UNKNOWN_FORM;
    // Also true of blanks between tokens that are no spaces, which are left to the full parser.
    if (CONTROL.test(text)) throw UNKNOWN_FORM;
  }

  /** Passes a piece of text if it comes next. */
  passes(piece: string): boolean {
    if (!this.text.startsWith(piece, this.at)) return false;
    this.at += piece.length;
    return true;
  }

  /** Passes a piece of text, which must come next. */
  expect(piece: string): void {
    if (!this.text.startsWith(piece, this.at)) throw UNKNOWN_FORM;
    this.at += piece.length;
  }

  /** Passes a bracket that opens, unless its closing one follows at once: then both are passed, and it is false. */
  enter(empty: '{}' | '[]'): boolean {
    if (this.passes(empty)) return false;
    this.expect(empty.charAt(0));
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
    const code = this.text.charCodeAt(this.at++);
    if (code === COMMA) return true;
    if (code !== close) throw UNKNOWN_FORM;
    this.depth--;
    return false;
  }

  /** The name of a member, with its colon passed. */
  name(): string {
    const name = this.string();
    this.expect(':');
    return name;
  }

  /** A string's value. Throws UNKNOWN_FORM where it has half of a surrogate pair, which only an escape can bring into a text. */
  string(): string {
    const from = this.at;
    this.passString();
    if (this.hasEscapes) {
      const json = this.text.slice(from, this.at);
      if (json.includes('\\')) return wellFormed(unescaped(json));
    }
    return this.text.slice(from + 1, this.at - 1);
  }

  /** A string as canonical JSON: as it stands, unless it has escapes, which can be written in several ways. */
  jsonString(style: JsonStyle): string {
    const from = this.at;
    this.passString();
    const json = this.text.slice(from, this.at);
    if (this.hasEscapes && json.includes('\\')) return quoted(wellFormed(unescaped(json)), style);
    return style === PLAIN ? json : style.quote + json.slice(1, -1) + style.quote;
  }

  number(): number {
    return Number(this.match(NUMBER));
  }

  boolean(): boolean {
    const literal = this.match(LITERAL);
    if (literal === 'null') throw UNKNOWN_FORM;
    return literal === 'true';
  }

  /** Passes any value. */
  skip(): void {
    switch (this.text.charCodeAt(this.at)) {
      case QUOTE:
        // Not only passed: its escapes must be ones that JSON has.
        this.string();
        return;
      case 0x7b:
        if (!this.enter('{}')) return;
        do {
          this.name();
          this.skip();
        } while (this.moreMembers());
        return;
      case 0x5b:
        if (!this.enter('[]')) return;
        do this.skip();
        while (this.moreElements());
        return;
      case 0x74:
      case 0x66:
      case 0x6e:
        this.match(LITERAL);
        return;
      default:
        this.match(NUMBER);
    }
  }

  /** After the last value: throws unless all of the text has been passed. */
  end(): void {
    if (this.at !== this.text.length) throw UNKNOWN_FORM;
  }

  private passString(): void {
    const { text } = this;
    if (text.charCodeAt(this.at) !== QUOTE) throw UNKNOWN_FORM;
    let end = text.indexOf('"', this.at + 1);
    if (this.hasEscapes) while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end === -1) throw UNKNOWN_FORM;
    this.at = end + 1;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) throw UNKNOWN_FORM;
    this.at += found[0].length;
    return found[0];
  }
}

function unescaped(json: string): string {
  try {
    return JSON.parse(json) as string;
  } catch {
    throw UNKNOWN_FORM;
  }
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw UNKNOWN_FORM;
  return text;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

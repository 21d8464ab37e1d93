/** Thrown, once and for all the same object, where a text is not what a scan knows: the caller then parses it in full. */
export const UNKNOWN_FORM = new Error('The text has a form that the quick scan does not know.');

/** Text that is nested deeper is left to the full parser, which does not use the stack. */
const MAX_DEPTH = 64;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;

/**
 * Walks over JSON text without making objects of it. It takes exactly the texts that `JSON.parse` takes, or fewer: where
 * it is in doubt it throws UNKNOWN_FORM. Each method begins at a token and ends after it and the blanks behind it.
 */
export class JsonScan {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
    this.blanks();
  }

  /** Enters an object; false where it is empty, and then it is passed. */
  enterObject(): boolean {
    this.expect(OPEN_OBJECT);
    if (this.text.charCodeAt(this.at) !== CLOSE_OBJECT) return this.deeper();
    this.expect(CLOSE_OBJECT);
    return false;
  }

  /** The name of a member, with its colon passed. */
  name(): string {
    const name = this.string();
    this.expect(COLON);
    return name;
  }

  /** After a member: whether another follows; else the object's end is passed. */
  nextMember(): boolean {
    return this.next(CLOSE_OBJECT);
  }

  enterList(): boolean {
    this.expect(OPEN_LIST);
    if (this.text.charCodeAt(this.at) !== CLOSE_LIST) return this.deeper();
    this.expect(CLOSE_LIST);
    return false;
  }

  nextElement(): boolean {
    return this.next(CLOSE_LIST);
  }

  /** A string's value. */
  string(): string {
    const from = this.at;
    const isPlain = this.passString();
    const end = this.at;
    this.blanks();
    return isPlain ? this.text.slice(from + 1, end - 1) : (JSON.parse(this.text.slice(from, end)) as string);
  }

  /** A number's value. */
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
    const code = this.text.charCodeAt(this.at);
    if (code === QUOTE) {
      this.passString();
      this.blanks();
    } else if (code === OPEN_OBJECT) {
      if (this.enterObject()) {
        do {
          this.passString();
          this.blanks();
          this.expect(COLON);
          this.skip();
        } while (this.nextMember());
      }
    } else if (code === OPEN_LIST) {
      if (this.enterList()) {
        do this.skip();
        while (this.nextElement());
      }
    } else if (code === 0x74 || code === 0x66 || code === 0x6e) this.match(LITERAL);
    else this.match(NUMBER);
  }

  /** Throws unless all of the text has been passed. */
  end(): void {
    if (this.at !== this.text.length) throw UNKNOWN_FORM;
  }

  /** Passes a string; whether it has no escapes, so that its value is its text. */
  private passString(): boolean {
    const { text } = this;
    if (text.charCodeAt(this.at) !== QUOTE) throw UNKNOWN_FORM;
    let isPlain = true;
    let at = this.at + 1;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        isPlain = false;
        at += this.escapeLength(at);
        continue;
      }
      // A control character; or the end of the text, where the code is no number.
      if (!(code >= 0x20)) throw UNKNOWN_FORM;
      at++;
    }
    this.at = at + 1;
    return isPlain;
  }

  private escapeLength(at: number): number {
    const kind = this.text[at + 1] ?? '';
    if ('"\\/bfnrt'.includes(kind) && kind !== '') return 2;
    if (kind === 'u' && /^[0-9a-fA-F]{4}$/.test(this.text.slice(at + 2, at + 6))) return 6;
    throw UNKNOWN_FORM;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) throw UNKNOWN_FORM;
    this.at += found[0].length;
    this.blanks();
    return found[0];
  }

  private next(close: number): boolean {
    const code = this.text.charCodeAt(this.at);
    this.at++;
    this.blanks();
    if (code === COMMA) return true;
    if (code !== close) throw UNKNOWN_FORM;
    this.depth--;
    return false;
  }

  private deeper(): true {
    if (++this.depth > MAX_DEPTH) throw UNKNOWN_FORM;
    return true;
  }

  private expect(code: number): void {
    if (this.text.charCodeAt(this.at) !== code) throw UNKNOWN_FORM;
    this.at++;
    this.blanks();
  }

  private blanks(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }
}

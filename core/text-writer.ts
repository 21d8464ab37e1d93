import type { JsonStyle } from './json-text.ts';
import { NESTED, PLAIN, flat, quoted } from './json-text.ts';

/** Most rows have room in it. */
const ROOM_BYTES = 16 * 1024;

const QUOTE = 34;
const BACKSLASH = 92;
const LAST_LATIN1 = 255;

/** Which Latin-1 characters cannot stand in a JSON string as they are. */
const ESCAPED = new Uint8Array(LAST_LATIN1 + 1).fill(1, 0, 32).fill(1, QUOTE, QUOTE + 1).fill(1, BACKSLASH, BACKSLASH + 1);
const NOTHING_ESCAPED = new Uint8Array(LAST_LATIN1 + 1);

/**
 * Puts JSON together as bytes in one room that is used again and again: to look at a string's characters and to copy them
 * is then one step, and the whole comes out in one piece. Half the time of testing each string and joining them with `+`.
 * The bytes are Latin-1, as the engine keeps such strings itself; what has other characters, or needs escapes, or has no
 * room, is joined on as a string.
 */
export class TextWriter {
  private style: JsonStyle = PLAIN;
  private readonly room = Buffer.alloc(ROOM_BYTES);
  private at = 0;
  /** What stands before the bytes in the room. */
  private head = '';

  /** Begins another text, whatever was written. */
  begin(style: JsonStyle): void {
    this.style = style;
    this.at = 0;
    this.head = '';
  }

  /** Writes JSON that was made ready. */
  piece(piece: Piece): void {
    if (typeof piece === 'string') {
      this.json(piece);
      return;
    }
    const { length } = piece;
    if (this.at + length > ROOM_BYTES) this.flush();
    const { room, at } = this;
    for (let index = 0; index < length; index++) room[at + index] = piece[index] ?? 0;
    this.at = at + length;
  }

  /** Writes one ASCII character. */
  code(ascii: number): void {
    if (this.at === ROOM_BYTES) this.flush();
    this.room[this.at++] = ascii;
  }

  /** Writes a string as JSON. False, and nothing is written, where it has half of a surrogate pair. */
  string(text: string): boolean {
    if (this.copyQuoted(text)) return true;
    if (!text.isWellFormed()) return false;
    this.join(quoted(text, this.style));
    return true;
  }

  /** Writes text that is JSON already. */
  json(text: string): void {
    if (!this.hasRoom(text.length) || !this.copy(text, NOTHING_ESCAPED)) this.join(text);
  }

  /** Writes text that is JSON between quotes. */
  quoted(text: string): void {
    this.quote();
    this.json(text);
    this.quote();
  }

  /** All that was written, as one piece. */
  end(): string {
    const text = this.room.latin1Slice(0, this.at);
    return this.head === '' ? text : flat(this.head + text);
  }

  private copyQuoted(text: string): boolean {
    if (!this.hasRoom(text.length + 4)) return false;
    const from = this.at;
    this.quote();
    if (!this.copy(text, ESCAPED)) {
      this.at = from;
      return false;
    }
    this.quote();
    return true;
  }

  private quote(): void {
    if (this.style === NESTED) this.code(BACKSLASH);
    this.code(QUOTE);
  }

  private hasRoom(length: number): boolean {
    if (this.at + length <= ROOM_BYTES) return true;
    this.flush();
    return length <= ROOM_BYTES;
  }

  /** Copies a text for which there is room; false where a character of it cannot be copied. */
  private copy(text: string, escaped: Uint8Array): boolean {
    const { length } = text;
    const { room, at } = this;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > LAST_LATIN1 || escaped[code] === 1) return false;
      room[at + index] = code;
    }
    this.at = at + length;
    return true;
  }

  private join(text: string): void {
    this.flush();
    this.head += text;
  }

  private flush(): void {
    this.head += this.room.toString('latin1', 0, this.at);
    this.at = 0;
  }
}

/** Text that is written again and again: bytes, unless it is out of the ordinary. */
export type Piece = Uint8Array | string;

const MAX_PIECE_BYTES = 1024;

export function pieceOf(text: string): Piece {
  const bytes = Buffer.from(text, 'latin1');
  return bytes.length <= MAX_PIECE_BYTES && bytes.latin1Slice() === text ? new Uint8Array(bytes) : text;
}

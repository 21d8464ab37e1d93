/** Bytes, and a view of them by words of four. */
export interface Bytes {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** A piece of text as bytes. */
export interface BytePiece extends Bytes {
  readonly length: number;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A text as a piece, made once to be looked for or copied often. */
export function pieceOf(text: string): BytePiece {
  const bytes = Buffer.from(text);
  return { bytes, view: viewOf(bytes), length: bytes.length };
}

/** Text that grows, as UTF-8 bytes. */
export class ByteText implements Bytes {
  bytes: Buffer;
  view: DataView;
  length = 0;

  constructor(room: number) {
    this.bytes = Buffer.allocUnsafeSlow(room);
    this.view = viewOf(this.bytes);
  }

  byte(code: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = code;
  }

  piece(piece: BytePiece): void {
    this.copy(piece, 0, piece.length);
  }

  /** Copies what stands between two places, which may be places of its own. Pieces are short: a call of the engine's would take longer. */
  copy(from: Bytes, start: number, end: number): void {
    const { length } = this;
    const count = end - start;
    if (length + count > this.bytes.length) this.grow(count);
    this.length = length + count;
    if (count < WORD) {
      for (let index = 0; index < count; index++) this.bytes[length + index] = from.bytes[start + index] ?? 0;
      return;
    }
    const { view } = this;
    const { view: source } = from;
    const last = count - WORD;
    for (let index = 0; index < last; index += WORD)
      view.setInt32(length + index, source.getInt32(start + index, true), true);
    view.setInt32(length + last, source.getInt32(start + last, true), true);
  }

  text(text: string): void {
    if (this.length + text.length * 3 > this.bytes.length) this.grow(text.length * 3);
    this.length += this.bytes.write(text, this.length);
  }

  /** Takes out what stands between two places, so that what comes after stands there. */
  remove(from: number, to: number): void {
    this.bytes.copyWithin(from, to, this.length);
    this.length -= to - from;
  }

  /** What there is, as a piece of its own; it then begins anew. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.length);
    this.bytes.copy(taken, 0, 0, this.length);
    this.length = 0;
    return taken;
  }

  private grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    this.view = viewOf(grown);
  }
}

const WORD = 4;

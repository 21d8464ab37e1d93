import type { FaultKind } from '../../core/dynamodb/fault.ts';
import { messageOf } from '../../core/errors.ts';
import type { Delivered, Place } from '../../flows/ports.ts';

const BYTE_ORDER_MARK = /^\uFEFF/;

/** A pretty-printed event longer than this is taken for broken lines instead. */
const MAX_DOCUMENT_CHARACTERS = 64 * 1024 * 1024;

/**
 * Turns the lines of a file into deliveries. A line is a record, an event `{"Records": [...]}` or an array of records. A
 * document over many lines begins with a bracket that its line does not close, goes on with indented lines, and ends with
 * a line that begins with the closing bracket: so a broken line of a file of lines never swallows the next one.
 */
export class LineJoiner {
  private readonly file: string;
  private lineNumber = 0;
  private document: { readonly from: number; text: string; readonly problem: string } | null = null;

  constructor(file: string) {
    this.file = file;
  }

  /** Takes one line, without its newline; null where it is not UTF-8, and then `raw` tells its bytes as Latin-1. */
  line(text: string | null, raw: () => string, into: Delivered[]): void {
    this.lineNumber++;
    if (this.document !== null && this.continueDocument(text, into)) return;
    if (text === null) into.push(this.unreadable('not-json', 'The line is not UTF-8.', raw(), this.lineNumber));
    else if (!isBlank(text)) this.oneLine(this.lineNumber === 1 ? text.replace(BYTE_ORDER_MARK, '') : text, into);
  }

  /** Counts a line that was read otherwise. Only where `isBetween`. */
  passLine(): void {
    this.lineNumber++;
  }

  /** Whether no document is open, so that the next line stands for itself. */
  get isBetween(): boolean {
    return this.document === null;
  }

  /** What is left when the file has ended. */
  end(): Delivered[] {
    const left: Delivered[] = [];
    this.giveUpDocument(left);
    return left;
  }

  /** A delivery that says that the file broke off where the lines have come to. */
  broken(reason: string, raw: string): Delivered {
    return this.unreadable('truncated', reason, raw, this.lineNumber + 1);
  }

  private oneLine(text: string, into: Delivered[]): void {
    if (isOneRecord(text)) {
      into.push({ kind: 'text', text, place: { kind: 'file', file: this.file, line: this.lineNumber } });
      return;
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (thrown) {
      const problem = messageOf(thrown);
      if (/^[[{]/.test(text)) this.document = { from: this.lineNumber, text, problem };
      else into.push(this.unreadable('not-json', `The line is no JSON: ${problem}.`, text, this.lineNumber));
      return;
    }
    this.deliver(parsed, this.lineNumber, into);
  }

  /** Whether the line belonged to the open document. */
  private continueDocument(text: string | null, into: Delivered[]): boolean {
    const { document } = this;
    if (document === null) return false;
    const isIndented = text !== null && /^[ \t\r]|^$/.test(text);
    const isEnd = text !== null && /^[\]}]/.test(text);
    if ((!isIndented && !isEnd) || document.text.length > MAX_DOCUMENT_CHARACTERS) {
      this.giveUpDocument(into);
      return false;
    }
    document.text += `\n${text}`;
    if (isEnd) this.finishDocument(document.text, document.from, into);
    return true;
  }

  private finishDocument(text: string, from: number, into: Delivered[]): void {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      this.giveUpDocument(into);
      return;
    }
    this.document = null;
    this.deliver(parsed, from, into);
  }

  private giveUpDocument(into: Delivered[]): void {
    if (this.document === null) return;
    const { from, text, problem } = this.document;
    this.document = null;
    into.push(this.unreadable('not-json', `The line is no JSON: ${problem}.`, text, from));
  }

  private deliver(parsed: unknown, line: number, into: Delivered[]): void {
    const records = recordsOf(parsed);
    if (records === null) {
      into.push({ kind: 'record', record: parsed, place: { kind: 'file', file: this.file, line } });
      return;
    }
    for (const [index, record] of records.entries()) {
      into.push({ kind: 'record', record, place: { kind: 'file', file: this.file, line, index } });
    }
  }

  private unreadable(fault: FaultKind, reason: string, raw: string, line: number): Delivered {
    const place: Place = { kind: 'file', file: this.file, line };
    return { kind: 'unreadable', fault, reason, raw, place };
  }
}

function recordsOf(parsed: unknown): readonly unknown[] | null {
  if (Array.isArray(parsed)) return parsed as readonly unknown[];
  if (typeof parsed !== 'object' || parsed === null || !('Records' in parsed)) return null;
  return Array.isArray(parsed.Records) ? (parsed.Records as readonly unknown[]) : null;
}

/** Whether a line can be nothing but one record, whole or broken: it is then parsed where it is normalised. */
function isOneRecord(text: string): boolean {
  return text.startsWith('{"event') && text.endsWith('}') && !text.includes('"Records"');
}

function isBlank(text: string): boolean {
  return text === '' || text.trim() === '';
}

import { parseEnvelopeLine } from './envelope.ts';
import { GlasshouseError } from './errors.ts';

/**
 * What one piece of a Firehose error object asks for. AWS writes two kinds of them for Iceberg: the records that could not
 * be delivered, and, where a commit lost its race until the retries were over, the paths of the files that were written
 * and are in no snapshot.
 */
export type ErrorPart =
  /** A record that was sent: to be put again. */
  | { readonly kind: 'record'; readonly data: string }
  /** A Parquet file whose rows reached no table: to be read, and its rows put again. `s3://bucket/key`. */
  | { readonly kind: 'file'; readonly url: string }
  /** Neither: left where it is, and reported. */
  | { readonly kind: 'unknown'; readonly text: string };

const PARQUET_URL = /s3[an]?:\/\/[^\s"'<>,;()[\]{}]+\.parquet/g;

/**
 * The pieces of an error object, in order: every JSON document and every other line of it is at least one. Documents may
 * stand one a line, one after the other, or in an array.
 */
export function parseErrorObject(text: string): ErrorPart[] {
  return documentsIn(text).flatMap((document) => {
    const parsed = parseJson(document);
    if (parsed === undefined) return partsOfText(document);
    return Array.isArray(parsed)
      ? parsed.flatMap((one: unknown) => partsOf(one, JSON.stringify(one)))
      : partsOf(parsed, document);
  });
}

function partsOf(value: unknown, text: string): ErrorPart[] {
  const raw = rawDataOf(value);
  if (raw === null) return partsOfText(text);
  const data = decoded(raw);
  return data === null ? [{ kind: 'unknown', text }] : [{ kind: 'record', data }];
}

/** The record of an error document, in base64; null where the document has none. */
function rawDataOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('rawData' in value)) return null;
  return typeof value.rawData === 'string' && value.rawData !== '' ? value.rawData : null;
}

function decoded(base64: string): string | null {
  const bytes = Buffer.from(base64, 'base64');
  // What Buffer cannot read it passes over in silence, and a record that is cut must not be put again.
  const isWhole = bytes.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '');
  const text = bytes.toString('utf8');
  return isWhole && Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}

function partsOfText(text: string): ErrorPart[] {
  const urls = text.replaceAll('\\/', '/').match(PARQUET_URL) ?? [];
  if (urls.length === 0) return [{ kind: 'unknown', text }];
  return [...new Set(urls)].map((url) => ({ kind: 'file', url: url.replace(/^s3[an]:/, 's3:') }));
}

/** Top-level JSON values of objects and arrays wherever they stand, and what lies between them line by line. */
export function documentsIn(text: string): string[] {
  const found: string[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (/\s/.test(character)) at++;
    else {
      const end = character === '{' || character === '[' ? endOfJson(text, at) : endOfLine(text, at);
      found.push(text.slice(at, end).trim());
      at = end;
    }
  }
  return found;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

/** The place after the bracket that closes the one at `from`; the end of its line where none does. */
function endOfJson(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (character === '{' || character === '[') depth++;
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1;
  }
  return endOfLine(text, from);
}

/** The place of the quote that closes the one at `from`. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON: it is taken as text.
    return undefined;
  }
}

/** Ours come first in a line, and inside `_row` the quotes around a name are escaped or come later. */
const CAPTURED_AT = /"_captured_at":-?\d+/;

/**
 * The lines of a record that was sent to Firehose, with the time that they are sent again: an envelope a line, of which a
 * staged record has many. Null where any of them is no envelope of ours.
 */
export function restampedLines(data: string, target: 'lakehouse' | 'warehouse', nowMicros: number): string[] | null {
  const lines = data.split('\n').filter((line) => line.trim() !== '');
  const isOurs = target === 'lakehouse' ? isEnvelope : isStagedEnvelope;
  if (lines.length === 0 || !lines.every(isOurs)) return null;
  return lines.map((line) => line.replace(CAPTURED_AT, `"_captured_at":${nowMicros}`));
}

function isEnvelope(line: string): boolean {
  try {
    parseEnvelopeLine(line);
    return true;
  } catch (thrown) {
    if (thrown instanceof GlasshouseError && thrown.code === 'corrupt') return false;
    throw thrown;
  }
}

/** A staged line differs in `_row`, which is nested there. */
function isStagedEnvelope(line: string): boolean {
  const fields = parseJson(line);
  if (typeof fields !== 'object' || fields === null || !('_row' in fields)) return false;
  const row = fields._row;
  if (row !== null && (typeof row !== 'object' || Array.isArray(row))) return false;
  return isEnvelope(JSON.stringify({ ...fields, _row: row === null ? null : JSON.stringify(row) }));
}

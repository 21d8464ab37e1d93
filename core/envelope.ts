import type { Cause, Change, KeyHash, Operation } from './change.ts';
import { GlasshouseError } from './errors.ts';
import type { JsonStyle } from './json-text.ts';
import { NESTED, PLAIN } from './json-text.ts';
import { parseVersion } from './version.ts';

/** A change as the record that travels: the fields are fixed for ever, always all there, null written out. */
export interface Envelope extends Change {
  /** Epoch microseconds, when capture made the envelope; a redrive stamps it anew. */
  readonly capturedAtMicros: number;
}

/** The envelope's fields, in order: their names, types and Iceberg field ids. The changelog and every staging table have exactly these. */
export const ENVELOPE_FIELDS = [
  { id: 1, name: '_key', type: 'string' },
  { id: 2, name: '_key_hash', type: 'string' },
  { id: 3, name: '_version', type: 'string' },
  { id: 4, name: '_op', type: 'string' },
  { id: 5, name: '_committed_at', type: 'timestamp' },
  { id: 6, name: '_captured_at', type: 'timestamp' },
  { id: 7, name: '_schema', type: 'int' },
  { id: 8, name: '_row', type: 'string' },
  { id: 9, name: '_cause', type: 'string' },
] as const;

const OPERATIONS: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'snapshot']);
const CAUSES: ReadonlySet<string> = new Set(['user', 'ttl', 'redrive', 'snapshot']);

/**
 * The envelope as one line of JSON without the line's end: what Firehose takes. `rowStyle` is how the envelope's `row` is
 * quoted already: a row made `NESTED` is not escaped again.
 */
export function envelopeLine(envelope: Envelope, rowStyle: JsonStyle = PLAIN): string {
  const { row } = envelope;
  const rowField = row === null ? 'null' : rowStyle === NESTED ? `"${row}"` : JSON.stringify(row);
  return (
    `{"_key":${JSON.stringify(envelope.key)},"_key_hash":"${envelope.keyHash}","_version":"${envelope.version}"` +
    `,"_op":"${envelope.operation}","_committed_at":${envelope.committedAtMicros}` +
    `,"_captured_at":${envelope.capturedAtMicros},"_schema":${envelope.schemaVersion}` +
    `,"_row":${rowField},"_cause":"${envelope.cause}"}`
  );
}

/** Reads what `envelopeLine` made, checking every field. */
export function parseEnvelopeLine(line: string): Envelope {
  const fields = parseObject(line);
  const operation = fields._op;
  const cause = fields._cause;
  const row = fields._row;
  if (
    typeof operation !== 'string' ||
    !OPERATIONS.has(operation) ||
    typeof cause !== 'string' ||
    !CAUSES.has(cause) ||
    (row !== null && typeof row !== 'string') ||
    (row === null) !== (operation === 'delete')
  ) {
    throw malformed(line, '_op, _cause or _row');
  }
  return {
    key: text(fields, '_key', line),
    keyHash: text(fields, '_key_hash', line) as KeyHash,
    version: parseVersion(text(fields, '_version', line)),
    operation: operation as Operation,
    committedAtMicros: integer(fields, '_committed_at', line),
    capturedAtMicros: integer(fields, '_captured_at', line),
    schemaVersion: integer(fields, '_schema', line),
    row,
    cause: cause as Cause,
  };
}

function parseObject(line: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw new GlasshouseError('corrupt', `An envelope is no JSON: ${line.slice(0, 80)}`, { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw malformed(line, 'the whole');
  return parsed as Record<string, unknown>;
}

function text(fields: Record<string, unknown>, name: string, line: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw malformed(line, name);
  return value;
}

function integer(fields: Record<string, unknown>, name: string, line: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw malformed(line, name);
  return value;
}

function malformed(line: string, what: string): GlasshouseError {
  return new GlasshouseError('corrupt', `An envelope's ${what} is missing or of the wrong type: ${line.slice(0, 80)}`);
}

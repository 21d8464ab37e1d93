import { GlasshouseError } from '../errors.ts';
import type { BatchLimits } from './dialect.ts';
import { utf8Bytes } from './dialect.ts';

/**
 * Splits statements that need no common transaction into batches that the engine takes, in order; null limits give one
 * batch. Throws GlasshouseError `config` for a statement that is too long by itself.
 */
export function planBatches(statements: readonly string[], limits: BatchLimits | null): readonly (readonly string[])[] {
  if (limits === null) return statements.length === 0 ? [] : [statements];
  const batches: string[][] = [];
  let open: string[] = [];
  let bytes = 0;
  for (const statement of statements) {
    const length = utf8Bytes(statement);
    if (length > limits.maxBytes) throw tooLong(statement, length, limits);
    if (open.length === limits.maxStatements || bytes + length > limits.maxBytes) {
      batches.push(open);
      open = [];
      bytes = 0;
    }
    open.push(statement);
    bytes += length;
  }
  if (open.length > 0) batches.push(open);
  return batches;
}

function tooLong(statement: string, bytes: number, limits: BatchLimits): GlasshouseError {
  return new GlasshouseError(
    'config',
    `A statement of ${bytes} bytes (${statement.slice(0, 60).replaceAll('\n', ' ')}…) is longer than the ${limits.maxBytes} that the ` +
      'warehouse takes. Lower maxColumns, or drop columns that nobody needs.',
  );
}

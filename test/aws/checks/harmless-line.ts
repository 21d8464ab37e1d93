import { keyHashOf } from '../../../core/key.ts';
import { UNKNOWN_EPOCH, streamVersion } from '../../../core/version.ts';
import { envelopeLine } from '../../../core/envelope.ts';

/**
 * A line that capture might have written and that changes no row: the delete of a row that never was, at a version below
 * all others. Blanks behind it make it as long as is asked for, in bytes.
 */
export function harmlessLine(key: string, bytes: number, nowMillis: number): string {
  const json = JSON.stringify([key, 1]);
  const micros = nowMillis * 1000;
  const line = envelopeLine({
    key: json,
    keyHash: keyHashOf(json),
    version: streamVersion(UNKNOWN_EPOCH, '1'),
    operation: 'delete',
    committedAtMicros: micros,
    capturedAtMicros: micros,
    schemaVersion: 1,
    row: null,
    cause: 'user',
  });
  return `${line.padEnd(bytes - 1)}\n`;
}

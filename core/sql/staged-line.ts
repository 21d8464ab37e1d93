import type { Envelope } from '../envelope.ts';
import type { TableSchema } from '../schema.ts';
import { shapeRow } from './shape.ts';

/**
 * An envelope as one line of a staged object, without the line's end: what Redshift's COPY reads. It differs from the
 * line of the changelog in `_row`, which is nested JSON here: COPY makes a SUPER of it, and as one text a row could not
 * pass 65,535 bytes. What Redshift cannot hold is shaped.
 */
export function stagedLine(envelope: Envelope, schema: TableSchema): string {
  const row = shapeRow(envelope.row, schema, 'redshift');
  return (
    `{"_key":${JSON.stringify(envelope.key)},"_key_hash":"${envelope.keyHash}","_version":"${envelope.version}"` +
    `,"_op":"${envelope.operation}","_committed_at":${envelope.committedAtMicros}` +
    `,"_captured_at":${envelope.capturedAtMicros},"_schema":${envelope.schemaVersion}` +
    `,"_row":${row ?? 'null'},"_cause":"${envelope.cause}"}`
  );
}

import type { Cause, KeyHash, Operation } from '../core/change.ts';
import type { Envelope } from '../core/envelope.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { KeyAttributes } from '../core/schema.ts';
import type { Version } from '../core/version.ts';
import type { Delivered } from '../flows/ports.ts';

/** What the scanning thread must know of the table: plain data, since it crosses threads. */
export interface ScanContext {
  readonly table: string | null;
  readonly key: KeyAttributes;
  /** As `schemaToJson` writes it. */
  readonly schema: unknown;
}

/** To the scanning thread: how it scans from now on, or that one more batch may come. */
export type ToScanner =
  { readonly kind: 'context'; readonly context: ScanContext } | { readonly kind: 'more' } | { readonly kind: 'stop' };

/** From the scanning thread. `deliveries` is what it leaves to the whole way. */
export type FromScanner =
  | { readonly kind: 'batch'; readonly envelopes: EnvelopeColumns | null; readonly deliveries: readonly Delivered[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** Envelopes as columns: a few long arrays cross threads many times quicker than many small objects. */
export interface EnvelopeColumns {
  readonly schemaVersion: number;
  readonly capturedAtMicros: number;
  readonly columns: readonly [
    keys: readonly string[],
    keyHashes: readonly KeyHash[],
    versions: readonly Version[],
    operations: readonly Operation[],
    committedAtMicros: readonly number[],
    rows: readonly (string | null)[],
    causes: readonly Cause[],
  ];
}

/** The envelopes were all captured at one time, to one schema. */
export function packEnvelopes(envelopes: readonly Envelope[]): EnvelopeColumns | null {
  const first = envelopes[0];
  if (first === undefined) return null;
  return {
    schemaVersion: first.schemaVersion,
    capturedAtMicros: first.capturedAtMicros,
    columns: [
      envelopes.map((one) => one.key),
      envelopes.map((one) => one.keyHash),
      envelopes.map((one) => one.version),
      envelopes.map((one) => one.operation),
      envelopes.map((one) => one.committedAtMicros),
      envelopes.map((one) => one.row),
      envelopes.map((one) => one.cause),
    ],
  };
}

export function unpackEnvelopes({ schemaVersion, capturedAtMicros, columns }: EnvelopeColumns): Envelope[] {
  const [keys, keyHashes, versions, operations, committedAt, rows, causes] = columns;
  const envelopes: Envelope[] = [];
  for (const [index, key] of keys.entries()) {
    const [keyHash, version, operation, cause] = [keyHashes[index], versions[index], operations[index], causes[index]];
    const committedAtMicros = committedAt[index];
    if (!keyHash || !version || !operation || !cause || committedAtMicros === undefined) {
      throw new GlasshouseError(
        'bug',
        `Columns of unequal length came from the thread that reads the files, at ${index}.`,
      );
    }
    const row = rows[index] ?? null;
    envelopes.push({
      key,
      keyHash,
      version,
      operation,
      committedAtMicros,
      capturedAtMicros,
      schemaVersion,
      row,
      cause,
    });
  }
  return envelopes;
}

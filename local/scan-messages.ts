import type { ErrorCode } from '../core/errors.ts';
import type { PackedChanges } from '../core/packed-changes.ts';
import type { KeyAttributes } from '../core/schema.ts';
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
  | { readonly kind: 'batch'; readonly changes: PackedChanges | null; readonly deliveries: readonly Delivered[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

import type { RedriveCounts } from '../core/redrive-page.ts';
import type { RedriveParts, RedriveShelf, RedriveTable } from './redrive-ports.ts';

/** What a page of redrive has open. */
export interface Redriving {
  readonly parts: RedriveParts;
  /** A table by the mirror's name for it; null where there is none, or it has no schema yet. */
  table(name: string): Promise<RedriveTable | null>;
  /** The same by the DynamoDB table. */
  tableOfSource(sourceTable: string): Promise<{ readonly name: string; readonly table: RedriveTable } | null>;
  /** Tells, once, why something was left. */
  note(text: string): void;
}

/** What is done with one object: what was found in it, and went through. */
export type RedriveObject = (redriving: Redriving, shelf: RedriveShelf, key: string) => Promise<Partial<RedriveCounts>>;

/** The table's name in a key: `quarantine/orders/…`. */
export function tableInKey(key: string, prefix: string): string {
  return key.slice(prefix.length).split('/')[0] ?? '';
}

/** What is told of an object whose table the mirror does not have. */
export function unknownTable(key: string, name: string): string {
  return `${key}: the mirror has no table ${name || '(unnamed)'}, or nothing of it was captured yet. The object stays.`;
}

/** An object as text; null where it is gone, as after another redrive. */
export async function readText(shelf: RedriveShelf, key: string): Promise<string | null> {
  const bytes = await shelf.read(key);
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

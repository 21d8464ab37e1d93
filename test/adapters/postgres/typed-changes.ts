import { createHash } from 'node:crypto';
import type { KeyHash } from '../../../core/change.ts';
import type { Cell, ColumnType } from '../../../core/column.ts';
import type { TableSchema } from '../../../core/schema.ts';
import { initialSchema } from '../../../core/schema.ts';
import type { Epoch } from '../../../core/version.ts';
import { streamVersion } from '../../../core/version.ts';
import type { Target, TargetRow, TypedChange } from '../../../flows/ports.ts';

export const EPOCH = '20261122000000000' as Epoch;
export const COMMITTED_AT_MICROS = 1_795_377_600_123_456;

/** A schema whose key is the string `id`, with these columns after it. */
export function schemaOf(columns: Readonly<Record<string, ColumnType>>): TableSchema {
  return initialSchema([{ attribute: 'id', type: 'S' }], columns);
}

/** The change of key `id` at position `position` of the stream; without cells a delete. The key's cell is put before them. */
export function changeOf(
  id: string,
  position: number,
  cells: readonly Cell[] | null,
  rescued: string | null = null,
): TypedChange {
  const key = JSON.stringify([id]);
  return {
    change: {
      key,
      keyHash: createHash('sha256').update(key).digest('hex').slice(0, 32) as KeyHash,
      version: streamVersion(EPOCH, String(position)),
      operation: cells === null ? 'delete' : 'update',
      committedAtMicros: COMMITTED_AT_MICROS,
      schemaVersion: 1,
      row: cells === null ? null : '{}',
      cause: 'user',
    },
    row: cells === null ? null : { cells: [id, ...cells], rescued },
  };
}

/** Every current row of a target, in the order of the keys' hashes. */
export async function rowsOf(target: Target, schema: TableSchema): Promise<TargetRow[]> {
  const all: TargetRow[] = [];
  for await (const piece of target.rows(schema)) all.push(...piece);
  return all.sort((a, b) => (a.keyHash < b.keyHash ? -1 : 1));
}

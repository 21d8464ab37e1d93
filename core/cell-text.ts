import type { Cell, ColumnType } from './column.ts';
import { dayText, instantText } from './instant.ts';
import { unscaledText } from './number.ts';
import { canonicalJson } from './row.ts';

/** A cell as exact text for people and for comparing; null where there is none. JSON is made canonical, since an engine may store it in its own order. */
export function cellText(cell: Cell, type: ColumnType): string | null {
  if (cell === null) return null;
  switch (type.kind) {
    case 'decimal':
      return typeof cell === 'bigint' ? unscaledText(cell, type.scale) : String(cell);
    case 'timestamp':
      return typeof cell === 'bigint' ? instantText(cell) : String(cell);
    case 'date':
      return typeof cell === 'number' ? dayText(cell) : String(cell);
    case 'binary':
      return cell instanceof Uint8Array ? Buffer.from(cell).toString('base64') : String(cell);
    case 'json':
      return canonicalJson(JSON.parse(String(cell)));
    case 'string':
    case 'boolean':
    case 'long':
    case 'double':
      return String(cell);
  }
}

import { expect, it } from 'vitest';
import { cellText } from '../../core/cell-text.ts';
import type { Cell, ColumnType } from '../../core/column.ts';

it.each<[ColumnType, Cell, string | null]>([
  [{ kind: 'string' }, 'a"b\n', 'a"b\n'],
  [{ kind: 'string' }, '', ''],
  [{ kind: 'string' }, null, null],
  [{ kind: 'boolean' }, false, 'false'],
  [{ kind: 'long' }, -9_223_372_036_854_775_808n, '-9223372036854775808'],
  [{ kind: 'double' }, 0.1, '0.1'],
  [{ kind: 'double' }, 1e100, '1e+100'],
  [{ kind: 'decimal', precision: 38, scale: 9 }, 12_500_000_000n, '12.5'],
  [{ kind: 'decimal', precision: 38, scale: 9 }, -1n, '-0.000000001'],
  [{ kind: 'decimal', precision: 38, scale: 0 }, 0n, '0'],
  [{ kind: 'timestamp' }, -1n, '1969-12-31 23:59:59.999999'],
  [{ kind: 'date' }, 0, '1970-01-01'],
  [{ kind: 'date' }, -719_162, '0001-01-01'],
  [{ kind: 'binary' }, new Uint8Array([0, 255]), 'AP8='],
  [{ kind: 'binary' }, new Uint8Array(), ''],
  [{ kind: 'json' }, '{"b": [1, 0.0000001], "a": null}', '{"a":null,"b":[1,0.0000001]}'],
  [{ kind: 'json' }, '"12345678901234567890"', '"12345678901234567890"'],
])('%o: %o is %o', (type, cell, text) => {
  expect(cellText(cell, type)).toBe(text);
});

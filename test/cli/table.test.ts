import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paintFor } from '../../cli/colour.ts';
import { tableLines } from '../../cli/table.ts';
import { printable, widthOf } from '../../cli/text-width.ts';

const plain = { paint: paintFor(false, {}), maxWidth: null };

describe('tableLines', () => {
  it('aligns columns, numbers to the right', () => {
    const lines = tableLines(
      ['name', 'total'],
      [
        ['Zoë', '9.50'],
        ['李小龍', '1,234'],
        [null, null],
      ],
      plain,
    );
    expect(lines).toEqual(['name    total', 'Zoë      9.50', '李小龍  1,234', 'null     null']);
  });

  it('leaves a column of mixed values to the left', () => {
    expect(
      tableLines(
        ['v', 'w'],
        [
          ['1', 'x'],
          ['a', 'y'],
        ],
        plain,
      ),
    ).toEqual(['v  w', '1  x', 'a  y']);
  });

  it('shows an empty table by its head', () => {
    expect(tableLines(['a', 'b'], [], plain)).toEqual(['a  b']);
  });

  it('cuts the widest columns first, where there is a width', () => {
    const lines = tableLines(['id', 'text'], [['1', 'x'.repeat(50)]], { ...plain, maxWidth: 20 });
    expect(lines[1]).toBe(` 1  ${'x'.repeat(15)}…`);
  });

  it('lets no value steer the terminal', () => {
    expect(printable('a\u001b[31m\nb\t\u0000\u202e')).toBe('a\\u001b[31m\\nb\\t\\u0000\\u202e');
  });

  it('keeps to the width, whatever the values', () => {
    const value = fc.option(fc.string({ unit: 'grapheme', maxLength: 60 }));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, value, value), { maxLength: 5 }),
        fc.integer({ min: 30, max: 120 }),
        (rows, maxWidth) => {
          for (const line of tableLines(['first', 'second', 'third'], rows, { ...plain, maxWidth })) {
            expect(widthOf(line)).toBeLessThanOrEqual(maxWidth);
          }
        },
      ),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { paintFor } from '../../cli/colour.ts';
import { bytesText, countOf, countText, durationText, rateText } from '../../cli/format.ts';

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
    [41210.4, '41,210'],
  ])('counts %d', (count, text) => {
    expect(countText(count)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [12_345_678, '12.3 MB'],
    [5e15, '5000.0 TB'],
  ])('writes %d bytes', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    [0.4, '0 ms'],
    [450, '450 ms'],
    [999.6, '1.0 s'],
    [1234, '1.2 s'],
    [59_949, '59.9 s'],
    [59_999, '1 min 0 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
  ])('writes %d milliseconds', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('knows one from many, and rates', () => {
    expect([countOf(1, 'row'), countOf(2, 'row'), countOf(3, 'entry', 'entries')]).toEqual([
      '1 row',
      '2 rows',
      '3 entries',
    ]);
    expect(rateText(41_210)).toBe('41,210/s');
  });
});

describe('paintFor', () => {
  it('colours on terminals only, and not where that is refused', () => {
    expect(paintFor(true, {})('red', 'x')).toBe('\u001b[31mx\u001b[39m');
    expect(paintFor(false, {})('red', 'x')).toBe('x');
    expect(paintFor(true, { NO_COLOR: '1' })('red', 'x')).toBe('x');
    expect(paintFor(true, { NO_COLOR: '' })('red', 'x')).not.toBe('x');
    expect(paintFor(true, { TERM: 'dumb' })('red', 'x')).toBe('x');
  });
});

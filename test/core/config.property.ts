import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../core/config/nearest.ts';
import { validateMirror } from '../../core/config.ts';
import { GlasshouseError } from '../../core/errors.ts';

const word = fc.constantFrom(
  'name',
  'source',
  'tables',
  'targets',
  'orders',
  'from',
  'key',
  'columns',
  'lakehouse',
  'warehouse',
  'url',
  '__proto__',
  '',
);
const leaf = fc.oneof(
  word,
  fc.boolean(),
  fc.integer(),
  fc.constant(null),
  fc.constant(undefined),
  fc.constant('decimal(38,2)'),
);
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('anything'), { maxLength: 3 }),
    fc.dictionary(word, tie('anything'), { maxKeys: 4 }),
  ),
}));

describe('validateMirror', () => {
  it('answers anything with a mirror or with a list of mistakes that have a path', () => {
    fc.assert(
      fc.property(anything, (raw) => {
        try {
          expect(validateMirror(raw).tables.length).toBeGreaterThan(0);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(GlasshouseError);
          const [title = '', ...mistakes] = (thrown as GlasshouseError).message.split('\n');
          expect(title).toMatch(/^The configuration has (a mistake|\d+ mistakes):$/);
          expect(mistakes.length).toBeGreaterThan(0);
          for (const mistake of mistakes) expect(mistake).toMatch(/^ {2}\S.*: \S/);
        }
      }),
    );
  });
});

describe('nearest', () => {
  it('finds a word with one letter wrong', () => {
    const words = ['columns', 'maxColumns', 'lakehouse', 'warehouse', 'freshness'];
    fc.assert(
      fc.property(fc.constantFrom(...words), fc.nat(), (meant, chance) => {
        const index = chance % meant.length;
        expect(nearest(meant.slice(0, index) + meant.slice(index + 1), words)).toBe(meant);
        expect(nearest(`${meant.slice(0, index)}x${meant.slice(index)}`, words)).toBe(meant);
      }),
    );
  });

  it('guesses nothing from what is far from all', () => {
    expect(nearest('zzzzzz', ['columns', 'from'])).toBeNull();
    expect(nearest('', ['key'])).toBeNull();
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordFault } from '../../core/dynamodb/fault.ts';
import type { KeyAttribute } from '../../core/key.ts';
import { keyHashOf, keyJson } from '../../core/key.ts';
import { anyNumber, anyText } from '../support/dynamodb.ts';

const S: KeyAttribute = { attribute: 'id', type: 'S' };
const N: KeyAttribute = { attribute: 'at', type: 'N' };
const B: KeyAttribute = { attribute: 'raw', type: 'B' };

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof RecordFault) return `${thrown.kind}: ${thrown.message}`;
    throw thrown;
  }
  return 'none';
}

describe('the canonical key', () => {
  it('is a JSON array of the values in key order, whatever their order in the record', () => {
    expect(keyJson({ at: { N: '042.0' }, id: { S: 'c#17' } }, [S, N])).toBe('["c#17",42]');
    expect(keyJson({ id: { S: 'c#17' }, at: { N: '42' } }, [N, S])).toBe('[42,"c#17"]');
  });

  it('writes text as JSON does, numbers exactly, binary as base64', () => {
    expect(keyJson({ id: { S: 'a"\\\n\u2028😀' } }, [S])).toBe(JSON.stringify(['a"\\\n\u2028😀']));
    expect(keyJson({ at: { N: '12345678901234567890' } }, [N])).toBe('["12345678901234567890"]');
    expect(keyJson({ raw: { B: 'AP8=' } }, [B])).toBe('["AP8="]');
  });

  it.each([
    ['a key that is missing', { at: { N: '1' } }, /^no-keys: .*"id"/],
    ['a key that only an object’s prototype has', {}, /^no-keys: .*"constructor"/, 'constructor'],
    ['a key of another type', { id: { N: '1' } }, /^key-type: .*"id" has the type N, not S/],
    ['a key of no type', { id: { X: '1' } }, /^unknown-type/],
    ['a key that is no attribute value', { id: 'c#17' }, /^unknown-type/],
    ['half a surrogate pair', { id: { S: '\ud83d' } }, /^lone-surrogate/],
  ])('is refused for %s', (_, keys, fault, attribute = 'id') => {
    expect(faultOf(() => keyJson(keys, [{ attribute, type: 'S' }]))).toMatch(fault);
  });

  it('is refused for a number that is none, and for what is no base64', () => {
    expect(faultOf(() => keyJson({ at: { N: 'many' } }, [N]))).toMatch(/^bad-number: .*"many"/);
    expect(faultOf(() => keyJson({ raw: { B: 'no base64' } }, [B]))).toMatch(/^bad-binary/);
  });

  it('is one text for one number, and different for different keys', () => {
    fc.assert(
      fc.property(anyNumber, anyText, anyText, (number, a, b) => {
        const padded = /[.eE]/.test(number) ? number : `${number}.0`;
        expect(keyJson({ at: { N: padded } }, [N])).toBe(keyJson({ at: { N: number } }, [N]));
        const same = keyJson({ id: { S: a } }, [S]) === keyJson({ id: { S: b } }, [S]);
        expect(same).toBe(a === b);
      }),
    );
  });
});

it('the key’s hash is the first half of the SHA-256 of its UTF-8, in hex', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const key = JSON.stringify([text]);
      expect(keyHashOf(key)).toBe(createHash('sha256').update(Buffer.from(key)).digest('hex').slice(0, 32));
    }),
  );
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_NAME_BYTES, columnNameOf, uniqueName } from '../../core/column-name.ts';
import { anyText } from '../support/dynamodb.ts';

it.each([
  ['total', 'total'],
  ['orderId', 'order_id'],
  ['OrderID', 'order_id'],
  ['order-id', 'order_id'],
  ['ORDER ID', 'order_id'],
  ['HTTPServer', 'http_server'],
  ['v2Api', 'v2_api'],
  ['_private_', 'private'],
  ['__proto__', 'proto'],
  ['2fa', 'c_2fa'],
  ['größe', 'gr_e'],
  ['名前', 'column'],
  ['', 'column'],
  ['😀', 'column'],
])('%j becomes %s', (attribute, name) => {
  expect(columnNameOf(attribute)).toBe(name);
});

it('every name is one that every engine takes unquoted, is within its length, and is not one of ours', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ maxLength: 200 })), (attribute) => {
      expect(columnNameOf(attribute)).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(columnNameOf(attribute).length).toBeLessThanOrEqual(MAX_NAME_BYTES);
    }),
  );
});

it('long attributes that begin alike have different names', () => {
  const long = 'a'.repeat(100);
  expect(columnNameOf(`${long}x`)).not.toBe(columnNameOf(`${long}y`));
  expect(columnNameOf(`${long}x`)).toHaveLength(MAX_NAME_BYTES);
});

it('a name that is taken gets the first free suffix, within the length', () => {
  expect(uniqueName('a', new Set())).toBe('a');
  expect(uniqueName('a', new Set(['a']))).toBe('a_2');
  expect(uniqueName('a', new Set(['a', 'a_2', 'a_3']))).toBe('a_4');
  const longest = 'x'.repeat(MAX_NAME_BYTES);
  expect(uniqueName(longest, new Set([longest]))).toBe(`${'x'.repeat(MAX_NAME_BYTES - 2)}_2`);
});

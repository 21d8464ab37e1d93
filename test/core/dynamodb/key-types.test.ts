import { expect, it } from 'vitest';
import { inferKeyTypes } from '../../../core/dynamodb/key-types.ts';
import { streamRecord } from '../../support/dynamodb.ts';

function records(...keys: readonly unknown[]): unknown[] {
  return keys.map((one) => streamRecord({ keys: one as Readonly<Record<string, unknown>> }));
}

it('a key has the types that its records have, in the order that was asked for', () => {
  const all = records({ customer: { S: 'a' }, at: { N: '1' } });
  expect(inferKeyTypes(all, ['at', 'customer'])).toEqual([
    { attribute: 'at', type: 'N' },
    { attribute: 'customer', type: 'S' },
  ]);
  expect(inferKeyTypes(records({ raw: { B: 'AA==' } }), ['raw'])).toEqual([{ attribute: 'raw', type: 'B' }]);
});

it('the type that most records have wins over a few that are wrong, wherever they stand', () => {
  const right = { id: { N: '1' } };
  const wrong = { id: { S: 'x' } };
  expect(inferKeyTypes(records(wrong, right, right), ['id'])).toEqual([{ attribute: 'id', type: 'N' }]);
  expect(inferKeyTypes(records(right, right, wrong), ['id'])).toEqual([{ attribute: 'id', type: 'N' }]);
});

it('records that are none are passed over', () => {
  const noise = [null, 5, 'text', {}, { dynamodb: null }, { dynamodb: {} }, { dynamodb: { Keys: 'x' } }];
  expect(inferKeyTypes([...noise, ...records({ id: { S: 'x' } })], ['id'])).toEqual([{ attribute: 'id', type: 'S' }]);
});

it('a key of which an attribute has no key type is not known', () => {
  expect(inferKeyTypes([], ['id'])).toBeNull();
  expect(inferKeyTypes(records({ id: { S: 'x' } }), ['id', 'at'])).toBeNull();
  expect(inferKeyTypes(records({ id: { BOOL: true } }), ['id'])).toBeNull();
  expect(inferKeyTypes(records({ id: { S: 'x' } }), ['constructor'])).toBeNull();
});

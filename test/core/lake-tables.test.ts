import { describe, expect, it } from 'vitest';
import { ENVELOPE_FIELDS } from '../../core/envelope.ts';
import {
  CHANGELOG_DEFINITION,
  CHANGELOG_FIELDS,
  CHANGELOG_PARTITION,
  changelogName,
  icebergTypeOf,
  stateDefinition,
  stateFields,
} from '../../core/lake-tables.ts';
import { addColumns } from '../../core/schema.ts';
import { schemaOf } from '../support/dynamodb.ts';

describe('the changelog’s table', () => {
  it('has the envelope’s fields for ever: ids, names and types are pinned', () => {
    expect(changelogName('orders')).toBe('orders__changes');
    expect(
      CHANGELOG_FIELDS.map(({ id, name, type, required }) => `${id} ${name} ${type}${required ? '' : ' null'}`),
    ).toEqual([
      '1 _key string',
      '2 _key_hash string',
      '3 _version string',
      '4 _op string',
      '5 _committed_at timestamp',
      '6 _captured_at timestamp',
      '7 _schema int',
      '8 _row string null',
      '9 _cause string',
    ]);
    expect(CHANGELOG_FIELDS.map((field) => field.name)).toEqual(ENVELOPE_FIELDS.map((field) => field.name));
  });

  it('is partitioned by day and operation', () => {
    expect(CHANGELOG_PARTITION).toEqual([
      { sourceId: 6, transform: 'day', name: '_captured_at_day' },
      { sourceId: 4, transform: 'identity', name: '_op' },
    ]);
    expect(CHANGELOG_DEFINITION).toEqual({ fields: CHANGELOG_FIELDS, partition: CHANGELOG_PARTITION });
  });
});

describe('a state’s table', () => {
  const schema = schemaOf({
    tree: { kind: 'json' },
    amount: { kind: 'decimal', precision: 12, scale: 2 },
    when: { kind: 'timestamp' },
  });

  it('has the source’s columns, then ours, all with ids that stay', () => {
    expect(
      stateFields(schema).map(({ id, name, type, required }) => `${id} ${name} ${type}${required ? '' : ' null'}`),
    ).toEqual([
      '101 id string null',
      '102 tree string null',
      '103 amount decimal(12,2) null',
      '104 when timestamp null',
      '1 _key_hash string',
      '2 _version string',
      '3 _committed_at timestamp',
      '4 _rescued string null',
    ]);
    expect(
      stateFields(schema)
        .filter((field) => field.doc !== undefined)
        .map((field) => field.name),
    ).toEqual(['tree', '_rescued']);
    expect(stateDefinition(schema).identifierFieldIds).toEqual([1]);
  });

  it('keeps every id where a column is added', () => {
    const wider = addColumns(schema, [{ attribute: 'a', type: { kind: 'long' } }], { maxColumns: 9 });
    const before = new Map(stateFields(schema).map((field) => [field.name, field]));
    const added = stateFields(wider).filter((field) => !before.has(field.name));
    expect(added).toEqual([{ id: 105, name: 'a', type: 'long', required: false }]);
    for (const field of stateFields(wider)) if (before.has(field.name)) expect(field).toEqual(before.get(field.name));
  });
});

it('every kind of column has its Iceberg type', () => {
  const kinds = ['string', 'boolean', 'binary', 'json', 'long', 'double', 'timestamp', 'date'] as const;
  expect(kinds.map((kind) => icebergTypeOf({ kind }))).toEqual([
    'string',
    'boolean',
    'binary',
    'string',
    'long',
    'double',
    'timestamp',
    'date',
  ]);
  expect(icebergTypeOf({ kind: 'decimal', precision: 38, scale: 9 })).toBe('decimal(38,9)');
});

import { expect, it } from 'vitest';
import { openDuck, withConnection } from '../../../adapters/duckdb/connection.ts';
import type { ColumnType } from '../../../core/column.ts';
import type { NewFiles } from '../../../core/iceberg/new-files.ts';
import { duckdb } from '../../../core/sql/dialects/duckdb.ts';
import { liveView } from '../../../core/sql/lake-views.ts';
import { planMerge } from '../../../core/sql/plans/merge.ts';
import { changeOf } from '../../support/changes.ts';
import { schemaOf } from '../../support/dynamodb.ts';

/** By column: its type, a DynamoDB value, and the text that the state must have for it. */
const VALUES: Readonly<Record<string, readonly [ColumnType, unknown, string | null]>> = {
  word: [{ kind: 'string' }, { S: 'it\'s "null" \\u0000 \u001f é 😀' }, 'it\'s "null" \\u0000 \u001f é 😀'],
  empty: [{ kind: 'string' }, { S: '' }, ''],
  long_text: [{ kind: 'string' }, { N: '12345678901234567890' }, '12345678901234567890'],
  amount: [
    { kind: 'decimal', precision: 38, scale: 9 },
    { N: '12345678901234567890123456789.123456789' },
    '12345678901234567890123456789.123456789',
  ],
  small: [{ kind: 'decimal', precision: 38, scale: 9 }, { N: '-0.000000001' }, '-0.000000001'],
  cents: [{ kind: 'decimal', precision: 10, scale: 2 }, { N: '1.5' }, '1.50'],
  big: [{ kind: 'long' }, { N: '-9223372036854775808' }, '-9223372036854775808'],
  ratio: [{ kind: 'double' }, { N: '0.1' }, '0.1'],
  yes: [{ kind: 'boolean' }, { BOOL: true }, 'true'],
  no: [{ kind: 'boolean' }, { BOOL: false }, 'false'],
  bytes: [{ kind: 'binary' }, { B: 'AAEC/w==' }, '\\x00\\x01\\x02\\xFF'],
  list: [
    { kind: 'json' },
    { L: [{ N: '0.0001' }, { N: '1234567890123456789' }, { NULL: true }, { S: 'null' }] },
    '[0.0001,"1234567890123456789",null,"null"]',
  ],
  text: [{ kind: 'json' }, { S: 'null' }, '"null"'],
  nothing: [{ kind: 'json' }, { NULL: true }, null],
  at: [{ kind: 'timestamp' }, { S: '2026-11-22T19:50:03.123456Z' }, '2026-11-22 19:50:03.123456'],
  early: [{ kind: 'timestamp' }, { S: '0001-01-01T00:00:00Z' }, '0001-01-01 00:00:00'],
  day: [{ kind: 'date' }, { S: '2026-11-22' }, '2026-11-22'],
  absent: [{ kind: 'string' }, undefined, null],
  misfit: [{ kind: 'long' }, { S: 'x' }, null],
};

it('every type of column comes out of `_row` exactly, merged and live', async () => {
  const schema = schemaOf(Object.fromEntries(Object.entries(VALUES).map(([name, [type]]) => [name, type])));
  const image = Object.fromEntries(
    Object.entries(VALUES).flatMap(([name, [, value]]) => (value === undefined ? [] : [[name, value]])),
  );
  const change = changeOf({ id: 'a', at: 1, image }, schema);
  const types = schema.columns.map((column) => {
    const { type } = column;
    const names = {
      string: 'VARCHAR',
      json: 'VARCHAR',
      long: 'BIGINT',
      double: 'DOUBLE',
      boolean: 'BOOLEAN',
      binary: 'BLOB',
      timestamp: 'TIMESTAMP',
      date: 'DATE',
    } as const;
    return `"${column.name}" ${type.kind === 'decimal' ? `DECIMAL(${type.precision},${type.scale})` : names[type.kind]}`;
  });
  const duck = await openDuck({ threads: 1 });
  try {
    await withConnection(duck, async (connection) => {
      await connection.run(
        `CREATE TABLE orders (${types.join(', ')}, _key_hash VARCHAR, _version VARCHAR, _committed_at TIMESTAMP, _rescued VARCHAR)`,
      );
      await connection.run(
        `CREATE TABLE orders__changes AS SELECT '${change.keyHash}' AS _key_hash, '${change.version}' AS _version, 'insert' AS _op,
        TIMESTAMP '2026-11-22 10:00:00.123456' AS _committed_at, TIMESTAMP '2026-11-22 10:00:01' AS _captured_at, 1 AS _schema, $1 AS _row, 'f' AS _file`,
        [change.row],
      );
      const read = async (relation: string) => {
        const columns = schema.columns.map((column) => `"${column.name}"::VARCHAR`).join(', ');
        const [row] = (
          await connection.runAndReadAll(`SELECT ${columns}, _rescued, _committed_at::VARCHAR FROM ${relation}`)
        ).getRows();
        return row;
      };
      const expected = [
        'a',
        ...Object.values(VALUES).map(([, , text]) => text),
        '{"misfit":{"S":"x"}}',
        '2026-11-22 10:00:00.123456',
      ];
      const sources = { state: 'orders', changes: 'orders__changes', unmerged: 'orders__changes' };
      expect(await read(`(${liveView(schema, sources)})`)).toEqual(expected);
      const files: NewFiles = { upTo: { sequence: 1, snapshotId: '1' }, whole: 'first', files: [], records: 1 };
      for (const sql of planMerge({ database: 'main', table: 'orders' }, schema, files, { dialect: duckdb }))
        await connection.run(sql);
      expect(await read('orders')).toEqual(expected);
      expect(await read(`(${liveView(schema, sources)})`)).toEqual(expected);
    });
  } finally {
    duck.close();
  }
});

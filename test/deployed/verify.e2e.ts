import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { CreateTableCommand, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  DescribeStatementCommand,
  ExecuteStatementCommand,
  GetStatementResultCommand,
  RedshiftDataClient,
} from '@aws-sdk/client-redshift-data';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { createHash } from 'node:crypto';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlTable } from '../../adapters/aws/control-table.ts';
import { DynamoDbSchemaRegistry } from '../../adapters/aws/dynamodb-schema-registry.ts';
import type { Duck } from '../../adapters/duckdb/connection.ts';
import { openDuck, withConnection } from '../../adapters/duckdb/connection.ts';
import type { Deployment } from '../../core/contract.ts';
import { initialSchema } from '../../core/schema.ts';
import { verifyDeployed } from '../../deployed/verify.ts';
import type { Embedded } from '../local/dynamodb/embedded.ts';
import { startEmbedded } from '../local/dynamodb/embedded.ts';
import { changeOf } from '../support/changes.ts';
import { createDuckState, textRows } from '../support/duck-lake.ts';
import { DEPLOYMENT, mirrorWith, options } from './mirror-config.ts';

const athena = mockClient(AthenaClient);
const redshift = mockClient(RedshiftDataClient);
const ssm = mockClient(SSMClient);

const MIRROR = mirrorWith({ tables: { orders: { from: 'Orders' } } });
const SCHEMA = initialSchema([{ attribute: 'id', type: 'S' }], {
  total: { kind: 'decimal', precision: 38, scale: 2 },
  note: { kind: 'string' },
  tree: { kind: 'json' },
});
const PLACE = { database: 'shop', table: 'orders' };

/** What the source has, as its writer and as a stream record would say it. */
const ITEMS: Readonly<Record<string, Record<string, AttributeValue>>> = {
  a: { total: { N: '9.5' }, note: { S: 'one' } },
  b: { note: { S: 'x'.repeat(390_000) } },
  c: { tree: { M: { z: { N: '1' }, a: { S: 'deep' } } }, total: { S: 'no number' } },
};

let source: Embedded;
let duck: Duck;
beforeAll(async () => {
  [source, duck] = await Promise.all([startEmbedded({ port: 0 }), openDuck()]);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', source.server.endpoint);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'any');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'any');
  await createTable('Orders', ['id']);
  await createTable('control', ['pk', 'sk']);
  await new DynamoDbSchemaRegistry(source.db, 'control').save('orders', SCHEMA);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  duck.close();
  await source.close();
});

async function createTable(name: string, key: readonly string[]): Promise<void> {
  await source.db.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: key.map((attribute) => ({ AttributeName: attribute, AttributeType: 'S' })),
      KeySchema: key.map((attribute, index) => ({ AttributeName: attribute, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    }),
  );
}

async function put(id: string): Promise<void> {
  await source.db.send(new PutItemCommand({ TableName: 'Orders', Item: { id: { S: id }, ...ITEMS[id] } }));
}

function deployedAs(change: Partial<Deployment>): void {
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: JSON.stringify({ ...DEPLOYMENT, ...change }) } });
}

/** The lake's table holds these items; `change` is what one of them differs in. */
async function lakeHolds(ids: readonly string[], change: Readonly<Record<string, object>> = {}): Promise<void> {
  const changes = ids.map((id) => changeOf({ id, at: 1, image: { ...ITEMS[id], ...change[id] } }, SCHEMA));
  await withConnection(duck, (connection) => createDuckState(connection, PLACE, changes, SCHEMA));
}

/** Athena, whose queries DuckDB answers. `onQuery` hears of each of them. */
function answerByDuck(onQuery: (sql: string) => Promise<void> = () => Promise.resolve()): void {
  const asked: string[] = [];
  athena.on(StartQueryExecutionCommand).callsFake(({ QueryString }: { QueryString: string }) => ({
    QueryExecutionId: String(asked.push(QueryString) - 1),
  }));
  athena.on(GetQueryExecutionCommand).resolves({ QueryExecution: { Status: { State: 'SUCCEEDED' } } });
  athena.on(GetQueryResultsCommand).callsFake(async ({ QueryExecutionId }: { QueryExecutionId: string }) => {
    const sql = asked[Number(QueryExecutionId)] ?? '';
    await onQuery(sql);
    const rows = await withConnection(duck, (connection) => textRows(connection, sql));
    const width = rows[0]?.length ?? 1;
    const columns = Array.from({ length: width }, (_, index) => ({ Name: `c${index}`, Type: 'varchar' }));
    return {
      ResultSet: {
        ResultSetMetadata: { ColumnInfo: columns },
        Rows: rows.map((row) => ({ Data: row.map((value) => (value === null ? {} : { VarCharValue: value })) })),
      },
    };
  });
}

beforeEach(async () => {
  [athena, redshift, ssm].forEach((mock) => mock.reset());
  deployedAs({ warehouse: null });
  answerByDuck();
  for (const id of Object.keys(ITEMS)) await put(id);
  // The target is up to date whenever it is asked.
  const control = new ControlTable(source.db, 'control');
  const before = await control.readProgress('orders', 'lakehouse');
  const fresh = {
    sequence: 1,
    snapshotId: '1',
    newestCommittedAtMicros: null,
    freshAtMillis: Date.now() + 3_600_000,
    changes: 3,
  };
  await control.writeProgress('orders', 'lakehouse', fresh, before);
  await control.writeProgress('orders', 'warehouse', fresh, await control.readProgress('orders', 'warehouse'));
});

describe('verifyDeployed', () => {
  it('finds a lake equal to its source: types, what was rescued, large values', async () => {
    await lakeHolds(['a', 'b', 'c']);
    expect(await verifyDeployed(MIRROR, options())).toMatchObject({
      equal: true,
      comparedAgain: 0,
      differences: [],
      tables: [{ table: 'orders', sourceRows: 3, targets: { lakehouse: { rows: 3, differences: 0 } } }],
    });
  });

  it('names what differs, is missing, or is not in the source', async () => {
    await lakeHolds(['a', 'b', 'd'], { a: { total: { N: '9.51' } }, d: { note: { S: 'gone' } } });
    const report = await verifyDeployed(MIRROR, options());
    expect(report).toMatchObject({ equal: false, comparedAgain: 3 });
    expect(report.differences.toSorted((one, other) => one.key.localeCompare(other.key))).toEqual([
      {
        table: 'orders',
        target: 'lakehouse',
        kind: 'different',
        key: '["a"]',
        columns: [{ column: 'total', source: '9.5', target: '9.51' }],
      },
      { table: 'orders', target: 'lakehouse', kind: 'missing', key: '["c"]', columns: [] },
      { table: 'orders', target: 'lakehouse', kind: 'extra', key: '["d"]', columns: [] },
    ]);
  });

  it('forgives what had not arrived yet, once it has', async () => {
    await lakeHolds(['a', 'b']);
    answerByDuck(async (sql) => {
      if (sql.includes('WHERE "_key_hash" IN')) await lakeHolds(['a', 'b', 'c']);
    });
    const asked = options();
    expect(await verifyDeployed(MIRROR, asked)).toMatchObject({ equal: true, comparedAgain: 1 });
    expect(asked.logged.join()).toContain('waiting for it to catch up');
  });

  it('reads the source again too: an item that is gone by then must be gone from the target', async () => {
    await lakeHolds(['a', 'b', 'c'], { c: { note: { S: 'old' } } });
    answerByDuck(async (sql) => {
      if (!sql.includes('FROM "shop"."orders"')) return;
      await source.db.send(new DeleteItemCommand({ TableName: 'Orders', Key: { id: { S: 'c' } } }));
    });
    expect(await verifyDeployed(MIRROR, options())).toMatchObject({
      equal: false,
      differences: [{ kind: 'extra', key: '["c"]' }],
    });
  });

  it('compares the warehouse by the text of its values, long ones by their hash', async () => {
    deployedAs({ lakehouse: null });
    redshift
      .on(ExecuteStatementCommand)
      .callsFake(({ Sql }: { Sql: string }) => ({ Id: Sql.includes('svv_columns') ? 'columns' : 'rows' }));
    redshift.on(DescribeStatementCommand).resolves({ Status: 'FINISHED' });
    redshift
      .on(GetStatementResultCommand, { Id: 'columns' })
      .resolves(answer(SCHEMA.columns.map((column) => [column.name])));
    redshift.on(GetStatementResultCommand, { Id: 'rows' }).resolves(answer(warehouseTexts()));
    expect(await verifyDeployed(MIRROR, options())).toMatchObject({
      equal: true,
      tables: [{ targets: { warehouse: { rows: 3, differences: 0 } } }],
    });
    const sql = redshift.commandCalls(ExecuteStatementCommand).at(-1)?.args[0].input.Sql;
    expect(sql).toContain('FROM "shop_base"."orders"\nWHERE NOT "_deleted"');
  });

  it('does not call equal what was never captured', async () => {
    const mirror = mirrorWith({ tables: { unknown: { from: 'Orders' } } });
    expect(await verifyDeployed(mirror, options())).toMatchObject({
      equal: false,
      tables: [{ table: 'unknown', targets: {} }],
    });
  });
});

/** The rows as Redshift would give them: of `b` only what the shaping for Redshift says of the text that it cannot hold. */
function warehouseTexts(): (string | null)[][] {
  const hashes = ['a', 'b', 'c'].map((id) => changeOf({ id, at: 1, image: ITEMS[id] ?? {} }, SCHEMA).keyHash);
  const text = 'x'.repeat(390_000);
  const fingerprint = JSON.stringify({ bytes: 390_000, sha256: createHash('sha256').update(text).digest('hex') });
  const [a = '', b = '', c = ''] = hashes;
  return [
    [a, 'v', null, 'a', '9.50', 'one', null],
    [b, 'v', `{"note":${fingerprint}}`, 'b', null, null, null],
    [c, 'v', '{"total":{"S":"no number"}}', 'c', null, null, '{"z":1,"a":"deep"}'],
  ];
}

function answer(rows: readonly (readonly (string | null)[])[]) {
  return {
    Records: rows.map((row) =>
      row.map((value) => (value === null ? { isNull: true as const } : { stringValue: value })),
    ),
  };
}

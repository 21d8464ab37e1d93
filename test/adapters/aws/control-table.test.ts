import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ControlTable } from '../../../adapters/aws/control-table.ts';
import { DynamoDbSchemaRegistry } from '../../../adapters/aws/dynamodb-schema-registry.ts';
import { addColumns } from '../../../core/schema.ts';
import { controlStoreContract } from '../../support/contracts/control-store.ts';
import { schemaRegistryContract } from '../../support/contracts/schema-registry.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { type Embedded, startEmbedded } from '../../local/dynamodb/embedded.ts';

let embedded: Embedded;
/** Every store that is opened has items of its own in one table: a prefix takes the place of a table a test. */
let opened = 0;
const TABLES = 40;

beforeAll(async () => {
  embedded = await startEmbedded();
  for (let table = 0; table < TABLES; table++) await createControlTable(`control-${table}`);
});
afterAll(() => embedded.close());

async function createControlTable(name: string): Promise<void> {
  await embedded.db.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
}

function nextTable(): string {
  expect(opened).toBeLessThan(TABLES);
  return `control-${opened++}`;
}

controlStoreContract('a DynamoDB table', () => new ControlTable(embedded.db, nextTable()));
schemaRegistryContract('a DynamoDB table', () => new DynamoDbSchemaRegistry(embedded.db, nextTable()));

describe('the registry in a DynamoDB table', () => {
  it('reads the newest version alone', async () => {
    const registry = new DynamoDbSchemaRegistry(embedded.db, nextTable());
    expect(await registry.newest('orders')).toBeNull();
    const first = schemaOf();
    const second = addColumns(first, [{ attribute: 'a', type: { kind: 'json' } }], { maxColumns: 10 });
    await registry.save('orders', first);
    await registry.save('orders', second);
    expect(await registry.newest('orders')).toEqual(second);
  });

  it('reads every page of the versions', async () => {
    const registry = new DynamoDbSchemaRegistry(embedded.db, nextTable());
    // Each version has some 150 KB, and a page of DynamoDB's at most 1 MB.
    let schema = schemaOf();
    await registry.save('orders', schema);
    for (let version = 2; version <= 12; version++) {
      const wanted = [{ attribute: `${version}${'n'.repeat(150_000)}`, type: { kind: 'json' as const } }];
      schema = addColumns({ ...schema, columns: schema.columns.slice(0, 1) }, wanted, { maxColumns: 10 });
      await registry.save('orders', schema);
    }
    const versions = (await registry.load('orders')).map((one) => one.version);
    expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
});

describe('trouble with the control table', () => {
  it.each([
    ['ProvisionedThroughputExceededException', /Could not read the lease load: .*try again later/],
    ['ResourceNotFoundException', /Could not read the lease load: .*Check the name, the region/],
    ['AccessDeniedException', /Could not read the lease load: .*Check the credentials/],
  ])('%s is explained', async (name, message) => {
    const mock = mockClient(DynamoDBClient);
    mock.on(GetItemCommand).rejects(Object.assign(new Error('no'), { name }));
    const store = new ControlTable(new DynamoDBClient({ region: 'us-east-1' }), 'control');
    await expect(store.readLease('load')).rejects.toThrow(message);
    mock.restore();
  });

  it('a failed write is thrown, not taken for a lease that another has', async () => {
    const mock = mockClient(DynamoDBClient);
    mock.on(PutItemCommand).rejects(Object.assign(new Error('no'), { name: 'InternalServerError' }));
    const store = new ControlTable(new DynamoDBClient({ region: 'us-east-1' }), 'control');
    await expect(store.takeLease('load', 'a', 1, 2)).rejects.toMatchObject({ code: 'unavailable' });
    mock.restore();
  });

  it('an item that somebody damaged is named', async () => {
    const mock = mockClient(DynamoDBClient);
    mock.on(GetItemCommand).resolves({ Item: { pk: { S: 'load' }, sk: { S: 'in-flight' }, body: { S: '{"load":' } } });
    const store = new ControlTable(new DynamoDBClient({ region: 'us-east-1' }), 'control');
    await expect(store.readLoadInFlight()).rejects.toThrow('The item load / in-flight of the control table control');
    mock.restore();
  });
});

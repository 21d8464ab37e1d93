import { describe, expect, it } from 'vitest';
import { createMemorySchemaRegistry } from '../../adapters/memory/schema-registry.ts';
import type { RegistrarProperties } from '../../core/contract.ts';
import type { KeyAttributes, TableSchema } from '../../core/schema.ts';
import { addColumns } from '../../core/schema.ts';
import type { SchemaRegistry } from '../../flows/ports.ts';
import { registrarProperties } from '../../flows/register-request.ts';
import type { LakeParts } from '../../flows/register-table.ts';
import { registerTable } from '../../flows/register-table.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { FaultyRegistry } from '../support/faulty-ports.ts';

const ARN = 'arn:aws:dynamodb:eu-central-1:123456789012:table/orders';
const KEY: KeyAttributes = [{ attribute: 'id', type: 'S' }];

const asked = (more: Partial<RegistrarProperties> = {}): RegistrarProperties => ({
  part: 'schema',
  table: 'orders',
  sourceArn: ARN,
  key: JSON.stringify(KEY),
  columns: '',
  maxColumns: '500',
  ...more,
});

const declaring = (columns: Readonly<Record<string, string>>) => asked({ columns: JSON.stringify(columns) });

function parts(registry: SchemaRegistry, lake: LakeParts | null = null) {
  const askedFor: string[] = [];
  const source = {
    keyOf: (sourceArn: string) => {
      askedFor.push(sourceArn);
      return Promise.resolve<KeyAttributes>([...KEY, { attribute: 'at', type: 'N' }]);
    },
  };
  return { registry, source, lake, askedFor };
}

/** A lake that writes down what is done to it, in order. */
function recordingLake(fails?: { readonly at: string }) {
  const done: string[] = [];
  const note = (what: string): Promise<void> => {
    done.push(what);
    return what === fails?.at ? Promise.reject(new Error(`${what} failed`)) : Promise.resolve();
  };
  const lake: LakeParts = {
    catalog: {
      ensure: (table, schema) => note(`ensure ${table} ${schema.version}`),
      evolveState: () => Promise.resolve('unchanged'),
      stateColumns: () => Promise.resolve(null),
    },
    upkeep: { keepUp: (table) => note(`keep up ${table}`) },
    statements: { run: (sql) => note(sql) },
    viewStatements: (table, schema) => [`view ${table} ${schema.version}`, `other view ${table}`],
  };
  return { lake, done };
}

const shape = (schema: TableSchema | undefined) =>
  schema?.columns.map(({ id, attribute, type, declared }) => [id, attribute, type.kind, declared === true]);

describe('registering a schema', () => {
  it('registers the key and the declared columns of a new table', async () => {
    const registry = createMemorySchemaRegistry();
    const schema = await registerTable(declaring({ total: 'decimal(12,2)', placedAt: 'timestamp' }), parts(registry));
    expect(shape(schema)).toEqual([
      [101, 'id', 'string', false],
      [102, 'total', 'decimal', true],
      [103, 'placedAt', 'timestamp', true],
    ]);
    expect(await registry.load('orders')).toEqual([schema]);
  });

  it('asks the source for a key that the configuration does not give', async () => {
    const given = parts(createMemorySchemaRegistry());
    const schema = await registerTable(asked({ key: '' }), given);
    expect(given.askedFor).toEqual([ARN]);
    expect(schema.columns.map(({ attribute, keyType }) => [attribute, keyType])).toEqual([
      ['id', 'S'],
      ['at', 'N'],
    ]);
  });

  it('changes nothing when it is asked the same again, also after columns were inferred', async () => {
    const registry = createMemorySchemaRegistry();
    const first = await registerTable(declaring({ total: 'long' }), parts(registry));
    const inferred = addColumns(first, [{ attribute: 'note', type: { kind: 'string' } }], { maxColumns: 500 });
    await registry.save('orders', inferred);
    expect(await registerTable(declaring({ total: 'long' }), parts(registry))).toEqual(inferred);
    expect(await registry.load('orders')).toHaveLength(2);
  });

  it('adds columns that a later deployment declares, with their types', async () => {
    const registry = createMemorySchemaRegistry();
    await registerTable(declaring({ total: 'long' }), parts(registry));
    const schema = await registerTable(declaring({ total: 'long', paidAt: 'date' }), parts(registry));
    expect(schema.version).toBe(2);
    expect(shape(schema)?.at(-1)).toEqual([103, 'paidAt', 'date', true]);
  });

  it('takes a declaration that says what was inferred', async () => {
    const registry = createMemorySchemaRegistry();
    const first = await registerTable(asked(), parts(registry));
    await registry.save(
      'orders',
      addColumns(first, [{ attribute: 'note', type: { kind: 'json' } }], { maxColumns: 9 }),
    );
    expect((await registerTable(declaring({ note: 'json' }), parts(registry))).version).toBe(2);
  });

  it('refuses a declared type that differs from the registered one, and names every such column', async () => {
    const registry = createMemorySchemaRegistry();
    await registerTable(declaring({ total: 'long', at: 'timestamp' }), parts(registry));
    const again = registerTable(declaring({ total: 'decimal(12,2)', at: 'date', more: 'json' }), parts(registry));
    await expect(again).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(
        /columns total is long and declared decimal\(12,2\); at is timestamp and declared date\..*another name/,
      ) as string,
    });
    expect(await registry.load('orders')).toHaveLength(1);
  });

  it('refuses another key', async () => {
    const registry = createMemorySchemaRegistry();
    await registerTable(asked(), parts(registry));
    const key = JSON.stringify([{ attribute: 'id', type: 'N' }]);
    await expect(registerTable(asked({ key }), parts(registry))).rejects.toThrow(
      /key of the table orders is id \(N\), but it was registered with id \(S\)/,
    );
  });

  it('refuses a declared column that there is no room for, rather than leave it out', async () => {
    const registry = createMemorySchemaRegistry();
    await registerTable(asked(), parts(registry));
    const columns = JSON.stringify({ a: 'long', b: 'long' });
    await expect(registerTable(asked({ columns, maxColumns: '2' }), parts(registry))).rejects.toThrow(
      /maxColumns is 2: no room is left for the declared b\. Raise maxColumns/,
    );
  });

  it('gets there though its saves meet conflicts', async () => {
    const registry = new FaultyRegistry(createMemorySchemaRegistry(), ['conflict', 'conflict']);
    const schema = await registerTable(declaring({ total: 'long' }), parts(registry));
    expect(await registry.load('orders')).toEqual([schema]);
  });

  it('gives up where every save meets a conflict', async () => {
    const registry = new FaultyRegistry(
      createMemorySchemaRegistry(),
      Array.from({ length: 30 }, () => 'conflict' as const),
    );
    await expect(registerTable(asked(), parts(registry))).rejects.toMatchObject({ code: 'conflict' });
  });

  it('adds to what a capture registers at the same time', async () => {
    const inner = createMemorySchemaRegistry();
    const first = await registerTable(asked(), parts(inner));
    let others = 1;
    const registry: SchemaRegistry = {
      load: (table) => inner.load(table),
      async save(table, schema) {
        if (others-- > 0)
          await inner.save(
            table,
            addColumns(first, [{ attribute: 'seen', type: { kind: 'string' } }], { maxColumns: 9 }),
          );
        await inner.save(table, schema);
      },
    };
    const schema = await registerTable(declaring({ total: 'long' }), parts(registry));
    expect(shape(schema)).toEqual([
      [101, 'id', 'string', false],
      [102, 'seen', 'string', false],
      [103, 'total', 'long', true],
    ]);
  });

  it('passes on that the registry is away', async () => {
    const registry = new FaultyRegistry(createMemorySchemaRegistry(), ['refuse']);
    await expect(registerTable(asked(), parts(registry))).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('registering a lake', () => {
  it('makes the tables, then their upkeep, then the views, of the newest schema', async () => {
    const registry = createMemorySchemaRegistry();
    const first = schemaOf();
    await registry.save('orders', first);
    await registry.save('orders', addColumns(first, [{ attribute: 'a', type: { kind: 'json' } }], { maxColumns: 9 }));
    const { lake, done } = recordingLake();
    const schema = await registerTable(asked({ part: 'lake' }), parts(registry, lake));
    expect(schema.version).toBe(2);
    expect(done).toEqual(['ensure orders 2', 'keep up orders', 'view orders 2', 'other view orders']);
  });

  it.each(['ensure orders 1', 'keep up orders', 'view orders 1'])('stops where %s fails', async (at) => {
    const registry = createMemorySchemaRegistry();
    await registry.save('orders', schemaOf());
    const { lake, done } = recordingLake({ at });
    await expect(registerTable(asked({ part: 'lake' }), parts(registry, lake))).rejects.toThrow(`${at} failed`);
    expect(done.at(-1)).toBe(at);
  });

  it('says that the schema must be there first', async () => {
    const { lake, done } = recordingLake();
    await expect(registerTable(asked({ part: 'lake' }), parts(createMemorySchemaRegistry(), lake))).rejects.toThrow(
      /orders has no schema yet.*cdk deploy --all/,
    );
    expect(done).toEqual([]);
  });

  it('says that there is no lakehouse', async () => {
    await expect(registerTable(asked({ part: 'lake' }), parts(createMemorySchemaRegistry()))).rejects.toThrow(
      /deployed without a lakehouse/,
    );
  });
});

describe('the properties of the custom resource', () => {
  it.each<[string, Partial<Record<keyof RegistrarProperties, unknown>>, RegExp]>([
    ['a part that is none', { part: 'roof' }, /property part .* is "roof", and should be `schema` or `lake`/],
    ['no table', { table: undefined }, /property table .* is missing/],
    ['an empty table', { table: '' }, /property table .* is ""/],
    ['a number', { maxColumns: 500 }, /property maxColumns .* is 500, and should be text/],
  ])('are refused with %s', (_, more, message) => {
    expect(() => registrarProperties({ ...asked(), ...more })).toThrow(message);
  });

  it.each<[string, Partial<RegistrarProperties>, RegExp]>([
    ['columns that are no JSON', { columns: '{' }, /property columns .*should be JSON of column types/],
    ['columns that are no object', { columns: '[]' }, /property columns/],
    [
      'a type that is none',
      { columns: '{"a":"money"}' },
      /property columns \(a\) .* is "money", and should be a column type/,
    ],
    ['a key that is no list', { key: '{}' }, /property key/],
    ['a key of three', { key: JSON.stringify([...KEY, ...KEY, ...KEY]) }, /one or two/],
    ['a key of another type', { key: '[{"attribute":"id","type":"M"}]' }, /property key/],
    ['no limit', { maxColumns: '0' }, /property maxColumns .* a whole number from 1/],
  ])('are refused with %s', async (_, more, message) => {
    await expect(registerTable(asked(more), parts(createMemorySchemaRegistry()))).rejects.toThrow(message);
  });

  it('are refused where there are none', () => {
    expect(() => registrarProperties(null)).toThrow(/property part .* is missing/);
  });
});

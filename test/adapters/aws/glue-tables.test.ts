import { GetTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue';
import { describe, expect, it } from 'vitest';
import type { GlueAccess } from '../../../adapters/aws/glue-access.ts';
import { GlueTables } from '../../../adapters/aws/glue-tables.ts';
import { stateFields } from '../../../core/lake-tables.ts';
import { addColumns } from '../../../core/schema.ts';
import { schemaOf } from '../../support/dynamodb.ts';
import { virtualTiming } from '../../support/fake-dynamodb-streams.ts';
import { FakeGlue, type FakeGlueOptions, throttled } from '../../support/fake-glue.ts';

const FIRST = schemaOf({ total: { kind: 'decimal', precision: 38, scale: 9 } });
const SECOND = addColumns(FIRST, [{ attribute: 'paid', type: { kind: 'boolean' } }], { maxColumns: 20 });
const THIRD = addColumns(SECOND, [{ attribute: 'note', type: { kind: 'json' } }], { maxColumns: 20 });

function open(options: FakeGlueOptions = {}, access: Partial<GlueAccess> = {}) {
  const glue = new FakeGlue('shop', options);
  const timing = virtualTiming();
  const place = { database: 'shop', bucket: 'lake' };
  const caller = 'the role of the function glasshouse-shop-lake-registrar';
  return { glue, timing, tables: new GlueTables({ client: glue.client, place, caller, timing, ...access }) };
}

const namesOf = (schema: typeof FIRST) => stateFields(schema).map((field) => field.name);
const denied = (message: string) => Object.assign(new Error(message), { name: 'AccessDeniedException' });

describe('ensure', () => {
  it('makes the changelog and the state, and finds them made the next time', async () => {
    const { glue, tables } = open();
    await tables.ensure('orders', FIRST);
    expect([...glue.tables.keys()]).toEqual(['orders__changes', 'orders']);
    const before = [...glue.tables.values()].map((table) => table.version);
    await tables.ensure('orders', FIRST);
    expect([...glue.tables.values()].map((table) => table.version)).toEqual(before);
  });

  it('brings a state that is there up to the schema', async () => {
    const { glue, tables } = open();
    await tables.ensure('orders', FIRST);
    await tables.ensure('orders', THIRD);
    expect((await tables.stateColumns('orders'))?.map((column) => column.name)).toEqual([
      ...namesOf(FIRST),
      'paid',
      'note',
    ]);
    expect(glue.columns('orders__changes')).toHaveLength(9);
  });

  it.each([
    ['refuses', ['refuse', 'refuse', 'refuse']],
    ['loses the replies', ['lose-reply', 'lose-reply']],
  ] as const)('gets there where Glue at first %s', async (_, faults) => {
    const { tables } = open({ faults });
    await tables.ensure('orders', SECOND);
    expect((await tables.stateColumns('orders'))?.map((column) => column.name)).toEqual(namesOf(SECOND));
  });

  it('gives up on throttling when its patience is over', async () => {
    const { glue, tables, timing } = open({}, { patienceMs: 5_000 });
    glue.mock.on(GetTableCommand).rejects(throttled());
    await expect(tables.ensure('orders', FIRST)).rejects.toMatchObject({
      code: 'throttled',
      message: expect.stringMatching(/read the Glue table orders__changes.*fewer requests/) as string,
    });
    expect(timing.waits.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(5_000);
  });

  it('refuses a table of the same name that lies elsewhere', async () => {
    const { glue, tables } = open();
    await tables.ensure('orders', FIRST);
    const stored = glue.tables.get('orders__changes');
    if (stored) stored.location = 's3://elsewhere/orders__changes';
    await expect(tables.ensure('orders', FIRST)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/lies at s3:\/\/elsewhere\/orders__changes/) as string,
    });
  });

  it('refuses a table of the same name that is none of Iceberg’s', async () => {
    const { glue, tables } = open();
    await tables.ensure('orders', FIRST);
    const stored = glue.tables.get('orders');
    if (stored) stored.tableType = 'HIVE';
    await expect(tables.ensure('orders', FIRST)).rejects.toThrow(
      /shop\.orders is there already and is no Iceberg table/,
    );
  });

  it('says what to set where Lake Formation has not granted it', async () => {
    const { glue, tables } = open();
    glue.mock
      .on(GetTableCommand)
      .rejects(denied('Insufficient Lake Formation permission(s): Required Describe on orders'));
    await expect(tables.ensure('orders', FIRST)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(
        /granted this to the role of the function glasshouse-shop-lake-registrar: .*Required Describe on orders\. Set aws\.lakehouse\.lakeFormation: true/,
      ) as string,
    });
  });

  it('names the role that IAM refuses', async () => {
    const { glue, tables } = open();
    glue.mock.on(GetTableCommand).rejects(denied('User: x is not authorized to perform: glue:GetTable'));
    await expect(tables.ensure('orders', FIRST)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(
        /does not allow it to the role of the function .*glue:GetTable.*boundary/,
      ) as string,
    });
  });

  it('takes a refusal for a role that has not spread yet, for as long as it was told', async () => {
    const { glue, tables, timing } = open({}, { settleMs: 20_000, patienceMs: 60_000 });
    const answer = glue.mock.on(GetTableCommand);
    answer.rejects(denied('User: x is not authorized'));
    await expect(tables.ensure('orders', FIRST)).rejects.toMatchObject({ code: 'config' });
    const waited = timing.waits.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeGreaterThan(15_000);
    expect(waited).toBeLessThan(30_000);
  });

  it('says that the database is missing', async () => {
    const { glue, tables } = open();
    glue.mock
      .on(GetTableCommand)
      .rejects(Object.assign(new Error('Database shop not found.'), { name: 'EntityNotFoundException' }));
    await expect(tables.ensure('orders', FIRST)).rejects.toThrow(/Database shop not found.*aws\.lakehouse\.database/);
  });
});

describe('evolveState', () => {
  it('adds columns twice in a row, and then has nothing to do', async () => {
    const { tables } = open();
    await tables.ensure('orders', FIRST);
    expect(await tables.evolveState('orders', FIRST)).toBe('unchanged');
    expect(await tables.evolveState('orders', SECOND)).toBe('evolved');
    expect(await tables.evolveState('orders', THIRD)).toBe('evolved');
    expect(await tables.evolveState('orders', THIRD)).toBe('unchanged');
  });

  it('leaves what it does not know: an older schema takes nothing away', async () => {
    const { glue, tables } = open();
    await tables.ensure('orders', THIRD);
    glue.addForeignColumn('orders', 'theirs', { type: 'list', 'element-id': 900, element: 'string' });
    const before = glue.columns('orders');
    expect(await tables.evolveState('orders', FIRST)).toBe('unchanged');
    expect(glue.columns('orders')).toEqual(before);
  });

  it('reads again and adds to what is there when another was faster', async () => {
    const { glue, tables } = open({ faults: ['ok', 'ok', 'overtake', 'overtake'] });
    await tables.ensure('orders', FIRST);
    expect(await tables.evolveState('orders', SECOND)).toBe('evolved');
    expect(glue.mock.commandCalls(UpdateTableCommand)).toHaveLength(3);
  });

  it('adds a column once though the reply is lost', async () => {
    const { glue, tables } = open({ faults: ['ok', 'ok', 'lose-reply'] });
    await tables.ensure('orders', FIRST);
    expect(await tables.evolveState('orders', SECOND)).toBe('evolved');
    expect(glue.columns('orders').filter((column) => column.includes('paid'))).toHaveLength(1);
  });

  it('gives up where others never let it', async () => {
    const { tables } = open({ faults: ['ok', 'ok', ...Array.from({ length: 40 }, () => 'overtake' as const)] });
    await tables.ensure('orders', FIRST);
    await expect(tables.evolveState('orders', SECOND)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('says that the table is missing', async () => {
    const { tables } = open();
    await expect(tables.evolveState('orders', FIRST)).rejects.toThrow(/shop\.orders is missing.*cdk deploy/);
    expect(await tables.stateColumns('orders')).toBeNull();
  });

  it('reads the ids back that Glue gave, and takes its own from then on', async () => {
    const { glue, tables } = open({ renumbers: true });
    await tables.ensure('orders', FIRST);
    expect(await tables.stateColumns('orders')).toEqual([
      { id: 1, name: 'id', type: 'string' },
      { id: 2, name: 'total', type: 'decimal(38,9)' },
      { id: 3, name: '_key_hash', type: 'string' },
      { id: 4, name: '_version', type: 'string' },
      { id: 5, name: '_committed_at', type: 'timestamp' },
      { id: 6, name: '_rescued', type: 'string' },
    ]);
    await tables.evolveState('orders', SECOND);
    expect(glue.columns('orders').at(-1)).toBe('103:paid:"boolean"');
  });
});

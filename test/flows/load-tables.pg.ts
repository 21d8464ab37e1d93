import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Warehouse } from '../../adapters/postgres/warehouse.ts';
import { openWarehouse } from '../../adapters/postgres/warehouse.ts';
import { createMemoryControlStore } from '../../adapters/memory/control-store.ts';
import { decodeRow } from '../../core/decode-row.ts';
import type { Envelope } from '../../core/envelope.ts';
import { materialize } from '../../core/merge.ts';
import { addColumns } from '../../core/schema.ts';
import { stagedLine } from '../../core/sql/staged-line.ts';
import { temporaryServer } from '../adapters/postgres/embedded-warehouse.ts';
import { changeOf, rowsOf } from '../support/changes.ts';
import { schemaOf } from '../support/dynamodb.ts';
import { LoadingSite, dyingPorts } from '../support/loading.ts';
import { ON_POSTGRES, PostgresStatements } from '../support/postgres-statements.ts';

const FIRST = schemaOf({ note: { kind: 'string' } });
const SECOND = addColumns(FIRST, [{ attribute: 'extra', type: { kind: 'json' } }], { maxColumns: 10 });

let server: Awaited<ReturnType<typeof temporaryServer>>;
let warehouse: Warehouse;
let statements: PostgresStatements;
let sites = 0;

beforeAll(async () => {
  server = await temporaryServer();
  warehouse = await openWarehouse({ url: server.server.url, mirror: 'shop' });
  statements = await PostgresStatements.open(server.server.url);
});

afterAll(async () => {
  await statements.close();
  await warehouse.close();
  await server.end();
});

const step = fc.record({
  table: fc.integer({ min: 0, max: 1 }),
  changes: fc.array(
    fc.record({ key: fc.integer({ min: 0, max: 4 }), kind: fc.constantFrom('put', 'extra', 'delete') }),
    {
      minLength: 1,
      maxLength: 5,
    },
  ),
  /** Where a loader dies that runs after it; past its calls it does not. */
  diesAt: fc.option(fc.integer({ min: 1, max: 60 })),
  when: fc.constantFrom('before', 'after'),
  /** As SQS may: an old notice comes once more. */
  repeats: fc.boolean(),
});

it('the loader ends equal to the source on a real database, whenever it dies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const site = new LoadingSite();
      const names = [0, 1].map((index) => `t${sites}_${index}`);
      sites++;
      for (const name of names) await site.register(name, FIRST);
      const staged = new Map<string, Envelope[]>(names.map((name) => [name, []]));
      const base = {
        ...site.ports,
        statements,
        manifests: statements.manifests(site.staging),
        control: createMemoryControlStore(),
      };
      let at = 0;
      let isWide = false;
      for (const { table, changes, diesAt, when, repeats } of steps) {
        const name = names[table] ?? '';
        const isWider = changes.some(({ kind }) => kind === 'extra');
        if (isWider && !isWide) for (const one of names) await site.register(one, SECOND);
        isWide ||= isWider;
        const schema = isWide ? SECOND : FIRST;
        const envelopes = changes.map(({ key, kind }) => {
          const image = kind === 'extra' ? { extra: { L: [{ N: String(at) }] } } : { note: { S: `n${at}` } };
          return changeOf({ id: `k${key}`, at: ++at, ...(kind === 'delete' ? {} : { image }) }, schema);
        });
        staged.get(name)?.push(...envelopes);
        const lines = envelopes.reverse().map((envelope) => stagedLine(envelope, schema));
        const url = site.staging.stage(name, lines);
        const ports = diesAt === null ? base : dyingPorts(base, diesAt, when);
        await site.run(site.loader({ sql: ON_POSTGRES }, ports)).catch(() => undefined);
        if (repeats) site.staging.notify([{ table: name, url, bytes: 1 }]);
      }
      for (let round = 0; round < 6; round++) {
        site.clock.advance(3600);
        await site.run(site.loader({ sql: ON_POSTGRES }, base));
      }
      expect(site.staging.left).toBe(0);
      const schema = isWide ? SECOND : FIRST;
      for (const [name, envelopes] of staged) {
        const expected = [...materialize(envelopes).values()]
          .sort((a, b) => (a.keyHash < b.keyHash ? -1 : 1))
          .map(({ keyHash, version, row }) => ({ keyHash, version, ...decodeRow(row ?? '{}', schema) }));
        expect(await rowsOf(warehouse.target(name), schema)).toEqual(expected);
      }
    }),
    { numRuns: 40 },
  );
});

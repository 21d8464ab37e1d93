import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'node:net';
import type { PoolClient } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connections } from '../../../adapters/postgres/connections.ts';
import { connect } from '../../../adapters/postgres/connections.ts';
import type { RunningPostgres } from '../../../adapters/postgres/server.ts';
import { startPostgres } from '../../../adapters/postgres/server.ts';
import { createTableTarget } from '../../../adapters/postgres/table-target.ts';
import { openWarehouse } from '../../../adapters/postgres/warehouse.ts';
import type { TypedChange } from '../../../flows/ports.ts';
import { temporaryFolder } from './embedded-warehouse.ts';
import { changeOf, rowsOf, schemaOf } from './typed-changes.ts';

const WORDS = schemaOf({ word: { kind: 'string' } });
const mark = (sequence: number) => ({ sequence, snapshotId: sequence });

let folder: ReturnType<typeof temporaryFolder>;
let server: RunningPostgres;

beforeEach(async () => {
  folder = temporaryFolder();
  server = await startPostgres({ dataDir: folder.path });
});

afterEach(async () => {
  await server.stop();
  folder.remove();
});

/** A generation of every key: all of them are newer than the one before. */
function generation(number: number, keys = 5000): TypedChange[] {
  return Array.from({ length: keys }, (_, key) =>
    changeOf(`k${key}`, number * keys + key + 1, [`generation ${number}`]),
  );
}

/** Connections whose network is cut before the statement number `cut` of all transactions, commits counted. */
function cuttingOff(inner: Connections, cut: number): Connections {
  let count = 0;
  const perhapsCut = (client: PoolClient): void => {
    if (count++ === cut)
      (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream.destroy();
  };
  return {
    ...inner,
    transaction: (doing, begin, work) =>
      inner.transaction(doing, begin, async (client) => {
        const watched = new Proxy(client, {
          get: (target, name) => {
            const value: unknown = Reflect.get(target, name);
            if (name === 'query') perhapsCut(client);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
        const result = await work(watched);
        perhapsCut(client);
        return result;
      }),
  };
}

describe('a warehouse that goes away', () => {
  it('a kill -9 of the server at any moment of a load leaves all of it or nothing, and the mark tells which', async () => {
    const warehouse = await openWarehouse({ url: server.url, mirror: 'shop' });
    const target = warehouse.target('orders');
    await target.apply(generation(0), WORDS, mark(0));
    for (const [round, afterMs] of [0, 15, 40, 80, 130].entries()) {
      const before = await target.mark();
      const load = target.apply(generation(round + 1), WORDS, mark(round + 1)).catch((error: unknown) => error);
      await sleep(afterMs);
      process.kill(server.pid, 'SIGKILL');
      const outcome = await load;
      server = await startPostgres({ dataDir: folder.path });

      const after = await target.mark();
      const words = new Set((await rowsOf(target, WORDS)).map((row) => row.cells[1]));
      expect(words).toEqual(new Set([`generation ${after?.sequence ?? 'none'}`]));
      // A load that was reported done is there. One that was not may be there all the same: its reply was lost.
      if (!(outcome instanceof Error)) expect(after).toEqual(mark(round + 1));
      else expect([before, mark(round + 1)]).toContainEqual(after);

      const repeated = await target.apply(generation(round + 1), WORDS, mark(round + 1));
      expect(repeated.applied + repeated.stale).toBe(5000);
      expect(await target.mark()).toEqual(mark(round + 1));
    }
    await warehouse.close();
  });

  it('a load that is cut off between any two statements is rolled back, and works when it is repeated', async () => {
    const connections = await connect(server.url);
    const table = { mirror: 'shop', table: 'orders', viewSchema: 'public' };
    const target = createTableTarget(connections, table);
    await target.apply(generation(0, 50), WORDS, mark(0));
    const outcomes: boolean[] = [];
    for (;;) {
      const faulty = createTableTarget(cuttingOff(connections, outcomes.length), table);
      const outcome = await faulty.apply(generation(1, 50), WORDS, mark(1)).catch((error: unknown) => error);
      outcomes.push(!(outcome instanceof Error));
      if (!(outcome instanceof Error)) break;
      expect(outcome).toMatchObject({ code: 'unavailable' });
      expect(await target.mark()).toEqual(mark(0));
      expect(new Set((await rowsOf(target, WORDS)).map((row) => row.cells[1]))).toEqual(new Set(['generation 0']));
    }
    // Two statements to lock and two to look at the table, their commit, two to lock, six to load, their commit.
    expect(outcomes.length - 1).toBeGreaterThanOrEqual(13);
    expect(await target.apply(generation(1, 50), WORDS, mark(1))).toEqual({ applied: 0, stale: 50 });
    await connections.close();
  });

  it('is unavailable while it is down, and used again once it is back', async () => {
    const warehouse = await openWarehouse({ url: server.url, mirror: 'shop' });
    const target = warehouse.target('orders');
    await target.apply(generation(0, 10), WORDS, mark(0));
    await server.stop();
    await expect(target.apply(generation(1, 10), WORDS, mark(1))).rejects.toMatchObject({ code: 'unavailable' });
    await expect(target.mark()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(warehouse.query('SELECT 1')).rejects.toMatchObject({ code: 'unavailable' });
    server = await startPostgres({ dataDir: folder.path });
    expect(await target.apply(generation(1, 10), WORDS, mark(1))).toEqual({ applied: 10, stale: 0 });
    await warehouse.close();
  });
});

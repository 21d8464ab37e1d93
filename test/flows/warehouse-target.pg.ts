import { afterAll, beforeAll } from 'vitest';
import { createMemoryChangelog } from '../../adapters/memory/changelog.ts';
import type { RunningPostgres } from '../../adapters/postgres/server.ts';
import { startPostgres } from '../../adapters/postgres/server.ts';
import type { Warehouse } from '../../adapters/postgres/warehouse.ts';
import { openWarehouse } from '../../adapters/postgres/warehouse.ts';
import { targetContract } from '../support/contracts/target.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder();
let server: RunningPostgres;
let warehouse: Warehouse;
let opened = 0;

beforeAll(async () => {
  server = await startPostgres({ dataDir: folder });
  warehouse = await openWarehouse({ url: server.url, mirror: 'shop' });
});

afterAll(async () => {
  await warehouse.close();
  await server.stop();
});

targetContract(
  'a PostgreSQL warehouse',
  () => {
    const table = `orders_${++opened}`;
    const changelog = createMemoryChangelog();
    return Promise.resolve({
      target: warehouse.target(table),
      append: async (envelopes) => (await changelog.append(envelopes, null)).mark,
      reopen: () => Promise.resolve(warehouse.target(table)),
    });
  },
  10,
);

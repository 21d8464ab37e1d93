import { readdir, rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { readTextIfThere, replaceFile } from '../adapters/files/atomic-file.ts';
import { validateMirror } from '../core/config.ts';
import type { Mirror, MirrorTable } from '../core/config.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { Layout } from './layout.ts';
import { layoutOf } from './layout.ts';
import type { CommonOptions, DemoReport, DemoRequest, RunSummary, TableSummary, VerifyReport } from './results.ts';
import { queryMirror } from './query.ts';
import { runTables } from './run.ts';
import { FreshnessSamples } from './shop/freshness-samples.ts';
import { SHOP_MIRROR } from './shop.ts';
import { keepShop, untilCartsExpired } from './shop/keep-shop.ts';
import type { OpenSource } from './source.ts';
import { findMirroredTable, openSource } from './source.ts';
import { rowCounts } from './summary.ts';
import { verifyTables } from './verify.ts';
import type { Workspace } from './workspace.ts';
import { openWorkspace } from './workspace.ts';

export interface DemoOptions extends CommonOptions {
  /** Prints a line of the story. */
  readonly say: (line: string) => void;
}

/** Runs a small shop on an embedded DynamoDB, mirrors it live, and proves that source and targets are equal. */
export async function runDemo(request: DemoRequest, options: DemoOptions): Promise<DemoReport> {
  const startedAtMs = Date.now();
  const layout = layoutOf(options.dir);
  await emptyDemoFolder(layout);
  // Any free port: another mirror's DynamoDB may have the usual one.
  const shop = validateMirror(SHOP_MIRROR);
  const mirror: Mirror = { ...shop, source: { kind: 'embedded', port: 0, region: 'us-east-1' } };
  const workspace = await openWorkspace(mirror, options.dir, { access: 'write', signal: options.signal });
  try {
    await replaceFile(markerFile(layout), 'Made by glasshouse demo, which empties this folder when it runs again.\n');
    const source = await openSource(mirror.source, layout);
    try {
      const live = await runLive(request, { mirror, workspace, source, options });
      return await report(live, { mirror, workspace, source, options, startedAtMs });
    } finally {
      await source.close();
    }
  } finally {
    await workspace.close();
  }
}

interface Demo {
  readonly mirror: Mirror;
  readonly workspace: Workspace;
  readonly source: OpenSource;
  readonly options: DemoOptions;
}

const WATCH_EVERY_MS = 1000;

/** Tells every second how many rows a reader of each target sees. */
function watchTargets(
  workspace: Workspace,
  table: MirrorTable,
  tell: (rows: TableSummary['rows']) => void,
): NodeJS.Timeout {
  return setInterval(() => {
    // What is told is a courtesy: a target that cannot be asked now is no reason to end the demo.
    void rowCounts(workspace, table).then(tell, () => undefined);
  }, WATCH_EVERY_MS);
}

interface Live {
  readonly run: RunSummary;
  readonly verify: VerifyReport;
  readonly writtenChanges: number;
  readonly freshness: FreshnessSamples;
}

async function runLive(request: DemoRequest, demo: Demo): Promise<Live> {
  const { mirror, workspace, source, options } = demo;
  const [table] = mirror.tables;
  if (table === undefined) throw new GlasshouseError('bug', 'The shop has no table.');
  await findMirroredTable(source, workspace.layout, { table, ...options });
  options.say(`DynamoDB at ${source.name}, with Streams; the table ${table.from}.`);
  options.say(
    `Lakehouse: Iceberg tables in ${relative(process.cwd(), workspace.layout.lakeTable(''))}. Warehouse: PostgreSQL.`,
  );
  const freshness = new FreshnessSamples(table.key ?? []);
  let isOpen = true;
  let writtenSoFar = 0;
  const watch = watchTargets(workspace, table, (rows) => {
    if (isOpen)
      options.say(
        `  ${writtenSoFar} changes written; rows now: lakehouse ${rows.lakehouse ?? 0}, warehouse ${rows.warehouse ?? 0}`,
      );
  });
  const running = runTables(mirror.tables, {
    workspace,
    source,
    options,
    endWhenIdle: () => !isOpen,
    onApplied: (target, changes) => freshness.onApplied(target, changes, Date.now()),
  });
  const shop = keepShop({ ...request, startsAtMs: Date.now() }, source.dynamodb, {
    signal: options.signal,
    onWritten: (write) => {
      writtenSoFar += write.changes;
      freshness.onWritten(write, Date.now());
    },
  })
    .then(async (written) => {
      await untilCartsExpired(source.dynamodb, options.signal);
      return written;
    })
    .finally(() => {
      isOpen = false;
    });
  const [run, writtenChanges] = await Promise.all([running, shop]).finally(() => clearInterval(watch));
  options.signal.throwIfAborted();
  options.say(`The shop wrote ${writtenChanges} changes. Comparing DynamoDB with both targets, value by value.`);
  return { run, verify: await verifyTables({ workspace, source, options }, mirror.tables), writtenChanges, freshness };
}

async function report(live: Live, demo: Demo & { readonly startedAtMs: number }): Promise<DemoReport> {
  const { mirror, workspace, options, startedAtMs } = demo;
  const queries: DemoReport['queries'][number][] = [];
  for (const { title, target, sql } of QUERIES) {
    queries.push({ title, target, sql, result: await queryMirror(mirror, sql, target, options) });
  }
  return {
    run: live.run,
    verify: live.verify,
    writtenChanges: live.writtenChanges,
    freshnessMs: live.freshness.summary(),
    queries,
    lakehouseDir: workspace.layout.lakeTable(''),
    warehouseUrl: workspace.warehouseUrl,
    seconds: (Date.now() - startedAtMs) / 1000,
  };
}

const REVENUE = 'select order_status, count(*) as orders, sum(total) as total from orders group by 1 order by 1';

const QUERIES: readonly Pick<DemoReport['queries'][number], 'title' | 'target' | 'sql'>[] = [
  { title: 'What the lakehouse says', target: 'lakehouse', sql: REVENUE },
  { title: 'What the warehouse says', target: 'warehouse', sql: REVENUE },
  {
    title: 'How it came about',
    target: 'lakehouse',
    sql: 'select _op, _cause, count(*) as changes, max(_committed_at) as newest from orders__changes group by 1, 2 order by 1, 2',
  },
];

function markerFile(layout: Layout): string {
  return `${layout.state}/demo.txt`;
}

/** Empties the folder of an earlier demo. Throws `usage` where it holds anything else. */
async function emptyDemoFolder(layout: Layout): Promise<void> {
  const names = await readdir(layout.dir).catch(() => []);
  if (names.length === 0) return;
  if ((await readTextIfThere(markerFile(layout))) === null) {
    throw new GlasshouseError(
      'usage',
      `${layout.dir} holds a mirror (or something else) that is not a demo's: name another folder for the demo with --dir.`,
    );
  }
  const { lockFolder } = await import('./lock.ts');
  const unlock = await lockFolder(layout.lockFile);
  await stopLeftServer(layout);
  await unlock();
  await rm(layout.dir, { recursive: true, force: true });
}

/** A demo that was killed leaves its PostgreSQL running: it is stopped before its files go. */
async function stopLeftServer(layout: Layout): Promise<void> {
  if (!(await readdir(layout.warehouse).catch(() => [])).length) return;
  const { startPostgres } = await import('../adapters/postgres/server.ts');
  const server = await startPostgres({ dataDir: layout.warehouse });
  await server.stop();
}

import type { MirrorTable } from '../core/config.ts';
import { columnNameOf as tableNameOf } from '../core/column-name.ts';
import { inferKeyTypes } from '../core/dynamodb/key-types.ts';
import { GlasshouseError } from '../core/errors.ts';
import type { KeyAttributes, TableSchema } from '../core/schema.ts';
import { DEFAULT_SCHEMA_LIMITS, keyColumnsOf } from '../core/schema.ts';
import { mirrorSource } from '../flows/mirror-table.ts';
import type { Delivered, SourceBatch } from '../flows/ports.ts';
import { layoutOf } from './layout.ts';
import { Meter } from './meter.ts';
import type { MirrorFile } from './mirror-file.ts';
import { readMirrorFile } from './mirror-file.ts';
import type { CommonOptions, ReplayRequest, RunSummary, TableSummary } from './results.ts';
import type { ScannedFiles } from './scanned-files.ts';
import { createScannedFiles } from './scanned-files.ts';
import { summaryOf, tableSummary } from './summary.ts';
import { captureTableOf, openTableMirror } from './table-mirror.ts';
import type { Workspace } from './workspace.ts';
import { openWorkspace } from './workspace.ts';

/** Parsed records live only as long as a batch: a small one is garbage before the collector ever has to copy it. */
const BATCH_RECORDS = 2000;
const BATCH_BYTES = 1 << 20;

/** Large appends and applies make few files and let more changes of one key fall together; what waits is bounded by these. */
const GATHER_RECORDS = 20_000;
const CADENCE = { maxKeys: 110_000, applyFrom: 70_000 };

const PROGRESS_EVERY_MS = 250;

/**
 * Replays files of stream records into a folder: any order, any duplicates, any number of times. Throws `usage` for a file
 * that is not there or a key that contradicts what the folder has.
 */
export async function replayFiles(request: ReplayRequest, options: CommonOptions): Promise<RunSummary> {
  const meter = new Meter(Date.now);
  const limits = { maxBatchRecords: BATCH_RECORDS, maxBatchBytes: BATCH_BYTES };
  const files = createScannedFiles({ files: request.files, limits });
  const source = await peek(files, options.signal);
  const mirror = await mirrorFileOf(request, options.dir);
  const workspace = await openWorkspace(mirror, options.dir, { access: 'write', signal: options.signal });
  const progress = setInterval(() => options.onProgress(meter.event('replaying')), PROGRESS_EVERY_MS);
  try {
    const table = await replayTable(request, { workspace, source, meter, options });
    return summaryOf(meter, [table]);
  } finally {
    clearInterval(progress);
    await workspace.close();
  }
}

interface Replay {
  readonly workspace: Workspace;
  readonly source: PeekedSource;
  readonly meter: Meter;
  readonly options: CommonOptions;
}

async function replayTable(request: ReplayRequest, replay: Replay): Promise<TableSummary> {
  const { workspace, source, meter, options } = replay;
  const table = workspace.mirror.tables.find((one) => one.name === tableNameOf(request.table));
  if (!table)
    throw new GlasshouseError('bug', `The table ${request.table} was not written to the folder's description.`);
  const key = await keyOf(request, workspace, source.first);
  const capturing = captureTableOf(table, key);
  const mirror = await openTableMirror(workspace, table, capturing, {
    cadence: CADENCE,
    meter,
    signal: options.signal,
    log: options.log,
  });
  let told: TableSchema | null = null;
  const parts = {
    source,
    capture: mirror.capture,
    writer: mirror.writer,
    nowMillis: Date.now,
    gatherRecords: GATHER_RECORDS,
    beforeBatch: () => {
      if (told !== mirror.capture.schema) source.useSchema(mirror.capture.schema, { sourceTable: table.from, key });
      told = mirror.capture.schema;
      return Promise.resolve();
    },
  };
  await mirrorSource(parts, null, options.signal);
  await mirror.drain();
  return tableSummary(workspace, table, meter);
}

/** The folder's mirror with the table in it: a replay may add a table to a folder, or a target to its tables. */
async function mirrorFileOf(request: ReplayRequest, dir: string): Promise<MirrorFile> {
  const held = await readMirrorFile(layoutOf(dir));
  const name = tableNameOf(request.table);
  const table: MirrorTable = held?.tables.find((one) => one.name === name) ?? {
    name,
    from: request.table,
    key: null,
    ttl: null,
    columns: {},
    maxColumns: DEFAULT_SCHEMA_LIMITS.maxColumns,
    aws: null,
  };
  const wantsWarehouse = request.targets.includes('warehouse');
  return {
    name: held?.name ?? 'replay',
    tables: [...(held?.tables ?? []).filter((one) => one.name !== table.name), table],
    targets: {
      lakehouse: request.targets.includes('lakehouse') || (held?.targets.lakehouse ?? false),
      warehouse: held?.targets.warehouse ?? (wantsWarehouse ? { url: null, schema: 'public' } : null),
    },
  };
}

/** The key's types: as the folder has them, or as most of the first records do. */
async function keyOf(request: ReplayRequest, workspace: Workspace, first: SourceBatch | null): Promise<KeyAttributes> {
  const schema = (await workspace.schemas(tableNameOf(request.table))).at(-1);
  if (schema !== undefined) {
    const key = keyColumnsOf(schema).map((column) => ({ attribute: column.attribute, type: column.keyType ?? 'S' }));
    const names = key.map(({ attribute }) => attribute).join(',');
    if (names === request.key.join(',')) return key;
    throw new GlasshouseError(
      'usage',
      `The table ${request.table} in ${workspace.layout.dir} has the key ${names}, not ${request.key.join(',')}: give --key ${names}, or another --dir.`,
    );
  }
  const records = (first?.deliveries ?? []).map(recordOf);
  return inferKeyTypes(records, request.key) ?? request.key.map((attribute) => ({ attribute, type: 'S' }));
}

/** What was delivered as a parsed record; null where it is none. */
function recordOf(delivery: Delivered): unknown {
  if (delivery.kind === 'record') return delivery.record;
  if (delivery.kind !== 'text') return null;
  try {
    return JSON.parse(delivery.text);
  } catch {
    // Capture will set it aside, with its reason.
    return null;
  }
}

interface PeekedSource extends ScannedFiles {
  readonly first: SourceBatch | null;
}

/** Reads the first batch before there is anything to put it in: it tells the key's types, and a missing file before a folder is made. */
async function peek(source: ScannedFiles, signal: AbortSignal): Promise<PeekedSource> {
  const rest = source.batches(null, signal)[Symbol.asyncIterator]();
  const next = await rest.next();
  const first = next.done === true ? null : next.value;
  return {
    first,
    useSchema: (schema, table) => source.useSchema(schema, table),
    async *batches() {
      if (first === null) return;
      yield first;
      for (let more = await rest.next(); more.done !== true; more = await rest.next()) yield more.value;
    },
  };
}

import { rm } from 'node:fs/promises';
import { readTextIfThere, unusable } from '../adapters/files/atomic-file.ts';
import { quarantineFiles } from '../adapters/files/quarantine.ts';
import type { Mirror, MirrorTable } from '../core/config.ts';
import type { SnapshotPoint } from '../core/dynamodb/normalise.ts';
import type { TableSchema } from '../core/schema.ts';
import { keyColumnsOf } from '../core/schema.ts';
import type { Epoch } from '../core/version.ts';
import type { QuarantineEntry } from '../flows/ports.ts';
import { deliveriesOf, parseQuarantineLine, recapturedOf } from '../flows/redrive-quarantine.ts';
import { layoutOf } from './layout.ts';
import { Meter } from './meter.ts';
import { mirrorOf } from './mirror-file.ts';
import type { CommonOptions, LocalRedriveReport } from './results.ts';
import { snapshotEpoch } from './snapshot.ts';
import { captureTableOf, openTableMirror } from './table-mirror.ts';
import type { TableMirror } from './table-mirror.ts';
import type { Workspace } from './workspace.ts';
import { openWorkspace } from './workspace.ts';

type TableReport = LocalRedriveReport['tables'][number];

const CADENCE = { maxKeys: 10_000, applyFrom: 1 };

/**
 * Sends the quarantined records of a folder through capture again. What is accepted now is merged with its own version,
 * and its entry goes; what is refused again stays as it was. Throws `unavailable` where another process has the folder.
 */
export async function redriveMirror(mirror: Mirror | null, options: CommonOptions): Promise<LocalRedriveReport> {
  const found = await mirrorOf(mirror, layoutOf(options.dir));
  const workspace = await openWorkspace(found, options.dir, { access: 'write', signal: options.signal });
  try {
    const tables: TableReport[] = [];
    for (const table of found.tables) {
      const schema = (await workspace.schemas(table.name)).at(-1);
      // Without a schema nothing was ever captured, and so nothing set aside.
      if (schema !== undefined) tables.push(await redriveTable({ workspace, options }, table, schema));
    }
    return { tables };
  } finally {
    await workspace.close();
  }
}

interface Redriving {
  readonly workspace: Workspace;
  readonly options: CommonOptions;
}

async function redriveTable(redriving: Redriving, table: MirrorTable, schema: TableSchema): Promise<TableReport> {
  const { workspace, options } = redriving;
  const files = await quarantineFiles(workspace.layout.quarantine, table.name);
  if (files.length === 0) return { table: table.name, found: 0, redriven: 0, refused: 0 };
  const key = keyColumnsOf(schema).map(({ attribute, keyType }) => ({ attribute, type: keyType ?? 'S' }));
  const mirror = await openTableMirror(workspace, table, captureTableOf(table, key), {
    cadence: CADENCE,
    meter: new Meter(Date.now),
    signal: options.signal,
    log: options.log,
  });
  const epoch = await snapshotEpoch(workspace.layout, table.name);
  let [found, refused] = [0, 0];
  for (const file of files) {
    options.signal.throwIfAborted();
    const done = await redriveFile(workspace, mirror, file, epoch);
    found += done.found;
    refused += done.refused;
  }
  await mirror.drain();
  return { table: table.name, found, redriven: found - refused, refused };
}

/** Repeated after a kill at any point, it changes nothing: the entries that are left are written before the file goes. */
async function redriveFile(
  workspace: Workspace,
  mirror: TableMirror,
  file: string,
  epoch: Epoch | null,
): Promise<{ readonly found: number; readonly refused: number }> {
  const lines = ((await readTextIfThere(file)) ?? '').split('\n').filter((line) => line !== '');
  const entries = lines.map(parseQuarantineLine);
  // A line that is no entry of ours is nothing to be sent through, and the file stays as it is.
  const known = entries.filter((entry) => entry !== null);
  const deliveries = deliveriesOf(known, (entry) => snapshotOf(entry, epoch));
  const captured = await mirror.capture.capture(
    deliveries.filter((one) => one !== null),
    Date.now(),
  );
  const { changes, stays } = recapturedOf(deliveries, captured);
  const left = known.filter((_, index) => stays[index]);
  const refused = left.length + lines.length - known.length;
  if (changes.length === 0) return { found: lines.length, refused };
  await mirror.writer.keep({ ...captured, changes, quarantined: [] }, null);
  if (known.length === lines.length) {
    if (left.length > 0) await workspace.quarantine.put(left);
    await rm(file, { force: true }).catch((thrown: unknown) => {
      throw unusable(file, thrown);
    });
  }
  return { found: lines.length, refused };
}

/** An item was set aside in the newest snapshot where that had begun by then: epochs are the times at which streams began. */
function snapshotOf(entry: QuarantineEntry, epoch: Epoch | null): SnapshotPoint | null {
  if (epoch === null || entry.quarantinedAtMillis < millisOf(epoch)) return null;
  return { epoch, takenAtMicros: entry.quarantinedAtMillis * 1000 };
}

function millisOf(epoch: Epoch): number {
  const part = (from: number, to: number) => Number(epoch.slice(from, to));
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12), part(12, 14), part(14, 17));
}

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Quarantine, QuarantineEntry } from '../../flows/ports.ts';
import { createFile, isCode, readTextIfThere, unusable } from './atomic-file.ts';

/**
 * Quarantined records as files of JSON lines, `<folder>/<table>/<hash>.ndjson`, one a batch. The name is a hash of what
 * the file holds without the time, so that a batch that is captured again after a crash is not kept twice.
 */
export function createFileQuarantine(folder: string): Quarantine {
  return {
    async put(entries) {
      for (const [table, ofTable] of byTable(entries)) {
        const digest = createHash('sha256');
        for (const entry of ofTable) digest.update(identityOf(entry));
        const lines = ofTable.map((entry) => `${JSON.stringify(entry)}\n`).join('');
        await createFile(join(folder, table, `${digest.digest('hex').slice(0, 32)}.ndjson`), lines);
      }
    },
    async counts(table) {
      const seen = new Map<string, string>();
      for (const file of await filesIn(join(folder, table))) {
        for (const line of ((await readTextIfThere(file)) ?? '').split('\n')) {
          if (line === '') continue;
          const entry = JSON.parse(line) as QuarantineEntry;
          seen.set(identityOf(entry), entry.kind);
        }
      }
      const counts: Record<string, number> = {};
      for (const kind of seen.values()) counts[kind] = (counts[kind] ?? 0) + 1;
      return counts;
    },
  };
}

/** What makes two entries the same one: not when it was set aside. */
function identityOf(entry: QuarantineEntry): string {
  return JSON.stringify([entry.table, entry.kind, entry.place, entry.raw]);
}

function byTable(entries: readonly QuarantineEntry[]): Map<string, QuarantineEntry[]> {
  const tables = new Map<string, QuarantineEntry[]>();
  for (const entry of entries) {
    const known = tables.get(entry.table);
    if (known) known.push(entry);
    else tables.set(entry.table, [entry]);
  }
  return tables;
}

/** The files of quarantined records in a table's folder. */
export async function quarantineFiles(folder: string, table: string): Promise<string[]> {
  return filesIn(join(folder, table));
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith('.ndjson')).map((name) => join(folder, name));
  } catch (thrown) {
    if (isCode(thrown, 'ENOENT')) return [];
    throw unusable(folder, thrown);
  }
}

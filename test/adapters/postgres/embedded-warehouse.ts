import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { RunningPostgres } from '../../../adapters/postgres/server.ts';
import { startPostgres } from '../../../adapters/postgres/server.ts';

/** A folder that every user may enter, as a checkout usually is; `remove` deletes it with all that it holds. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'glasshouse-postgres-test-'));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A server of its own in a temporary folder; `end` leaves no trace. */
export async function temporaryServer(): Promise<{
  readonly server: RunningPostgres;
  readonly folder: string;
  end(): Promise<void>;
}> {
  const folder = temporaryFolder();
  const server = await startPostgres({ dataDir: folder.path });
  return {
    server,
    folder: folder.path,
    end: async () => {
      await server.stop();
      folder.remove();
    },
  };
}

/** Asks the server directly, past everything of ours: every value as text. */
export async function ask(url: string, sql: string): Promise<(string | null)[][]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<(string | null)[]>({
      text: sql,
      rowMode: 'array',
      types: { getTypeParser: () => (value: string) => value },
    });
    return result.rows;
  } finally {
    await client.end();
  }
}

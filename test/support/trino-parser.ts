import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** Trino's grammar, which is Athena's for queries, MERGE and views. */
export interface TrinoParser {
  /** What is wrong with a statement, each with its place; empty where the grammar takes it. */
  faultsOf(statement: string): readonly string[];
}

interface TrinoSql {
  validate(sql: string): readonly { startLine: number; startColumn: number; message: string }[];
}

/** Loads the parser. Its package imports folders, which Node does not, so it is bundled first. */
export async function loadTrinoParser(): Promise<TrinoParser> {
  const folder = await mkdtemp(join(tmpdir(), 'glasshouse-trino-'));
  try {
    const outfile = join(folder, 'trino.mjs');
    const contents = "export { TrinoSQL } from 'dt-sql-parser/dist/parser/trino';";
    await build({
      stdin: { contents, resolveDir: import.meta.dirname },
      bundle: true,
      format: 'esm',
      platform: 'node',
      outfile,
      logLevel: 'silent',
    });
    const { TrinoSQL } = (await import(pathToFileURL(outfile).href)) as { TrinoSQL: new () => TrinoSql };
    return {
      faultsOf: (statement) =>
        new TrinoSQL().validate(statement).map((fault) => `${fault.startLine}:${fault.startColumn} ${fault.message}`),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

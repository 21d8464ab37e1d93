import { scanTable } from '../adapters/aws/dynamodb-table.ts';
import type { Mirror, MirrorTable } from '../core/config.ts';
import { normaliseImage } from '../core/dynamodb/normalise.ts';
import { keyHashOf, keyJson } from '../core/key.ts';
import { rowLayout, typedRow } from '../core/row.ts';
import type { TableSchema } from '../core/schema.ts';
import { keyColumnsOf } from '../core/schema.ts';
import { shapeCells } from '../core/sql/shape.ts';
import type { ReadSource } from '../flows/verify.ts';
import { MOST_SHOWN, compareTarget, digestSource, unshaped } from '../flows/verify.ts';
import { layoutOf } from './layout.ts';
import type { CommonOptions, Difference, VerifyReport } from './results.ts';
import type { OpenSource } from './source.ts';
import { openSource } from './source.ts';
import type { Workspace } from './workspace.ts';
import { openWorkspace } from './workspace.ts';

/** Compares every table of the source with each of its targets, row by row and value by value. */
export async function verifyMirror(mirror: Mirror, options: CommonOptions): Promise<VerifyReport> {
  const workspace = await openWorkspace(mirror, options.dir, { access: 'read', signal: options.signal });
  try {
    const source = await openSource(mirror.source, layoutOf(options.dir));
    try {
      return await verifyTables({ workspace, source, options }, mirror.tables);
    } finally {
      await source.close();
    }
  } finally {
    await workspace.close();
  }
}

/** What a comparison needs, open. */
export interface Verifying {
  readonly workspace: Workspace;
  readonly source: OpenSource;
  readonly options: CommonOptions;
}

/** Compares tables of a source and a mirror that are open. */
export async function verifyTables(verifying: Verifying, tables: readonly MirrorTable[]): Promise<VerifyReport> {
  const checked = [];
  for (const table of tables) checked.push(await verifyTable(verifying, table));
  return {
    equal: checked.every((one) => one.differences.length === 0 && one.isWhole),
    tables: checked.map((one) => one.report),
    differences: checked.flatMap((one) => one.differences).slice(0, MOST_SHOWN),
    valuesCompared: checked.reduce((sum, one) => sum + one.valuesCompared, 0),
  };
}

interface Checked {
  readonly report: VerifyReport['tables'][number];
  readonly differences: readonly Difference[];
  readonly valuesCompared: number;
  readonly isWhole: boolean;
}

async function verifyTable({ workspace, source, options }: Verifying, table: MirrorTable): Promise<Checked> {
  const schema = (await workspace.schemas(table.name)).at(-1);
  if (schema === undefined) return nothingMirrored(table);
  const read = readSource(source, table, schema, options);
  const digest = await digestSource(read, schema);
  const { targets } = await workspace.openTable(table, schema);
  const report: Record<string, { rows: number; differences: number }> = {};
  const differences: Difference[] = [];
  let valuesCompared = 0;
  for (const [name, target] of targets) {
    const shape =
      name === 'warehouse' ? (row: Parameters<typeof unshaped>[0]) => shapeCells(row, schema, 'postgres') : unshaped;
    const compared = await compareTarget(target, { digest, read }, schema, shape);
    report[name] = { rows: compared.targetRows, differences: compared.differences };
    valuesCompared += compared.targetRows * (schema.columns.length + 1);
    for (const { kind, key, columns } of compared.shown)
      differences.push({ table: table.name, target: name, kind, key, columns });
  }
  return {
    report: { table: table.name, sourceRows: digest.rows.size, targets: report, checksum: digest.checksum },
    differences,
    valuesCompared,
    isWhole: true,
  };
}

function nothingMirrored(table: MirrorTable): Checked {
  const report = { table: table.name, sourceRows: 0, targets: {}, checksum: '' };
  return { report, differences: [], valuesCompared: 0, isWhole: false };
}

/** The source's items as the mirror should have them. */
function readSource(source: OpenSource, table: MirrorTable, schema: TableSchema, options: CommonOptions): ReadSource {
  const key = keyColumnsOf(schema).map((column) => ({ attribute: column.attribute, type: column.keyType ?? 'S' }));
  const layout = rowLayout(schema);
  return async function* () {
    for await (const page of scanTable(source.dynamodb, table.from, { signal: options.signal })) {
      options.signal.throwIfAborted();
      yield page.map((item) => {
        const keyText = keyJson(item, key);
        return { keyHash: keyHashOf(keyText), key: keyText, row: typedRow(normaliseImage(item, layout).row, schema) };
      });
    }
  };
}

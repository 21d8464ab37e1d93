import { join } from 'node:path';
import type { Cell } from '../../../adapters/duckdb/column-vectors.ts';
import type { Duck } from '../../../adapters/duckdb/connection.ts';
import { stageRows, writeParquet } from '../../../adapters/duckdb/parquet.ts';
import { writePositionDeletes } from '../../../adapters/duckdb/position-deletes.ts';
import { type IcebergTable, newDataPath, openOrCreateTable } from '../../../adapters/iceberg/table.ts';
import type { IcebergField } from '../../../core/iceberg/fields.ts';

/** What a reader must find in a table. Sums are exact, as text without zeros after the last digit. */
export interface Truth {
  readonly path: string;
  readonly count: number;
  readonly key: string;
  readonly keys: number;
  readonly sums: Readonly<Record<string, string>>;
  readonly nulls: Readonly<Record<string, number>>;
  readonly columns: readonly string[];
}

export const STATE_FIELDS: readonly IcebergField[] = [
  { id: 1, name: 'id', type: 'string', required: true },
  { id: 2, name: 'total', type: 'decimal(38,9)', required: false },
  { id: 3, name: 'amount', type: 'decimal(9,2)', required: false },
  { id: 4, name: 'n', type: 'long', required: false },
  { id: 5, name: 'seen', type: 'timestamp', required: false },
  { id: 6, name: 'day', type: 'date', required: false },
  { id: 7, name: 'paid', type: 'boolean', required: false },
  { id: 8, name: 'ratio', type: 'double', required: false },
  { id: 9, name: 'raw', type: 'binary', required: false },
];
export const ADDED_FIELD: IcebergField = { id: 10, name: 'note', type: 'string', required: false };

interface StateRow {
  readonly id: string;
  readonly total: bigint | null;
  readonly cells: readonly Cell[];
}

function stateRow(index: number, round: number): StateRow {
  const id = `["order#${String(index).padStart(6, '0')}","ü${index % 7}"]`;
  const total = index % 11 === 0 ? null : BigInt(index + 1) * 10n ** 27n + BigInt(round) * 123_456_789n - 10n ** 30n;
  const cells = [
    id,
    total,
    index % 5 === 0 ? null : index * 3 + round,
    BigInt(index) * 1_000_000_007n,
    1_760_000_000_000_000 + index * 1_000_003,
    20_000 + (index % 30),
    index % 2 === 0,
    index / 3,
    Uint8Array.of(index & 0xff, round),
    ...(round === 0 ? [] : [`note ${index}`]),
  ];
  return { id, total, cells };
}

/** A state table: rows are inserted, then replaced and deleted by position in several commits, and a column is added. */
export async function makeState(duck: Duck, location: string): Promise<{ table: IcebergTable; truth: Truth }> {
  const table = await openOrCreateTable(location, { fields: STATE_FIELDS, identifierFieldIds: [1] });
  const live = new Map<string, { row: StateRow; round: number; file: string; position: number }>();
  for (let round = 0; round < 4; round++) {
    const fields = round === 0 ? STATE_FIELDS : [...STATE_FIELDS, ADDED_FIELD];
    const indexes = Array.from({ length: 1000 }, (_, index) => index * (round + 1));
    const rows = indexes.map((index) => stateRow(index, round));
    const deleted = new Map<string, number[]>();
    const take = (id: string) => {
      const old = live.get(id);
      if (old === undefined) return;
      deleted.set(old.file, [...(deleted.get(old.file) ?? []), old.position]);
      live.delete(id);
    };
    const path = newDataPath(location);
    for (const [position, row] of rows.entries()) {
      take(row.id);
      live.set(row.id, { row, round, file: path, position });
    }
    if (round > 0) for (let index = 7; index < 1000; index += 100) take(stateRow(index * round, 0).id);
    // A row of this very commit may be taken too: its position is in the new file.
    const columns = fields.map((_, column) => rows.map((row) => row.cells[column] ?? null));
    const dataFiles = [await writeParquet(duck, fields, [columns], path)];
    const deletesPath = newDataPath(location, 'deletes');
    const deleteFiles = deleted.size === 0 ? [] : [await writePositionDeletes(duck, deleted, deletesPath)];
    const summary = { 'glasshouse.watermark': String(round) };
    await table.commit({ operation: 'overwrite', dataFiles, deleteFiles, addFields: fields, summary });
  }
  return { table, truth: stateTruth(location, [...live.values()]) };
}

function stateTruth(path: string, live: readonly { row: StateRow; round: number }[]): Truth {
  const total = live.reduce((sum, { row }) => sum + (row.total ?? 0n), 0n);
  const n = live.reduce((sum, { row }) => sum + (row.cells[3] as bigint), 0n);
  const amount = live.reduce((sum, { row }) => sum + BigInt((row.cells[2] as number | null) ?? 0), 0n);
  return {
    path,
    count: live.length,
    key: 'id',
    keys: live.length,
    sums: { total: decimalText(total, 9), n: String(n), amount: decimalText(amount, 2) },
    nulls: {
      total: live.filter(({ row }) => row.total === null).length,
      amount: live.filter(({ row }) => row.cells[2] === null).length,
      note: live.filter(({ round }) => round === 0).length,
      id: 0,
    },
    columns: [...STATE_FIELDS, ADDED_FIELD].map((field) => field.name),
  };
}

/** An unscaled integer as a decimal's text, without zeros after the last digit. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
  return unscaled < 0n ? `-${text}` : text;
}

const CHANGE_FIELDS: readonly IcebergField[] = [
  { id: 1, name: '_key', type: 'string', required: true },
  { id: 2, name: '_op', type: 'string', required: true },
  { id: 3, name: '_captured_at', type: 'timestamp', required: true },
  { id: 4, name: '_row', type: 'string', required: false },
];
const CHANGE_PARTITION = [
  { sourceId: 2, transform: 'identity', name: '_op' },
  { sourceId: 3, transform: 'day', name: '_captured_at_day' },
] as const;

/** A changelog: appended, in partitions of operation and day. */
export async function makeChangelog(duck: Duck, location: string): Promise<{ table: IcebergTable; truth: Truth }> {
  const table = await openOrCreateTable(location, { fields: CHANGE_FIELDS, partition: CHANGE_PARTITION });
  const operations = ['insert', 'update', 'delete'];
  for (let round = 0; round < 6; round++) {
    const indexes = Array.from({ length: 300 }, (_, index) => index + round * 300);
    const stage = await stageRows(duck, CHANGE_FIELDS);
    stage.append([
      indexes.map((index) => `["k${index}"]`),
      indexes.map((index) => operations[index % 3] ?? ''),
      indexes.map((index) => 1_763_000_000_000_000 + index * 60_000_000),
      indexes.map((index) => (index % 3 === 2 ? null : `{"n":${index}}`)),
    ]);
    const dataFiles = await stage.writePartitions(CHANGE_PARTITION, () => newDataPath(location));
    stage.drop();
    await table.commit({ operation: 'append', dataFiles, deleteFiles: [], summary: {} });
  }
  const columns = CHANGE_FIELDS.map((field) => field.name);
  return {
    table,
    truth: { path: location, count: 1800, key: '_key', keys: 1800, sums: {}, nulls: { _row: 600 }, columns },
  };
}

/** A folder for a table of this name. */
export function tableIn(folder: string, name: string): string {
  return join(folder, name);
}

import { join } from 'node:path';
import { copyToParquet } from '../adapters/duckdb/parquet.ts';
import { type Duck, openDuck, withConnection } from '../adapters/duckdb/connection.ts';
import { newDataPath } from '../adapters/iceberg/table.ts';
import { openChangelog } from '../adapters/lakehouse/changelog.ts';
import { type LakeState, openState } from '../adapters/lakehouse/state.ts';
import { decodeRow } from '../core/decode-row.ts';
import { normaliseRecord } from '../core/dynamodb/normalise.ts';
import { stateFields } from '../core/lake-tables.ts';
import type { TableSchema } from '../core/schema.ts';
import type { TypedChange } from '../flows/ports.ts';
import { type Images, createImages } from './record-image.ts';
import { benchContext, schemaOfRecords } from './record-schema.ts';
import { BENCH_STREAM_ARN, generateChanges } from './records.ts';

/** A state table with as many rows as one likes, and changes to them. */
export interface LargeTable {
  readonly state: LakeState;
  readonly schema: TableSchema;
  readonly rows: number;
}

const TEMPLATE_ROWS = 20_000;
const FILE_ROWS = 500_000;
const SEED = 3;
const SECOND = 1_767_700_000;
/** Above every sequence number of the generated records. */
const SEQUENCE_PREFIX = '5000000';
const SEQUENCE_START = 100_000_000_000_000;

/**
 * Makes a table of `rows` rows below a folder, in a few large files as a compaction leaves them. The rows are generated
 * ones that repeat, each under a key of its own; written by DuckDB, since a merge of so many would take too long.
 */
export async function makeLargeTable(folder: string, rows: number, duck: Duck): Promise<LargeTable> {
  const count = Math.min(TEMPLATE_ROWS, rows);
  const inserts = { changes: count, keys: count, seed: SEED, insert: 1, update: 0, delete: 0 };
  const records = [...generateChanges(inserts)];
  const schema = schemaOfRecords(records);
  const template = await openLake(join(folder, 'template'), schema, duck);
  await template.apply(typedChanges(records, schema), schema, { sequence: 1, snapshotId: 1 });
  const [templateFile] = (await (await template.table.load()).files()).data;
  const state = await openLake(folder, schema, duck);
  const fields = stateFields(schema);
  const builder = await openDuck({ memoryLimit: '2GB', tempDirectory: folder });
  try {
    for (let from = 0; from < rows; from += FILE_ROWS) {
      const source = rowsFrom(templateFile?.path ?? '', count, { from, to: Math.min(rows, from + FILE_ROWS) });
      const path = newDataPath(state.table.location);
      const file = await withConnection(builder, (connection) =>
        copyToParquet(connection, { source, fields, path, partition: {} }),
      );
      await state.table.commit({ operation: 'append', dataFiles: [file], deleteFiles: [], summary: {} });
    }
  } finally {
    builder.close();
  }
  return { state, schema, rows };
}

async function openLake(folder: string, schema: TableSchema, duck: Duck): Promise<LakeState> {
  const changelog = await openChangelog(join(folder, 'orders__changes'), duck);
  return openState(join(folder, 'orders'), schema, changelog, duck);
}

/** The rows of some keys, by their numbers, as `createImages` names them: SQL that follows a SELECT's columns. */
function rowsFrom(
  templatePath: string,
  templateRows: number,
  keys: { readonly from: number; readonly to: number },
): string {
  const customer = "'c#' || (100000 + key % 50000)";
  const order = "'o#' || (10000000 + key)";
  const hash = `substr(sha256('["' || ${customer} || '","' || ${order} || '"]'), 1, 32)`;
  return (
    `FROM (SELECT template.* REPLACE (${customer} AS customer_id, ${order} AS order_id, ${hash} AS _key_hash) ` +
    `FROM (SELECT range AS key FROM range(${keys.from}, ${keys.to})) ` +
    `JOIN (FROM read_parquet('${templatePath}', file_row_number = true)) AS template ` +
    `ON template.file_row_number = key % ${templateRows})`
  );
}

/** An update of `count` of the table's rows, spread over all of it. A later round's are newer. */
export function updatesOf(table: LargeTable, count: number, round: number): TypedChange[] {
  const images = createImages(SEED);
  const stride = Math.floor(table.rows / count);
  const records = Array.from({ length: count }, (_, index) =>
    updateRecord(images, (index * stride + round * 7) % table.rows, { round, sequence: round * count + index }),
  );
  return typedChanges(records, table.schema);
}

function updateRecord(images: Images, key: number, at: { readonly round: number; readonly sequence: number }): unknown {
  return {
    eventName: 'MODIFY',
    dynamodb: {
      ApproximateCreationDateTime: SECOND + at.round,
      Keys: JSON.parse(`{${images.keys(key)}}`) as unknown,
      NewImage: JSON.parse(images.image(key, at.round + 2)) as unknown,
      SequenceNumber: `${SEQUENCE_PREFIX}${SEQUENCE_START + at.sequence}`,
      StreamViewType: 'NEW_IMAGE',
    },
    eventSourceARN: BENCH_STREAM_ARN,
  };
}

/** As a feed hands them to its target: a row's cells are made from its text when they are asked for. */
function typedChanges(records: readonly unknown[], schema: TableSchema): TypedChange[] {
  const context = benchContext(schema);
  return records.map((record) => {
    const { change } = normaliseRecord(record, context);
    return {
      change,
      get row() {
        return change.row === null ? null : decodeRow(change.row, schema);
      },
    };
  });
}

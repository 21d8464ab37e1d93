import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { WireItem } from '../adapters/aws/dynamodb-table.ts';
import { scanTable } from '../adapters/aws/dynamodb-table.ts';
import { explainFailure } from '../adapters/aws/failure.ts';
import { sendForJson } from '../adapters/aws/wire-json.ts';
import type { TypedRow } from '../core/change.ts';
import type { MirrorTable } from '../core/config.ts';
import type { Deployment } from '../core/contract.ts';
import { decodeRow } from '../core/decode-row.ts';
import { normaliseImage } from '../core/dynamodb/normalise.ts';
import type { Envelope } from '../core/envelope.ts';
import { envelopeLine } from '../core/envelope.ts';
import { longestLine } from '../core/firehose-batches.ts';
import { keyHashOf, keyJson } from '../core/key.ts';
import type { NormalisedRow, RowLayout } from '../core/row.ts';
import { rowJson, rowLayout, typedRow } from '../core/row.ts';
import { shrinkRow } from '../core/oversize.ts';
import type { TableSchema } from '../core/schema.ts';
import { keyColumnsOf } from '../core/schema.ts';
import { stagedLine } from '../core/sql/staged-line.ts';
import type { Version } from '../core/version.ts';
import type { ReadSource, SourceRow } from '../flows/verify.ts';

/** A table of the source, and what its rows become on their way. */
export interface ExpectedTable {
  readonly dynamodb: DynamoDBClient;
  readonly table: MirrorTable;
  readonly schema: TableSchema;
  readonly deployment: Deployment;
  readonly signal: AbortSignal;
}

/** Every item of the source as the lakehouse should have it. */
export function expectedRows(expected: ExpectedTable): ReadSource {
  const { dynamodb, table, signal } = expected;
  const toRow = rowMaker(expected);
  return async function* () {
    for await (const page of scanTable(dynamodb, placeOf(table), { signal })) {
      signal.throwIfAborted();
      yield page.map(toRow);
    }
    signal.throwIfAborted();
  };
}

/** The same for the items of some keys (canonical JSON), those that are there. */
export function expectedRowsOf(expected: ExpectedTable, keys: readonly string[]): ReadSource {
  const toRow = rowMaker(expected);
  return async function* () {
    for (const key of keys) {
      const item = await readItem(expected, key);
      if (item !== null) yield [toRow(item)];
    }
  };
}

async function readItem({ dynamodb, table, schema, signal }: ExpectedTable, key: string): Promise<WireItem | null> {
  const command = new GetItemCommand({
    TableName: placeOf(table),
    Key: attributesOf(key, schema),
    ConsistentRead: true,
  });
  try {
    const { json } = await sendForJson(command, () => dynamodb.send(command, { abortSignal: signal }));
    return typeof json.Item === 'object' && json.Item !== null ? (json.Item as WireItem) : null;
  } catch (thrown) {
    throw explainFailure(thrown, `read an item of the table ${table.from} again`);
  }
}

/** A canonical key as the SDK takes it. Numbers of more digits than a double holds stand in it as texts. */
export function attributesOf(key: string, schema: TableSchema): Record<string, AttributeValue> {
  const values = JSON.parse(key) as readonly (string | number)[];
  const entries = keyColumnsOf(schema).map(({ attribute, keyType }, index): [string, AttributeValue] => {
    const text = String(values[index] ?? '');
    if (keyType === 'N') return [attribute, { N: text }];
    return [attribute, keyType === 'B' ? { B: Buffer.from(text, 'base64') } : { S: text }];
  });
  return Object.fromEntries(entries);
}

function placeOf(table: MirrorTable): string {
  return table.aws?.kind === 'existing' ? table.aws.arn : table.from;
}

function rowMaker({ table, schema, deployment }: ExpectedTable): (item: WireItem) => SourceRow {
  const key = keyColumnsOf(schema).map((column) => ({ attribute: column.attribute, type: column.keyType ?? 'S' }));
  const layout = rowLayout(schema);
  return (item) => {
    const keyText = keyJson(item, key);
    const { row } = normaliseImage(item, layout);
    return {
      keyHash: keyHashOf(keyText),
      key: keyText,
      row: travelled(keyText, row, { layout, deployment, table: table.name }),
    };
  };
}

/** No line is longer than three bytes a UTF-16 unit, so a shorter row cannot have been shrunk. */
const SURELY_WHOLE = 300_000;

/** The row with those values taken out that were too large to travel, as capture takes them out. */
function travelled(
  key: string,
  row: NormalisedRow,
  of: { readonly layout: RowLayout; readonly deployment: Deployment; readonly table: string },
): TypedRow {
  const { layout, deployment, table } = of;
  const { schema } = layout;
  const json = rowJson(row, layout);
  if (json.length < SURELY_WHOLE) return typedRow(row, schema);
  const place = { bucket: deployment.controlBucket, table };
  const shrunk = shrinkRow(json, schema, place, (smaller) => {
    const change = envelopeAround(key, smaller, schema);
    return Math.max(
      deployment.lakehouse === null ? 0 : Buffer.byteLength(envelopeLine(change)) - longestLine('apart'),
      deployment.warehouse === null ? 0 : Buffer.byteLength(stagedLine(change, schema)) - longestLine('together'),
    );
  });
  return decodeRow(shrunk.row, schema);
}

/** An envelope as long as the one that travelled, give or take the words for its operation and cause. */
function envelopeAround(key: string, row: string, schema: TableSchema): Envelope {
  const micros = Date.UTC(2026, 0) * 1000;
  return {
    key,
    keyHash: keyHashOf(key),
    version: `${'0'.repeat(17)}-${'0'.repeat(40)}` as Version,
    operation: 'update',
    committedAtMicros: micros,
    capturedAtMicros: micros,
    schemaVersion: schema.version,
    row,
    cause: 'user',
  };
}

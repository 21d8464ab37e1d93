import { expect, it } from 'vitest';
import { glasshouseLine } from '../../bench/normalise.ts';
import { CAPTURED_AT_MICROS, benchContext, schemaOfRecords } from '../../bench/record-schema.ts';
import { generateChanges } from '../../bench/records.ts';
import { type LambdaRecord, unmarshallLine } from '../../bench/unmarshall-line.ts';
import { parseEnvelopeLine } from '../../core/envelope.ts';
import { NESTED } from '../../core/json-text.ts';
import { parseStreamRecord } from '../../core/dynamodb/stream-record.ts';
import { epochOf } from '../../core/version.ts';

it('the line of the floor is the envelope that Glasshouse makes, but for its row', () => {
  const records = [...generateChanges({ changes: 200, keys: 40, seed: 1 })] as LambdaRecord[];
  const context = benchContext(schemaOfRecords(records), NESTED);
  for (const record of records) {
    const ours = parseEnvelopeLine(glasshouseLine(record, context));
    const epoch = epochOf(parseStreamRecord(record, null).version);
    const floor = parseEnvelopeLine(unmarshallLine(record, epoch, CAPTURED_AT_MICROS));
    expect({ ...floor, row: null, schemaVersion: 0 }).toEqual({ ...ours, row: null, schemaVersion: 0 });
    expect(Object.keys(rowOf(floor.row))).toEqual(expect.arrayContaining(Object.keys(rowOf(ours.row))));
  }
});

it('every attribute of the generated records has a column', () => {
  const records = [...generateChanges({ changes: 200, keys: 40, seed: 1 })];
  const schema = schemaOfRecords(records);
  expect(schema.columns.map((column) => column.attribute)).toEqual(
    expect.arrayContaining(['customer_id', 'order_id', 'address', 'ledger_ref', 'lines', 'tags', 'total']),
  );
});

function rowOf(row: string | null): Record<string, unknown> {
  return row === null ? {} : (JSON.parse(row) as Record<string, unknown>);
}

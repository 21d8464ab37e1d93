import { describe, expect, it } from 'vitest';
import { documentsIn, parseErrorObject, restampedLines } from '../../core/firehose-errors.ts';

const LINE =
  '{"_key":"[\\"a\\"]","_key_hash":"ca978112ca1bbdcafac231b39a23dc4d","_version":"20261122000000000-0000000000000000000000000000000000000001"' +
  ',"_op":"insert","_committed_at":1790000000000000,"_captured_at":1790000000000001,"_schema":1,"_row":"{\\"note\\":\\"\\\\\\"_captured_at\\\\\\":1\\"}","_cause":"user"}';
const STAGED = LINE.replace(/"_row":"[^}]*}"/, '"_row":{"note":"x","_captured_at":7}');

/** A line as Firehose writes it of a record that it could not deliver. */
function errorLine(data: string): string {
  return JSON.stringify({
    attemptsMade: 4,
    arrivalTimestamp: 1790000000000,
    errorCode: 'Iceberg.NoSuchTable',
    errorMessage: 'Table s3://lake/tables/orders/data/x.parquet does not exist or is not V2',
    attemptEndingTimestamp: 1790000300000,
    rawData: Buffer.from(data).toString('base64'),
    EventId: '49640-0',
  });
}

describe('parseErrorObject', () => {
  it('gives the records of an object, one a line', () => {
    expect(parseErrorObject(`${errorLine(LINE)}\n${errorLine('{"a":1}')}\n`)).toEqual([
      { kind: 'record', data: LINE },
      { kind: 'record', data: '{"a":1}' },
    ]);
  });

  it('reads documents that stand one after the other, over several lines, or in an array', () => {
    const [one, other] = [errorLine('1'), errorLine('2')];
    const both = [
      { kind: 'record', data: '1' },
      { kind: 'record', data: '2' },
    ];
    expect(parseErrorObject(one + other)).toEqual(both);
    expect(parseErrorObject(`[${one},${other}]`)).toEqual(both);
    expect(parseErrorObject(JSON.stringify([JSON.parse(one), JSON.parse(other)], null, 2))).toEqual(both);
  });

  it.each([
    ['a line', 's3://lake/tables/orders__changes/data/a.parquet'],
    ['JSON', '{"dataFiles":["s3://lake/tables/orders__changes/data/a.parquet"],"errorCode":"Iceberg.CommitConflict"}'],
    ['JSON with escaped slashes', '{"key":"s3:\\/\\/lake\\/tables\\/orders__changes\\/data\\/a.parquet"}'],
    ['the scheme of Hadoop', '["s3a://lake/tables/orders__changes/data/a.parquet"]'],
  ])('finds the paths of files in %s', (_, text) => {
    expect(parseErrorObject(text)).toEqual([{ kind: 'file', url: 's3://lake/tables/orders__changes/data/a.parquet' }]);
  });

  it('tells of what it does not know, and passes over nothing', () => {
    expect(parseErrorObject('what is this\n{"errorCode":"x"}\n{"cut":')).toEqual([
      { kind: 'unknown', text: 'what is this' },
      { kind: 'unknown', text: '{"errorCode":"x"}' },
      { kind: 'unknown', text: '{"cut":' },
    ]);
  });

  it('does not take a record that is no whole base64 or no UTF-8', () => {
    const cut = '{"rawData":"eyJh*Ijox"}';
    const binary = JSON.stringify({ rawData: Buffer.from([0xff, 0xfe]).toString('base64') });
    expect(parseErrorObject(`${cut}\n${binary}`)).toEqual([
      { kind: 'unknown', text: cut },
      { kind: 'unknown', text: binary },
    ]);
  });
});

describe('documentsIn', () => {
  it('is not led astray by brackets in strings', () => {
    expect(documentsIn('{"a":"}{\\"]"}{"b":[1]} tail')).toEqual(['{"a":"}{\\"]"}', '{"b":[1]}', 'tail']);
  });
});

describe('restampedLines', () => {
  it('gives an envelope the time that it is sent again, and nothing else', () => {
    expect(restampedLines(LINE, 'lakehouse', 5)).toEqual([LINE.replace('1790000000000001', '5')]);
  });

  it('gives every line of a packed record its time, and leaves what the row holds', () => {
    expect(restampedLines(`${STAGED}\n${STAGED}\n`, 'warehouse', 5)).toEqual(
      [STAGED, STAGED].map((line) => line.replace('"_captured_at":1790000000000001', '"_captured_at":5')),
    );
  });

  it.each([
    ['nothing', '', 'lakehouse'],
    ['another document', '{"a":1}', 'lakehouse'],
    ['no JSON', 'x', 'warehouse'],
    ['a staged line for the lakehouse', STAGED, 'lakehouse'],
    ["a changelog's line for the warehouse", LINE, 'warehouse'],
    ['a line that is cut', LINE.slice(0, -5), 'lakehouse'],
  ] as const)('refuses %s', (_, data, target) => {
    expect(restampedLines(data, target, 5)).toBeNull();
  });
});

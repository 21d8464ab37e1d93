/**
 * Firehose's limits of a PutRecordBatch, which cannot be raised: 500 records, 4 MiB, and 1,000 KiB a record before it is
 * encoded. The documentation does not say whether the 4 MiB are counted before or after the encoding; a request that
 * keeps to them after it keeps to both, and costs nothing, since five hundred changes seldom come near.
 */
export const FIREHOSE_LIMITS = {
  recordsPerRequest: 500,
  requestBytes: 4 * 1024 * 1024,
  recordBytes: 1_024_000,
} as const;

/**
 * How lines become records. `apart`: one line a record, without the line's end (Firehose reads a record for Iceberg as
 * one JSON object). `together`: as many lines in a record as `PACKED_BYTES` holds, each with its end: Firehose bills each
 * record for S3 in steps of 5 KB.
 */
export type Packing = 'apart' | 'together';

/** Few enough bytes that sending a refused record again is cheap, and enough that the steps of 5 KB do not count. */
const PACKED_BYTES = 512 * 1024;

/** Some lines, one after the other. */
export interface LineRange {
  readonly first: number;
  /** The line after the last. */
  readonly end: number;
  /** In UTF-8, with the lines' ends where the packing has them. */
  readonly bytes: number;
}

/** One request: its records, in the lines' order. */
export type PlannedRequest = readonly LineRange[];

/**
 * Splits lines into requests that Firehose accepts, in order, each line in exactly one record. `lineBytes` are the lines'
 * lengths in UTF-8 without their ends; none may pass `longestLine(packing)`.
 */
export function planBatches(lineBytes: readonly number[], packing: Packing): PlannedRequest[] {
  return planRequests(packing === 'apart' ? apart(lineBytes) : together(lineBytes));
}

function planRequests(records: readonly LineRange[]): PlannedRequest[] {
  const requests: PlannedRequest[] = [];
  let request: LineRange[] = [];
  let bytes: number = REQUEST_FRAME_BYTES;
  for (const record of records) {
    const encoded = encodedBytes(record.bytes);
    const isFull =
      request.length === FIREHOSE_LIMITS.recordsPerRequest || bytes + encoded > FIREHOSE_LIMITS.requestBytes;
    if (isFull && request.length > 0) {
      requests.push(request);
      request = [];
      bytes = REQUEST_FRAME_BYTES;
    }
    request.push(record);
    bytes += encoded;
  }
  if (request.length > 0) requests.push(request);
  return requests;
}

/** The longest line that a record holds, in bytes of UTF-8 without the line's end. */
export function longestLine(packing: Packing): number {
  return FIREHOSE_LIMITS.recordBytes - endBytes(packing);
}

/** Of the request's JSON around its records: braces, names, and a stream's name of 64 characters. */
const REQUEST_FRAME_BYTES = 256;
/** `{"Data":""},` */
const RECORD_FRAME_BYTES = 12;

/** What a record takes in the request, encoded. */
function encodedBytes(bytes: number): number {
  return 4 * Math.ceil(bytes / 3) + RECORD_FRAME_BYTES;
}

function apart(lineBytes: readonly number[]): LineRange[] {
  return lineBytes.map((bytes, line) => ({ first: line, end: line + 1, bytes }));
}

function together(lineBytes: readonly number[]): LineRange[] {
  const records: LineRange[] = [];
  let first = 0;
  let bytes = 0;
  for (const [line, length] of lineBytes.entries()) {
    const withEnd = length + endBytes('together');
    if (line > first && bytes + withEnd > PACKED_BYTES) {
      records.push({ first, end: line, bytes });
      first = line;
      bytes = 0;
    }
    bytes += withEnd;
  }
  if (lineBytes.length > first) records.push({ first, end: lineBytes.length, bytes });
  return records;
}

function endBytes(packing: Packing): number {
  return packing === 'apart' ? 0 : 1;
}

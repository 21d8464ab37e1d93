import { parseStreamArn } from './version.ts';

/** A batch that Lambda gave up on, as its event source mapping writes it into a bucket: with the whole event. */
export interface FailedBatch {
  /** The DynamoDB table that it is of; null where the object does not say. */
  readonly sourceTable: string | null;
  /** Stream records as Lambda has them. */
  readonly records: readonly unknown[];
  readonly shardId: string;
}

/**
 * Reads such an object. Null where it is none, or has no payload (as the ones that SQS and SNS get, which only say where
 * the records were).
 */
export function parseFailedBatch(text: string): FailedBatch | null {
  const body = objectOf(parseJson(text));
  const payload = typeof body?.payload === 'string' ? parseJson(body.payload) : body?.payload;
  const records = Array.isArray(payload) ? (payload as unknown[]) : objectOf(payload)?.Records;
  if (!Array.isArray(records) || records.length === 0) return null;
  const info = objectOf(body?.DDBStreamBatchInfo);
  const first = objectOf(records[0]);
  const arn = [info?.streamArn, first?.eventSourceARN].find((one) => typeof one === 'string');
  return {
    sourceTable: arn === undefined ? null : (parseStreamArn(arn)?.table ?? null),
    records: records as unknown[],
    shardId: typeof info?.shardId === 'string' ? info.shardId : 'unknown',
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON, and so no batch.
    return null;
  }
}

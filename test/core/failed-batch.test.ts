import { describe, expect, it } from 'vitest';
import { parseFailedBatch } from '../../core/failed-batch.ts';

const RECORD = {
  eventName: 'REMOVE',
  eventSourceARN: 'arn:aws:dynamodb:eu-central-1:111122223333:table/Orders/stream/2026-11-22T00:00:00.000',
};

/** As Lambda writes it into a bucket. */
const OBJECT = {
  requestContext: {
    requestId: '316aa6d0-8154-xmpl-9af7-85d5f4a6bc81',
    functionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:glasshouse-shop-orders-capture',
    condition: 'RetryAttemptsExhausted',
    approximateInvokeCount: 1,
  },
  responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
  version: '1.0',
  timestamp: '2026-11-22T00:38:06.021Z',
  DDBStreamBatchInfo: {
    shardId: 'shardId-00000001573689847184-864758bb',
    startSequenceNumber: '800000000003126276362',
    endSequenceNumber: '800000000003126276362',
    batchSize: 1,
    streamArn: RECORD.eventSourceARN,
  },
  payload: JSON.stringify({ Records: [RECORD] }),
};

describe('parseFailedBatch', () => {
  it('gives the records, their table and their shard', () => {
    expect(parseFailedBatch(JSON.stringify(OBJECT))).toEqual({
      sourceTable: 'Orders',
      records: [RECORD],
      shardId: 'shardId-00000001573689847184-864758bb',
    });
  });

  it('takes a payload that is no text, and the table of the records where nothing else says it', () => {
    const text = JSON.stringify({ ...OBJECT, DDBStreamBatchInfo: undefined, payload: { Records: [RECORD] } });
    expect(parseFailedBatch(text)).toMatchObject({ sourceTable: 'Orders', records: [RECORD], shardId: 'unknown' });
  });

  it.each([
    ['a pointer without payload, as SQS gets it', { ...OBJECT, payload: undefined }],
    ['a payload that is cut', { ...OBJECT, payload: '{"Records":[' }],
    ['an empty batch', { ...OBJECT, payload: '{"Records":[]}' }],
    ['another document', { hello: 1 }],
  ])('is null for %s', (_, object) => {
    expect(parseFailedBatch(JSON.stringify(object))).toBeNull();
  });

  it('is null for what is no JSON', () => {
    expect(parseFailedBatch('x')).toBeNull();
  });
});

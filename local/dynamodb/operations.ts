import { type Database } from './database.ts';
import { checkRequest, type EngineOperation, runAction } from './engine.ts';
import { describeTimeToLive, updateTimeToLive } from './expiry.ts';
import { type JsonText } from './json-text.ts';
import { readingStore } from './staging.ts';
import { describeStream, getRecords, getShardIterator, listStreams } from './streams-api.ts';
import { createTable, deleteTable, describeTable, listTables, updateTable } from './tables-api.ts';
import { transactGetItems, transactWriteItems } from './transactions.ts';
import { runWrite, type WriteOperation } from './writes.ts';

type Request = Record<string, unknown>;
type Response = object | JsonText;
export type Operation = (database: Database, request: Request) => Response | Promise<Response>;

function writing(operation: WriteOperation): Operation {
  return (database, request) => runWrite(database, operation, request);
}

function reading(operation: EngineOperation): Operation {
  return (database, request) => {
    const store = readingStore(database);
    return runAction(operation, store, checkRequest(operation, request, store));
  };
}

/** Every operation that the server has, by the name in a request's `X-Amz-Target`. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['DynamoDB_20120810.CreateTable', createTable],
  ['DynamoDB_20120810.UpdateTable', updateTable],
  ['DynamoDB_20120810.DeleteTable', deleteTable],
  ['DynamoDB_20120810.DescribeTable', describeTable],
  ['DynamoDB_20120810.ListTables', listTables],
  ['DynamoDB_20120810.PutItem', writing('PutItem')],
  ['DynamoDB_20120810.UpdateItem', writing('UpdateItem')],
  ['DynamoDB_20120810.DeleteItem', writing('DeleteItem')],
  ['DynamoDB_20120810.BatchWriteItem', writing('BatchWriteItem')],
  ['DynamoDB_20120810.TransactWriteItems', transactWriteItems],
  ['DynamoDB_20120810.TransactGetItems', transactGetItems],
  ['DynamoDB_20120810.GetItem', reading('GetItem')],
  ['DynamoDB_20120810.BatchGetItem', reading('BatchGetItem')],
  ['DynamoDB_20120810.Query', reading('Query')],
  ['DynamoDB_20120810.Scan', reading('Scan')],
  ['DynamoDB_20120810.TagResource', writing('TagResource')],
  ['DynamoDB_20120810.UntagResource', writing('UntagResource')],
  ['DynamoDB_20120810.ListTagsOfResource', reading('ListTagsOfResource')],
  ['DynamoDB_20120810.UpdateTimeToLive', updateTimeToLive],
  ['DynamoDB_20120810.DescribeTimeToLive', describeTimeToLive],
  ['DynamoDBStreams_20120810.ListStreams', listStreams],
  ['DynamoDBStreams_20120810.DescribeStream', describeStream],
  ['DynamoDBStreams_20120810.GetShardIterator', getShardIterator],
  ['DynamoDBStreams_20120810.GetRecords', getRecords],
]);

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SourceKeys } from '../../flows/register-ports.ts';
import { describeTable } from './dynamodb-table.ts';

/** The keys of DynamoDB tables, of this account or of another that allows it: DynamoDB takes an ARN for a table's name. */
export function dynamoDbKeys(client: DynamoDBClient): SourceKeys {
  return { keyOf: async (sourceArn) => (await describeTable(client, sourceArn)).key };
}

import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ConditionalCheckFailedException, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { schemaKey, schemaOfText, schemaText } from '../../core/control.ts';
import { GlasshouseError } from '../../core/errors.ts';
import type { TableSchema } from '../../core/schema.ts';
import type { SchemaRegistry } from '../../flows/ports.ts';
import { keyItem } from './control-table.ts';
import { explainFailure } from './failure.ts';

/**
 * Schemas in the control table, one item a version. A version is put once and never changed or deleted, so to put it where
 * there is none is the compare-and-set, and it is enough to have seen that its predecessor is there.
 */
export class DynamoDbSchemaRegistry implements SchemaRegistry {
  private readonly client: DynamoDBClient;
  private readonly controlTable: string;

  /** The caller keeps the client, and destroys it. */
  constructor(client: DynamoDBClient, controlTable: string) {
    this.client = client;
    this.controlTable = controlTable;
  }

  async load(table: string): Promise<readonly TableSchema[]> {
    const schemas: TableSchema[] = [];
    let from: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.query(table, { from, newestOnly: false });
      schemas.push(...page.schemas);
      from = page.next;
    } while (from !== undefined);
    return schemas;
  }

  /** The newest version alone; null where the table is new. */
  async newest(table: string): Promise<TableSchema | null> {
    const { schemas } = await this.query(table, { newestOnly: true });
    return schemas[0] ?? null;
  }

  async save(table: string, schema: TableSchema): Promise<void> {
    const newest = (await this.newest(table))?.version ?? 0;
    if (newest !== schema.version - 1) throw movedOn(table, newest);
    try {
      await this.client.send(
        new PutItemCommand({
          TableName: this.controlTable,
          Item: { ...keyItem(schemaKey(table, schema.version)), schema: { S: schemaText(schema) } },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    } catch (thrown) {
      if (thrown instanceof ConditionalCheckFailedException) throw movedOn(table, schema.version);
      throw explainFailure(thrown, `register version ${schema.version} of the schema of ${table}`);
    }
  }

  private async query(
    table: string,
    { from, newestOnly }: { readonly from?: Record<string, AttributeValue> | undefined; readonly newestOnly: boolean },
  ): Promise<{ readonly schemas: TableSchema[]; readonly next: Record<string, AttributeValue> | undefined }> {
    try {
      const { Items: items = [], LastEvaluatedKey: next } = await this.client.send(
        new QueryCommand({
          TableName: this.controlTable,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': { S: schemaKey(table, 1).pk } },
          ConsistentRead: true,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
          ...(newestOnly ? { ScanIndexForward: false, Limit: 1 } : {}),
        }),
      );
      return { schemas: items.map((item) => this.schemaOf(table, item)), next };
    } catch (thrown) {
      throw explainFailure(thrown, `read the schema of ${table} from the control table ${this.controlTable}`);
    }
  }

  private schemaOf(table: string, item: Readonly<Record<string, AttributeValue>>): TableSchema {
    try {
      return schemaOfText(item.schema?.S ?? '');
    } catch (cause) {
      throw new GlasshouseError(
        'corrupt',
        `Version ${item.sk?.S ?? '?'} of the schema of ${table} in the control table ${this.controlTable} cannot be read; ` +
          'restore the table to a point in time before it was damaged.',
        { cause },
      );
    }
  }
}

function movedOn(table: string, version: number): GlasshouseError {
  return new GlasshouseError(
    'conflict',
    `The schema of ${table} has moved on to version ${version}; load it and add to that.`,
  );
}

// Writes some orders with the AWS SDK's own client, as any program would. Stop it with Ctrl-C.
import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';

const client = new DynamoDBClient({
  endpoint: process.env.DYNAMODB_ENDPOINT ?? 'http://127.0.0.1:8000',
  region: 'us-east-1',
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
});

for (let number = 1; ; number++) {
  const key = { customer_id: { S: `c#${number % 7}` }, order_id: { S: `o#${number}` } };
  const order = {
    ...key,
    order_status: { S: 'placed' },
    placed_at: { S: new Date().toISOString() },
    total: { N: `${number}.50` },
    lines: { L: [{ M: { sku: { S: 'teapot' }, quantity: { N: '1' } } }] },
  };
  await client.send(new PutItemCommand({ TableName: 'Orders', Item: order }));
  await client.send(
    new UpdateItemCommand({
      TableName: 'Orders',
      Key: key,
      UpdateExpression: 'SET order_status = :status',
      ExpressionAttributeValues: { ':status': { S: 'paid' } },
    }),
  );
  console.log(`order ${number}: placed and paid`);
  await sleep(200);
}

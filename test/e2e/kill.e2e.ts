import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { BatchWriteItemCommand, DeleteItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDynamoDb } from '../../adapters/aws/clients.ts';
import { createRandom } from '../../local/shop/random.ts';
import { freePort, glasshouse, start, temporaryFolder, writeConfig } from './glasshouse-process.ts';

/** Kills of `run`; more by hand: GLASSHOUSE_KILLS=10 npx vitest run test/e2e/kill.e2e.ts */
const KILLS = Number(process.env.GLASSHOUSE_KILLS ?? 4);

let folder = '';

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

it(
  'a run that is killed at random moments under load loses nothing and has nothing twice',
  async () => {
    const port = await freePort();
    await writeConfig(folder, port);
    const writer = keepWriting(`http://127.0.0.1:${port}`);
    const random = createRandom(7);
    for (let kill = 0; kill < KILLS; kill++) {
      const run = start(['run'], folder);
      await untilWritten(writer, writer.written() + 50);
      await delay(random.fraction() * 1500);
      await killHard(run);
    }
    const last = start(['run'], folder);
    await untilWritten(writer, writer.written() + 50);
    await writer.stop();
    last.kill('SIGINT');
    await once(last, 'close');
    const idle = await glasshouse(['run', '--until-idle', '--json'], folder);
    expect(idle.stderr + idle.stdout).not.toContain('"error"');
    expect(idle.status).toBe(0);
    const verified = await glasshouse(['verify', '--json'], folder);
    const report = JSON.parse(verified.stdout) as { equal: boolean; tables: { sourceRows: number }[] };
    expect(report).toMatchObject({ equal: true, differences: [] });
    expect(report.tables[0]?.sourceRows).toBeGreaterThan(0);
    expect(verified.status).toBe(0);
  },
  60_000 + KILLS * 30_000,
);

async function killHard(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

interface Writer {
  written(): number;
  stop(): Promise<void>;
}

/** Writes to a table with every kind of write, through the times when its database is not there. */
function keepWriting(endpoint: string): Writer {
  const client = openDynamoDb({ endpoint, region: 'us-east-1' });
  const random = createRandom(3);
  let written = 0;
  let stopped = false;
  const loop = async (): Promise<void> => {
    for (let n = 0; !stopped; n++) {
      try {
        await writeOnce(client, n, random.fraction());
        written++;
      } catch {
        // The database was killed; whether it took the write, the comparison at the end will tell.
        await delay(20);
      }
    }
  };
  const done = Promise.all([loop(), loop()]);
  return {
    written: () => written,
    stop: async () => {
      stopped = true;
      await done;
      client.destroy();
    },
  };
}

async function writeOnce(client: DynamoDBClient, n: number, chance: number): Promise<void> {
  const key = { id: { S: `order-${Math.floor(chance * 400)}` } };
  const item = {
    ...key,
    n: { N: String(n) },
    total: { N: '12345678901234567890.123456789' },
    tags: { SS: ['a', 'b'] },
  };
  if (chance < 0.1) await client.send(new DeleteItemCommand({ TableName: 'Orders', Key: key }));
  else if (chance < 0.5) await client.send(new PutItemCommand({ TableName: 'Orders', Item: item }));
  else if (chance < 0.8) {
    await client.send(
      new UpdateItemCommand({
        TableName: 'Orders',
        Key: key,
        UpdateExpression: 'SET seen = :n ADD visits :one',
        ExpressionAttributeValues: { ':n': { N: String(n) }, ':one': { N: '1' } },
      }),
    );
  } else {
    const puts = [0, 1, 2].map((i) => ({ PutRequest: { Item: { ...item, id: { S: `batch-${(n + i) % 90}` } } } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { Orders: puts } }));
  }
}

async function untilWritten(writer: Writer, count: number): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (writer.written() < count) {
    if (Date.now() > deadline) throw new Error(`Only ${writer.written()} of ${count} writes were taken within 30 s.`);
    await delay(10);
  }
}

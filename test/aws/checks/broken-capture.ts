import { GetEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { createS3RedriveShelf } from '../../../adapters/aws/s3-redrive-shelf.ts';
import { PREFIXES, captureFunctionName } from '../../../core/aws-names.ts';
import { parseFailedBatch } from '../../../core/failed-batch.ts';
import { GlasshouseError } from '../../../core/errors.ts';
import { redriveDeployed } from '../../../deployed/redrive.ts';
import { extraChange } from '../source-changes.ts';
import type { World } from '../world.ts';
import type { Verdict } from './check.ts';
import { broken, open, verdictOf } from './check.ts';

/** What no stream is called: puts to it are refused. */
const NO_STREAM = 'glasshouse-test-no-such-stream';
const LOOK_EVERY_MS = 5_000;
const PATIENCE_MS = 10 * 60_000;
/** Long enough for several tries of a batch. */
const BROKEN_FOR_MS = 60_000;
const SLOWEST_START_MS = 1_500;

/** While the lakehouse's stream cannot be reached, every batch fails; afterwards both targets must be equal to the table. */
export async function checkpointCheck(world: World): Promise<Verdict> {
  await whileBroken(world, async () => {
    await world.write(rowsOf('checkpoint', 40));
    await pause(world, BROKEN_FOR_MS);
  });
  await world.untilFresh();
  const { equal } = await world.verify();
  return verdictOf(
    equal,
    `After a minute in which every batch failed, verify found the targets ${equal ? '' : 'not '}equal.`,
  );
}

/** With no retries, Lambda gives a batch up at once, and puts it into the control bucket. */
export async function failedBatchCheck(world: World): Promise<Verdict> {
  const { clients, deployment, mirror, signal } = world;
  const shelf = createS3RedriveShelf(clients.s3(), deployment.controlBucket);
  const found = await withoutRetries(world, () =>
    whileBroken(world, async () => {
      await world.write(rowsOf('given-up', 20));
      return untilSome(world, () => shelf.keys(PREFIXES.failedBatches, null));
    }),
  );
  const [key] = found;
  if (key === undefined)
    return broken(`Lambda put nothing under ${PREFIXES.failedBatches} within ${PATIENCE_MS / 60_000} min.`);
  const batch = parseFailedBatch(new TextDecoder().decode((await shelf.read(key)) ?? new Uint8Array()));
  const log = (): void => undefined;
  const { counts } = await redriveDeployed(mirror, { mirror: null, region: deployment.region, signal, log });
  await world.untilFresh();
  const { equal } = await world.verify();
  if (batch === null) return broken(`s3://${deployment.controlBucket}/${key} has no payload with records.`);
  const isNamed = batch.sourceTable === world.table.from;
  const how = `Lambda put ${found.length} objects, the first with ${batch.records.length} records of ${batch.sourceTable ?? 'an unknown table'}; redrive: ${JSON.stringify(counts)}; verify: ${equal ? 'equal' : 'not equal'}.`;
  return verdictOf(isNamed && equal, how);
}

/** A function whose configuration has just changed starts anew. */
export async function coldStartCheck(world: World): Promise<Verdict> {
  const lambda = world.clients.lambda();
  const FunctionName = captureFunctionName(world.mirror.name, world.table.name);
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Description: 'Started anew by the test' }));
  await untilUpdated(world, FunctionName);
  const { LogResult: tail = '' } = await lambda.send(
    new InvokeCommand({ FunctionName, LogType: 'Tail', Payload: JSON.stringify({ Records: [] }) }),
  );
  const text = Buffer.from(tail, 'base64').toString('utf8');
  const [, plain, json] = /Init Duration: ([\d.]+) ms|"initDurationMs":\s*([\d.]+)/.exec(text) ?? [];
  const initMs = plain ?? json;
  if (initMs === undefined)
    return open('The log of the call names no Init Duration: a started function took it. Run again.');
  return verdictOf(Number(initMs) <= SLOWEST_START_MS, `Init Duration ${initMs} ms; compare with \`npm run bench\`.`);
}

function rowsOf(group: string, count: number) {
  return Array.from({ length: count }, (_, n) => extraChange(group, n));
}

/** Runs something while capture cannot reach its lakehouse stream, and gives the stream back whatever happens. */
async function whileBroken<T>(world: World, run: () => Promise<T>): Promise<T> {
  const lambda = world.clients.lambda();
  const FunctionName = captureFunctionName(world.mirror.name, world.table.name);
  const { Environment: found } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const variables = found?.Variables;
  if (!variables?.LAKEHOUSE_STREAM)
    throw new GlasshouseError(
      'unavailable',
      `The function ${FunctionName} does not tell its variable LAKEHOUSE_STREAM.`,
    );
  const give = async (Variables: Record<string, string>): Promise<void> => {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } }));
    await untilUpdated(world, FunctionName);
  };
  try {
    await give({ ...variables, LAKEHOUSE_STREAM: NO_STREAM });
    return await run();
  } finally {
    await untilUpdated(world, FunctionName);
    await give(variables);
  }
}

async function withoutRetries<T>(world: World, run: () => Promise<T>): Promise<T> {
  const lambda = world.clients.lambda();
  const FunctionName = captureFunctionName(world.mirror.name, world.table.name);
  const { EventSourceMappings: [mapping] = [] } = await lambda.send(
    new ListEventSourceMappingsCommand({ FunctionName }),
  );
  const { UUID, MaximumRetryAttempts: before } = mapping ?? {};
  if (UUID === undefined)
    throw new GlasshouseError('unavailable', `The function ${FunctionName} has no event source mapping.`);
  const give = async (MaximumRetryAttempts: number): Promise<void> => {
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, MaximumRetryAttempts }));
    await untilSome(world, async () => {
      const { State: state } = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
      return state === 'Enabled' ? [state] : [];
    });
  };
  try {
    await give(0);
    return await run();
  } finally {
    await give(before ?? -1);
  }
}

async function untilUpdated(world: World, FunctionName: string): Promise<void> {
  await untilSome(world, async () => {
    const { LastUpdateStatus: status } = await world.clients
      .lambda()
      .send(new GetFunctionConfigurationCommand({ FunctionName }));
    return status === 'InProgress' ? [] : [status];
  });
}

/** Looks until there is something, or for ten minutes; what is being mended is not stopped half-way. */
async function untilSome<T>(world: World, look: () => Promise<readonly T[]>): Promise<readonly T[]> {
  const endMillis = world.timing.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found.length > 0 || world.timing.now() >= endMillis) return found;
    await world.timing.wait(LOOK_EVERY_MS, NEVER);
  }
}

const NEVER = new AbortController().signal;

async function pause(world: World, ms: number): Promise<void> {
  await world.timing.wait(ms, world.signal);
  world.signal.throwIfAborted();
}

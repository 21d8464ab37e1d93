import { type Database } from './database.ts';
import { checkRequest, type EngineOperation, runActionNow, valueFault } from './engine.ts';
import { sameItem } from './item.ts';
import { exceptionName, ServiceError, toServiceError, validationError } from './service-error.ts';
import { type StagedItem, type Staging, stageWrites } from './staging.ts';
import { type Cause } from './stream-record.ts';

export type WriteOperation = Extract<
  EngineOperation,
  'PutItem' | 'UpdateItem' | 'DeleteItem' | 'BatchWriteItem' | 'TagResource' | 'UntagResource'
>;

/** Runs one writing request, and stores what it wrote together with its stream records. Throws service errors. */
export async function runWrite(database: Database, operation: WriteOperation, request: object): Promise<object> {
  const wantsOld = wantsOldItem(request);
  const staging = stageWrites(database);
  let result: object;
  try {
    const data = checkRequest(operation, request, staging.store);
    result = runActionNow(operation, staging.store, data);
    if (operation === 'UpdateItem') checkUpdated(staging);
  } catch (thrown) {
    // What it was refused for may not be stored yet, and must not be told before it is.
    await database.commits.settled();
    throw withOldItem(toServiceError(thrown), wantsOld ? staging : undefined);
  }
  await commitStaged(database, staging, 'user');
  return result;
}

/** Stores what was staged, with the record of each item that it changed: all of it, or nothing. */
export async function commitStaged(database: Database, staging: Staging, cause: Cause): Promise<void> {
  const { streams, expiry } = database;
  const writes = [...staging.writes];
  for (const item of staging.items) {
    if (!isChange(item)) continue;
    const stream = streams.enabledFor(item.table.TableName);
    const hash = Number.parseInt(item.key.slice(0, 6), 16);
    if (stream !== undefined)
      writes.push(streams.append(stream, { hash, before: item.before, after: item.after, cause }));
    writes.push(...expiry.indexWrites(item));
  }
  await streams.commit(writes);
}

function isChange({ before, after }: StagedItem): boolean {
  return before === undefined || after === undefined ? before !== after : !sameItem(before, after);
}

/** dynalite's arithmetic may leave a number with more digits than a number can have: DynamoDB refuses it. */
export function checkUpdated(staging: Staging): void {
  for (const { after } of staging.items) {
    for (const value of Object.values(after?.item ?? {})) {
      const fault = valueFault(value);
      if (fault !== undefined) throw validationError(fault);
    }
  }
}

/** Whether the request asks for the item that made its condition fail. */
export function wantsOldItem(request: object): boolean {
  return (request as Record<string, unknown>).ReturnValuesOnConditionCheckFailure === 'ALL_OLD';
}

function withOldItem(error: ServiceError, staging: Staging | undefined): ServiceError {
  const old = staging?.reads[0];
  if (old === undefined || exceptionName(error) !== 'ConditionalCheckFailedException') return error;
  return new ServiceError(error.statusCode, { ...error.body, Item: old.item }, { cause: error });
}

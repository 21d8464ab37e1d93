import { createHash } from 'node:crypto';
import { z } from 'zod';
import { del, put } from './commits.ts';
import { type Database } from './database.ts';
import { checkRequest, runActionNow, storeKey } from './engine.ts';
import { type Item, itemBytes } from './item.ts';
import { exceptionName, serviceError, type ServiceError, toServiceError, validationError } from './service-error.ts';
import { type Staging, stageWrites } from './staging.ts';
import { all, within } from './key-range.ts';
import { parseRequest } from './request.ts';
import { checkUpdated, commitStaged, wantsOldItem } from './writes.ts';

const MAX_ACTIONS = 100;
const MAX_BYTES = 4 * 1024 * 1024;
const TOKEN_PREFIX = 'token~';
const TOKEN_LIFE_MS = 10 * 60 * 1000;

const parameters = z.looseObject({ TableName: z.string() });
const writeRequest = z.object({
  TransactItems: z
    .array(
      z.object({
        Put: parameters.nullish(),
        Update: parameters.nullish(),
        Delete: parameters.nullish(),
        ConditionCheck: parameters.nullish(),
      }),
    )
    .min(1)
    .max(MAX_ACTIONS),
  ClientRequestToken: z.string().min(1).max(36).nullish(),
});
const getRequest = z.object({
  TransactItems: z
    .array(z.object({ Get: parameters }))
    .min(1)
    .max(MAX_ACTIONS),
});

const OPERATION_OF = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'DeleteItem',
} as const;
type ActionKind = keyof typeof OPERATION_OF;

interface TransactAction {
  readonly kind: ActionKind;
  readonly tableName: string;
  /** The request as dynalite checked it. */
  readonly data: { readonly Key?: Item; readonly Item?: Item };
  readonly wantsOld: boolean;
}

interface CancellationReason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: Item;
}

/**
 * TransactWriteItems: all of its actions or none, and their records only with them. With a ClientRequestToken the same
 * request within ten minutes does nothing more. Throws `TransactionCanceledException` with a reason for each action.
 */
export async function transactWriteItems(database: Database, request: unknown): Promise<object> {
  const { TransactItems, ClientRequestToken: token } = parseRequest(writeRequest, request);
  const digest = createHash('sha256').update(JSON.stringify(TransactItems)).digest('hex');
  if (token && wasDone(database, token, digest)) {
    await database.commits.settled();
    return {};
  }
  let staging: Staging;
  try {
    staging = stageTransaction(
      database,
      TransactItems.map((each) => readAction(database, each)),
    );
  } catch (thrown) {
    await database.commits.settled();
    throw thrown;
  }
  if (token) staging.writes.push(put(TOKEN_PREFIX + token, JSON.stringify({ digest, atMs: database.now() })));
  await commitStaged(database, staging, 'user');
  return {};
}

/** Whether a request with this token was done already. Throws when that one asked for something else. */
function wasDone({ commits, now }: Database, token: string, digest: string): boolean {
  const text = commits.read(TOKEN_PREFIX + token);
  if (text === undefined) return false;
  const done = JSON.parse(text) as { digest: string; atMs: number };
  if (now() - done.atMs > TOKEN_LIFE_MS) return false;
  if (done.digest === digest) return true;
  throw serviceError(
    'IdempotentParameterMismatchException',
    `ClientRequestToken ${token} was used for another transaction in the last ten minutes. Use a new one.`,
  );
}

function readAction(
  database: Database,
  members: z.infer<typeof writeRequest>['TransactItems'][number],
): TransactAction {
  const kinds = (Object.keys(OPERATION_OF) as ActionKind[]).filter((kind) => members[kind]);
  const [kind] = kinds;
  const request = kind && members[kind];
  if (!kind || !request || kinds.length > 1) {
    throw validationError('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  if (kind === 'ConditionCheck' && !request.ConditionExpression) {
    throw validationError('The expression can not be empty: a ConditionCheck needs a ConditionExpression');
  }
  if (kind === 'Update' && !request.UpdateExpression) {
    throw validationError('The expression can not be empty: an Update needs an UpdateExpression');
  }
  const wantsOld = wantsOldItem(request);
  const { store } = stageWrites(database);
  return {
    kind,
    tableName: request.TableName,
    data: checkRequest(OPERATION_OF[kind], { ...request }, store),
    wantsOld,
  };
}

/** Runs the actions, each on its own, as no two may touch one item; what they wrote is put together only if all succeed. */
function stageTransaction(database: Database, actions: readonly TransactAction[]): Staging {
  const together = stageWrites(database);
  const seen = new Set<string>();
  const reasons = actions.map((action): CancellationReason => {
    const staging = stageWrites(database);
    try {
      checkDistinct(database, action, seen);
      runActionNow(OPERATION_OF[action.kind], staging.store, action.data);
      if (action.kind === 'Update') checkUpdated(staging);
    } catch (thrown) {
      return reasonOf(toServiceError(thrown), action, staging);
    }
    if (action.kind !== 'ConditionCheck') {
      together.items.push(...staging.items);
      together.writes.push(...staging.writes);
    }
    return { Code: 'None' };
  });
  if (reasons.some((reason) => reason.Code !== 'None')) throw cancelled(reasons);
  const bytes = together.items.reduce((sum, { after }) => sum + (after === undefined ? 0 : itemBytes(after.item)), 0);
  if (bytes > MAX_BYTES) throw validationError('Collection size of items in the transaction cannot exceed 4 MB');
  return together;
}

function checkDistinct({ tables }: Database, action: TransactAction, seen: Set<string>): void {
  const name = `${action.tableName}~${storeKey(action.data, tables.get(action.tableName))}`;
  if (seen.has(name)) throw duplicate;
  seen.add(name);
}

const duplicate = validationError('Transaction request cannot include multiple operations on one item');

/** The reason of one action's failure; what is wrong with the whole request is thrown. */
function reasonOf(error: ServiceError, action: TransactAction, staging: Staging): CancellationReason {
  if (error === duplicate) throw error;
  switch (exceptionName(error)) {
    case 'ConditionalCheckFailedException': {
      const old = action.wantsOld ? staging.reads[0]?.item : undefined;
      return { Code: 'ConditionalCheckFailed', Message: error.message, ...(old === undefined ? {} : { Item: old }) };
    }
    case 'ValidationException':
      return { Code: 'ValidationError', Message: error.message };
    default:
      throw error;
  }
}

function cancelled(reasons: readonly CancellationReason[]): ServiceError {
  const codes = reasons.map((reason) => reason.Code).join(', ');
  return serviceError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}

/** TransactGetItems: all items as they were at one moment. */
export async function transactGetItems(database: Database, request: unknown): Promise<object> {
  const { TransactItems } = parseRequest(getRequest, request);
  // Read in one turn and through what is on its way, no commit can fall between two of them.
  const { store } = stageWrites(database);
  const responses = TransactItems.map(({ Get }) =>
    runActionNow('GetItem', store, checkRequest('GetItem', { ...Get }, store)),
  );
  await database.commits.settled();
  return { Responses: responses };
}

/** Forgets the tokens that are older than ten minutes. */
export async function forgetTokens({ db, commits, now }: Database): Promise<void> {
  const entries = await all(db.iterator({ ...within(TOKEN_PREFIX), valueEncoding: 'utf8' }));
  const old = entries.filter(([, text]) => now() - (JSON.parse(text) as { atMs: number }).atMs > TOKEN_LIFE_MS);
  if (old.length > 0) await commits.submit(old.map(([key]) => del(key)));
}

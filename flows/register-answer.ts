import { setTimeout as sleep } from 'node:timers/promises';
import { GlasshouseError, messageOf } from '../core/errors.ts';
import type { Log } from './log.ts';
import type { RegisterParts } from './register-table.ts';
import { registerTable } from './register-table.ts';
import { registrarProperties } from './register-request.ts';

/** What CloudFormation asks of a custom resource. */
export interface ResourceRequest {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  /** Absent from a request to create. */
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: unknown;
}

/** What CloudFormation is answered. */
export interface ResourceAnswer {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason: string;
  readonly PhysicalResourceId: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly Data: Readonly<Record<string, string>>;
}

/** Gives CloudFormation its answer, at the URL that it waits at. A repetition says the same again. */
export interface ResourceAnswers {
  send(url: string, answer: ResourceAnswer): Promise<void>;
}

export interface RegistrarParts {
  readonly mirror: string;
  readonly register: RegisterParts;
  readonly answers: ResourceAnswers;
  readonly log: Log;
}

/** Kept of the function's time for the answer itself. */
const ANSWER_MARGIN_MS = 10_000;

/**
 * Answers a custom resource of the mirror: registers what it asks for and says how that went. It always answers, also
 * shortly before the function's time is over: CloudFormation would wait an hour for an answer that does not come.
 * A request to delete deletes nothing: tables and schemas are the user's data. Throws only where the answer cannot be sent.
 */
export async function answerRegistration(
  request: ResourceRequest,
  parts: RegistrarParts,
  remainingMs: number,
): Promise<ResourceAnswer> {
  const outcome = await outcomeOf(request, parts, Math.max(0, remainingMs - ANSWER_MARGIN_MS));
  const answer = resourceAnswer(request, parts.mirror, outcome);
  await parts.answers.send(request.ResponseURL, answer);
  return answer;
}

type Outcome =
  | { readonly status: 'SUCCESS'; readonly data: Readonly<Record<string, string>> }
  | { readonly status: 'FAILED'; readonly reason: string };

async function outcomeOf(request: ResourceRequest, parts: RegistrarParts, timeMs: number): Promise<Outcome> {
  if (request.RequestType === 'Delete') return { status: 'SUCCESS', data: {} };
  const abort = new AbortController();
  const work = registered(request.ResourceProperties, parts);
  // Ended with the work; a timer that is left would keep the function awake.
  const late = sleep(timeMs, tooLate(timeMs), { signal: abort.signal }).catch(() => tooLate(timeMs));
  try {
    return await Promise.race([work, late]);
  } finally {
    abort.abort();
  }
}

async function registered(properties: unknown, { register, log }: RegistrarParts): Promise<Outcome> {
  try {
    const wanted = registrarProperties(properties);
    const schema = await registerTable(wanted, register);
    log.info('Registered a table', { part: wanted.part, table: wanted.table, schema: schema.version });
    return {
      status: 'SUCCESS',
      data: { schemaVersion: String(schema.version), columns: String(schema.columns.length) },
    };
  } catch (thrown) {
    log.error('A table could not be registered', thrown);
    return { status: 'FAILED', reason: reasonOf(thrown) };
  }
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof GlasshouseError) return thrown.message;
  return `Something went wrong that nobody foresaw (${messageOf(thrown)}). See the registrar's log, and deploy again.`;
}

function tooLate(timeMs: number): Outcome {
  const reason =
    `The table was not registered within ${Math.round(timeMs / 1000)} s. What was done is kept: deploy again, and it goes on from ` +
    'there. Where it is late again, see the log of the registrar function for what it waited for.';
  return { status: 'FAILED', reason };
}

/** CloudFormation refuses an answer that is larger. */
const LARGEST_ANSWER_BYTES = 4_096;

/**
 * The answer to a request. The physical id follows from what is asked for, so that no update ever looks like a replacement;
 * a request to delete gets its own back. A reason that is too long is cut.
 */
export function resourceAnswer(request: ResourceRequest, mirror: string, outcome: Outcome): ResourceAnswer {
  const answer = {
    Status: outcome.status,
    Reason: outcome.status === 'FAILED' ? outcome.reason : 'Done.',
    PhysicalResourceId: physicalId(request, mirror),
    StackId: request.StackId,
    RequestId: request.RequestId,
    LogicalResourceId: request.LogicalResourceId,
    Data: outcome.status === 'FAILED' ? {} : outcome.data,
  };
  const excess = answerBytes(answer) - LARGEST_ANSWER_BYTES;
  return excess <= 0 ? answer : { ...answer, Reason: withoutBytes(answer.Reason, excess) };
}

function answerBytes(answer: ResourceAnswer): number {
  return Buffer.byteLength(JSON.stringify(answer));
}

const CUT = '…';

/** A text whose JSON is shorter by at least so many bytes, whole characters left. */
function withoutBytes(text: string, bytes: number): string {
  const characters = Array.from(text);
  let saved = 0;
  while (saved < bytes + Buffer.byteLength(CUT) && characters.length > 0) {
    saved += Buffer.byteLength(JSON.stringify(characters.pop())) - 2;
  }
  return characters.join('') + CUT;
}

function physicalId(request: ResourceRequest, mirror: string): string {
  if (request.RequestType === 'Delete' && request.PhysicalResourceId !== undefined) return request.PhysicalResourceId;
  const properties = request.ResourceProperties as { readonly table?: unknown; readonly part?: unknown } | null;
  const { table, part } = properties ?? {};
  // Where the properties cannot be read, the id must be stable all the same.
  if (typeof table !== 'string' || typeof part !== 'string') {
    return request.PhysicalResourceId ?? `${mirror}/${request.LogicalResourceId}`;
  }
  return `${mirror}/${table}/${part}`;
}

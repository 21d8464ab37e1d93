import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import * as zlib from 'node:zlib';
import { type Database } from './database.ts';
import { JsonText } from './json-text.ts';
import { OPERATIONS } from './operations.ts';
import { ServiceError, toServiceError, validationError } from './service-error.ts';

const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/** Answers one HTTP request as DynamoDB does. It takes any credentials, and none. */
export async function answer(database: Database, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    sendText(response, 200, 'healthy: dynamodb on this machine', 'text/plain');
    return;
  }
  try {
    const body = await readBody(request);
    const result = await perform(database, request, body);
    sendText(response, 200, result instanceof JsonText ? result.text : JSON.stringify(result));
  } catch (thrown) {
    const error = toServiceError(thrown);
    sendText(response, error.statusCode, JSON.stringify(error.body));
  }
}

async function perform(database: Database, request: IncomingMessage, body: string): Promise<object> {
  const operation = OPERATIONS.get(String(request.headers['x-amz-target']));
  if (operation === undefined) {
    throw new ServiceError(400, {
      __type: 'com.amazon.coral.service#UnknownOperationException',
      message: `The embedded DynamoDB has no operation ${String(request.headers['x-amz-target'])}.`,
    });
  }
  // An attribute of this name would be lost without a word in dynalite, which copies members by assignment.
  if (/"__proto__"\s*:/.test(body)) {
    throw validationError('The embedded DynamoDB cannot hold an attribute that is named __proto__.');
  }
  return operation(database, parseBody(body));
}

function parseBody(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below, as for any other body that is no object.
  }
  throw new ServiceError(400, {
    __type: 'com.amazon.coral.service#SerializationException',
    message: 'The request body is not a JSON object.',
  });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Read to its end even when it is too long: a client that is cut off while it writes does not see the answer.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_REQUEST_BYTES) {
    throw new ServiceError(413, {
      __type: 'com.amazon.coral.service#RequestEntityTooLargeException',
      message: `A request may not be larger than ${MAX_REQUEST_BYTES} bytes.`,
    });
  }
  return Buffer.concat(chunks).toString();
}

function sendText(response: ServerResponse, status: number, text: string, type = 'application/x-amz-json-1.0'): void {
  const body = Buffer.from(text);
  response.writeHead(status, {
    'content-type': type,
    'content-length': body.length,
    'x-amzn-requestid': randomUUID(),
    'x-amz-crc32': zlib.crc32(body),
  });
  response.end(body);
}

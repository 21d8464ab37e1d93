/** An error as a DynamoDB client gets it: an HTTP status, and a body whose `__type` names the exception. */
export class ServiceError extends Error {
  readonly statusCode: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(statusCode: number, body: Readonly<Record<string, unknown>>, options?: { cause?: unknown }) {
    super(String(body.message ?? body.__type), options);
    this.name = 'ServiceError';
    this.statusCode = statusCode;
    this.body = body;
  }
}

/** An exception of DynamoDB's or its Streams' own model, such as `ResourceNotFoundException`. */
export function serviceError(
  exception: string,
  message: string,
  members: Readonly<Record<string, unknown>> = {},
): ServiceError {
  return new ServiceError(400, { __type: `com.amazonaws.dynamodb.v20120810#${exception}`, message, ...members });
}

/** A request that the service would not take. */
export function validationError(message: string): ServiceError {
  return new ServiceError(400, { __type: 'com.amazon.coral.validate#ValidationException', message });
}

/** Whatever was thrown, as a `ServiceError`: what nobody foresaw is an internal error, which clients retry. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  // dynalite throws plain errors that carry the same two members.
  const { statusCode, body } = thrown as { statusCode?: unknown; body?: unknown };
  if (typeof statusCode === 'number' && typeof body === 'object' && body !== null) {
    return new ServiceError(statusCode, body as Record<string, unknown>, { cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ServiceError(
    500,
    { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError', message },
    { cause: thrown },
  );
}

/** The name of the exception, without the namespace before it. */
export function exceptionName(error: ServiceError): string {
  return String(error.body.__type).split('#').at(-1) ?? '';
}

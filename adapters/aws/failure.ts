import { GlasshouseError, messageOf } from '../../core/errors.ts';

/** What a failed call to AWS (or to an endpoint that speaks as AWS does) means for the caller. */
export type FailureKind =
  | 'throttled' // the service asks for less: try again, for as long as it takes
  | 'unreachable' // nobody answered, or the service failed: try again, but not for ever
  | 'expired' // a shard iterator is too old: get a new one
  | 'refused' // the request is not valid, as an iterator that a restarted endpoint does not know
  | 'trimmed' // the stream no longer holds what was asked for
  | 'missing' // the table, stream or shard does not exist
  | 'unauthorised' // no credentials, or not allowed
  | 'unknown'; // nobody has classified it: halts, since a retry that nobody designed can corrupt in silence

const KIND_BY_NAME: ReadonlyMap<string, FailureKind> = new Map(
  Object.entries<FailureKind>({
    LimitExceededException: 'throttled',
    ProvisionedThroughputExceededException: 'throttled',
    ThrottlingException: 'throttled',
    Throttling: 'throttled',
    ThrottledException: 'throttled',
    RequestLimitExceeded: 'throttled',
    RequestThrottledException: 'throttled',
    RequestThrottled: 'throttled',
    KmsThrottled: 'throttled',
    TooManyRequestsException: 'throttled',
    SlowDown: 'throttled',
    InternalServerError: 'unreachable',
    InternalFailure: 'unreachable',
    InternalServerException: 'unreachable',
    InternalServiceException: 'unreachable',
    OperationTimeoutException: 'unreachable',
    ServiceUnavailable: 'unreachable',
    ServiceUnavailableException: 'unreachable',
    TimeoutError: 'unreachable',
    RequestTimeout: 'unreachable',
    RequestTimeoutException: 'unreachable',
    ECONNREFUSED: 'unreachable',
    ECONNRESET: 'unreachable',
    ECONNABORTED: 'unreachable',
    EHOSTUNREACH: 'unreachable',
    ENETUNREACH: 'unreachable',
    ENETDOWN: 'unreachable',
    ENOTFOUND: 'unreachable',
    EAI_AGAIN: 'unreachable',
    EPIPE: 'unreachable',
    ETIMEDOUT: 'unreachable',
    ERR_STREAM_PREMATURE_CLOSE: 'unreachable',
    UND_ERR_SOCKET: 'unreachable',
    // An answer that ends in mid-JSON is a connection that broke: the SDK throws the first for it, we the second.
    SyntaxError: 'unreachable',
    TruncatedPageError: 'unreachable',
    ExpiredIteratorException: 'expired',
    ValidationException: 'refused',
    TrimmedDataAccessException: 'trimmed',
    ResourceNotFoundException: 'missing',
    EntityNotFoundException: 'missing',
    AccessDenied: 'unauthorised',
    AccessDeniedException: 'unauthorised',
    UnrecognizedClientException: 'unauthorised',
    InvalidSignatureException: 'unauthorised',
    IncompleteSignatureException: 'unauthorised',
    MissingAuthenticationTokenException: 'unauthorised',
    MissingAuthenticationToken: 'unauthorised',
    ExpiredTokenException: 'unauthorised',
    ExpiredToken: 'unauthorised',
    InvalidClientTokenId: 'unauthorised',
    CredentialsProviderError: 'unauthorised',
    TokenProviderError: 'unauthorised',
  }),
);

/** Classifies what an SDK call threw, by the error's name, its system code and the HTTP status. Our own errors say for themselves what they are. */
export function failureKind(thrown: unknown): FailureKind {
  if (thrown instanceof GlasshouseError) return 'unknown';
  for (const named of namesOf(thrown)) {
    const kind = KIND_BY_NAME.get(named);
    if (kind !== undefined) return kind;
  }
  const status = httpStatusOf(thrown);
  if (status === 429) return 'throttled';
  if (status !== null && status >= 500) return 'unreachable';
  if (thrown instanceof Error && thrown.message.includes('socket hang up')) return 'unreachable';
  return 'unknown';
}

/**
 * The error that a user meets when a call to AWS failed for good. `what` is what was being done, in words that follow
 * "Could not": `describe table orders`. A GlasshouseError passes through unchanged.
 */
export function explainFailure(thrown: unknown, what: string): GlasshouseError {
  if (thrown instanceof GlasshouseError) return thrown;
  const detail = messageOf(thrown);
  if (thrown instanceof Error && /region is missing/i.test(thrown.message)) {
    return new GlasshouseError(
      'config',
      `Could not ${what}: no AWS region is set. Set AWS_REGION, or give the source a region.`,
      { cause: thrown },
    );
  }
  const [name] = namesOf(thrown);
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return new GlasshouseError(
      'config',
      `Could not ${what}: no AWS credentials were found (${detail}). Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and ` +
        'AWS_SECRET_ACCESS_KEY; for an endpoint on this machine, give the source an endpoint and no credentials are needed.',
      { cause: thrown },
    );
  }
  const remedy: Readonly<Record<FailureKind, string>> = {
    throttled: 'The service asks for fewer requests; try again later.',
    unreachable: 'Check that the endpoint is right and running, then start again: nothing that was delivered is lost.',
    expired: 'Start again.',
    refused: 'Check the endpoint and the names in the configuration.',
    trimmed: 'Changes may have been missed; resync into a new folder.',
    missing: 'Check the name, the region and the endpoint.',
    unauthorised: 'Check the credentials, and that they allow this call.',
    unknown: 'Start again if this looks transient; nothing that was delivered is lost.',
  };
  return new GlasshouseError(
    'unavailable',
    `Could not ${what}: ${name ?? 'Error'}: ${detail}. ${remedy[failureKind(thrown)]}`,
    {
      cause: thrown,
    },
  );
}

/** The name and the system code of an error and of what caused it, outermost first. */
function namesOf(thrown: unknown): string[] {
  const names: string[] = [];
  // Two causes deep is as far as the SDK and node nest them.
  for (let error = thrown, depth = 0; error instanceof Error && depth < 3; error = error.cause, depth++) {
    const code: unknown = 'code' in error ? error.code : undefined;
    names.push(error.name);
    if (typeof code === 'string') names.push(code);
    // Node reports a failed dual-stack connection as one error that holds the others.
    if (error instanceof AggregateError) names.push(...error.errors.flatMap(namesOf));
  }
  return names;
}

function httpStatusOf(thrown: unknown): number | null {
  if (!(thrown instanceof Error) || !('$metadata' in thrown)) return null;
  const metadata = thrown.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return null;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : null;
}

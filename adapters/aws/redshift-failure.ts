import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { explainFailure, failureKind } from './failure.ts';

/** Names that the Data API has for what passes by itself. */
const BUSY: ReadonlySet<string> = new Set([
  'ActiveStatementsExceededException',
  'ActiveSessionsExceededException',
  'ActiveWaitingRequestsExceededException',
]);
const AWAY: ReadonlySet<string> = new Set([
  'DatabaseConnectionException',
  'ExecuteStatementException',
  'BatchExecuteStatementException',
  'QueryTimeoutException',
]);
/** What it says, as an error of validation, of a warehouse that will be there again. */
const BETWEEN_STATES = /paus|resum|resiz|not available|in progress|currently/i;

/** Whether a call may be made again as it is. */
export function isPassing(thrown: unknown): boolean {
  return isBusy(thrown) || isAway(thrown);
}

/** Whether the Data API says that it knows no such statement: it forgets them after a day. */
export function isForgotten(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || 'code' in thrown) return false;
  return (
    (thrown.name === 'ResourceNotFoundException' || thrown.name === 'ValidationException') &&
    /statement|query/i.test(thrown.message) &&
    /not (?:be )?(?:found|exist)|does ?n.t exist|invalid (?:statement|query)? ?id/i.test(thrown.message)
  );
}

/** The error of a call that failed for good. `what` follows "Could not". A GlasshouseError passes through unchanged. */
export function explainRedshiftFailure(thrown: unknown, what: string, warehouse: string): GlasshouseError {
  if (thrown instanceof GlasshouseError) return thrown;
  const detail = messageOf(thrown);
  if (isBusy(thrown)) {
    const message = `Could not ${what}: ${warehouse} has as many statements under way as it takes (${detail}). Try again later.`;
    return new GlasshouseError('throttled', message, { cause: thrown });
  }
  if (isAway(thrown)) {
    const message = `Could not ${what}: ${warehouse} cannot be reached now (${detail}). See that it is not paused, and try again.`;
    return new GlasshouseError('unavailable', message, { cause: thrown });
  }
  const kind = failureKind(thrown);
  if (kind === 'refused' || kind === 'missing') {
    const message =
      `Could not ${what}: ${detail}. Check the name of ${warehouse}, its database and who loads ` +
      '(aws.redshift in the configuration), and deploy again.';
    return new GlasshouseError('config', message, { cause: thrown });
  }
  if (kind === 'unauthorised') {
    const message =
      `Could not ${what}: AWS does not allow it: ${detail}. \`cdk deploy\` gives the functions what they need; ` +
      'where a policy of the organisation or the secret’s key denies it, allow it there.';
    return new GlasshouseError('config', message, { cause: thrown });
  }
  return explainFailure(thrown, what);
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && BUSY.has(thrown.name);
}

function isAway(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  return AWAY.has(thrown.name) || (thrown.name === 'ValidationException' && BETWEEN_STATES.test(thrown.message));
}

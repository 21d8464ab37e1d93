import { GlasshouseError, messageOf } from '../../core/errors.ts';
import { explainFailure, failureKind } from './failure.ts';

/** Who calls Glue, in words for a message: `the role of the function glasshouse-shop-registrar`. */
export type Caller = string;

/** Whether an error of the SDK has one of these names. */
export function isNamed(thrown: unknown, ...names: readonly string[]): boolean {
  return thrown instanceof Error && names.includes(thrown.name);
}

/** Whether another writer was faster. */
export function isOvertaken(thrown: unknown): boolean {
  return isNamed(thrown, 'ConcurrentModificationException', 'VersionMismatchException');
}

/** Whether a call was refused by Lake Formation rather than by IAM. */
export function isLakeFormationRefusal(thrown: unknown): boolean {
  return failureKind(thrown) === 'unauthorised' && /lake ?formation/i.test(messageOf(thrown));
}

/**
 * The error that a user meets when a call to Glue failed for good. `what` follows "Could not". A GlasshouseError passes
 * through unchanged.
 */
export function explainGlueFailure(thrown: unknown, what: string, caller: Caller): GlasshouseError {
  if (thrown instanceof GlasshouseError) return thrown;
  const detail = messageOf(thrown);
  if (isLakeFormationRefusal(thrown)) return lakeFormationError(thrown, what, caller);
  if (failureKind(thrown) === 'unauthorised') {
    const message =
      `Could not ${what}: AWS does not allow it to ${caller}: ${detail}. \`cdk deploy\` gives that role what it needs; ` +
      'where a policy of the organisation, a permissions boundary or a resource policy of the catalog denies it, allow it there.';
    return new GlasshouseError('config', message, { cause: thrown });
  }
  if (isOvertaken(thrown)) {
    const message = `Could not ${what}: another writer changed it at the same time (${detail}). Try again.`;
    return new GlasshouseError('conflict', message, { cause: thrown });
  }
  const remedy = isNamed(thrown, 'ResourceNumberLimitExceededException')
    ? 'Ask for a higher quota of AWS Glue in Service Quotas, and deploy again.'
    : isNamed(thrown, 'GlueEncryptionException')
      ? `The catalog is encrypted: allow ${caller} to use its KMS key (kms:Decrypt, kms:GenerateDataKey), and deploy again.`
      : isNamed(thrown, 'EntityNotFoundException')
        ? 'Check that the Glue database of aws.lakehouse.database is there, and deploy again.'
        : null;
  if (remedy === null) return explainFailure(thrown, what);
  return new GlasshouseError('config', `Could not ${what}: ${detail}. ${remedy}`, { cause: thrown });
}

function lakeFormationError(thrown: unknown, what: string, caller: Caller): GlasshouseError {
  const message =
    `Could not ${what}: Lake Formation governs the catalog and has not granted this to ${caller}: ${messageOf(thrown)}. ` +
    'Set aws.lakehouse.lakeFormation: true in the configuration and deploy again, as a principal that may grant: the mirror then ' +
    'makes its own grants. Or grant the permission that is named here with `aws lakeformation grant-permissions`. Grants made a ' +
    'moment ago can take a minute: deploy again.';
  return new GlasshouseError('config', message, { cause: thrown });
}

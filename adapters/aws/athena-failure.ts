import type { QueryExecutionStatus } from '@aws-sdk/client-athena';
import type { ErrorCode } from '../../core/errors.ts';
import { GlasshouseError } from '../../core/errors.ts';

const LONGEST_REASON = 1_000;

/** What a reason of Athena's means, by what its text has; the first that fits. */
const KNOWN: readonly { readonly has: RegExp; readonly code: ErrorCode; readonly remedy: string }[] = [
  {
    has: /ICEBERG_COMMIT_ERROR|ConcurrentModification|conflicting files|Metadata location .* is not same/i,
    code: 'conflict',
    remedy: 'Another writer committed to the table first. Run it again.',
  },
  {
    has: /bytes scanned limit/i,
    code: 'config',
    remedy:
      'The statement would read more than the workgroup allows. Raise aws.lakehouse.queryLimitGb and deploy again, if that is meant.',
  },
  {
    has: /lake ?formation|insufficient permissions? to execute/i,
    code: 'config',
    remedy:
      'Lake Formation governs the catalog and has not granted what the statement needs. Set aws.lakehouse.lakeFormation: true and deploy again, or grant it with `aws lakeformation grant-permissions`.',
  },
  {
    has: /access ?denied|not authorized|PERMISSION_DENIED/i,
    code: 'config',
    remedy: 'Give whoever runs it what the reason names: `cdk deploy` does so for the mirror’s functions.',
  },
];

/** The error of a statement that Athena ended without success. The reason is Athena's, shortened. */
export function statementFailure(status: QueryExecutionStatus, sql: string, queryId: string): GlasshouseError {
  const reason = (status.StateChangeReason ?? status.AthenaError?.ErrorMessage ?? 'no reason given').slice(
    0,
    LONGEST_REASON,
  );
  const known = KNOWN.find(({ has }) => has.test(reason));
  const ended = status.State === 'CANCELLED' ? 'cancelled' : 'failed';
  const remedy = known?.remedy ?? `See the query ${queryId} in the Athena console, and try again.`;
  return new GlasshouseError(
    known?.code ?? 'unavailable',
    `Athena ${ended} the statement ${shown(sql)} (query ${queryId}): ${reason.replace(/[.\s]*$/, '')}. ${remedy}`,
  );
}

const SHOWN_CHARACTERS = 60;

/** The beginning of a statement, on one line: enough to know it, and no literals from its middle. */
export function shown(sql: string): string {
  const line = sql.replaceAll(/\s+/g, ' ').trim();
  return JSON.stringify(line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line);
}

import { maintainDeployed } from '../../../deployed/maintain.ts';
import type { World } from '../world.ts';
import { failedBatchCheck } from './broken-capture.ts';
import type { Check, Verdict } from './check.ts';
import { byHand, disturbs, holds, looks, open } from './check.ts';
import { byDoctor, byRows } from './seen.ts';

const ERROR_OBJECTS =
  'run with --keep; drop the table order__changes in Athena, write a row, and after two hours (the retries of Firehose) copy the objects below errors/order/ of the lake’s bucket to test/core/firehose-errors.test.ts as samples.';

export const OPERATIONS_CHECKS = {
  'iceberg-error-objects': byHand(ERROR_OBJECTS),
  'iceberg-error-paths': byHand(
    'as iceberg-error-objects, with commits that are lost: have Athena commit to order__changes in a loop for two hours while rows are written.',
  ),
  'lambda-failed-batch-object': disturbs(failedBatchCheck),
  'maintain-names': looks(maintained),
  'super-keeps-order': byRows('warehouse', ['document-20k', 'document-100k']),
  'data-api-doubles': byRows('warehouse', ['doubles', 'small-doubles']),
  'from-varbyte-base64': byRows('warehouse', ['binary-300']),
  'catalog-default-permissions': byHand(
    'needs the right to change the settings of Lake Formation: run `glasshouse doctor` before and after "Use only IAM access control for new databases" is turned off there; it warns after.',
  ),
  'firehose-quota-name': byDoctor('Firehose streams'),
  'cost-estimate': byHand(
    'run a mirror at 10 changes a second for a day, and compare the bill by usage type, filtered by the tag glasshouse:mirror, with `glasshouse cost --json`.',
  ),
  'unit-prices': byHand(
    'compare core/cost/prices.ts, where it says `seen second-hand`, with `aws pricing get-products` for us-east-1.',
  ),
} as const satisfies Readonly<Record<string, Check>>;

async function maintained({ mirror, deployment, signal }: World): Promise<Verdict> {
  if (deployment.lakehouse === null) return open('This mirror has no lakehouse.');
  const place = { mirror: null, region: deployment.region, signal, log: (): void => undefined };
  const { statements } = await maintainDeployed(mirror, { ...place, dryRun: false });
  return holds(`Athena ran ${statements.map(({ sql }) => sql).join('; ')}.`);
}

import type { Environment, RedshiftAddress } from '../core/contract.ts';
import { REDSHIFT_RPU_HOUR_USD } from '../core/cost/prices.ts';
import { wholeNumberOf } from '../core/environment.ts';
import { GlasshouseError } from '../core/errors.ts';
import { parseRedshiftAddress } from '../core/redshift-address.ts';
import { redshiftEnvelopes } from '../core/sql/plans/envelope-load.ts';
import type { LoaderSettings } from './load-tables.ts';

/**
 * How the load function is set, and where its Redshift is.
 * @throws GlasshouseError `config` for a variable that cannot be read.
 */
export function loadSettings(env: Environment<'load'>): {
  readonly settings: LoaderSettings;
  readonly address: RedshiftAddress;
} {
  const address = parseRedshiftAddress(env.REDSHIFT);
  const { baseCapacity } = address;
  const settings = {
    mirror: env.MIRROR,
    viewSchema: env.VIEW_SCHEMA,
    sql: redshiftEnvelopes(env.COPY_ROLE_ARN),
    objectiveSeconds: wholeNumberOf('OBJECTIVE_SECONDS', env.OBJECTIVE_SECONDS, 1),
    dailyBudgetUsd: dollarsOf('DAILY_BUDGET_USD', env.DAILY_BUDGET_USD),
    serverless: baseCapacity === null ? null : { baseCapacity, rpuHourUsd: REDSHIFT_RPU_HOUR_USD },
  };
  return { settings, address };
}

function dollarsOf(name: string, value: string): number {
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new GlasshouseError(
    'config',
    `The environment variable ${name} is ${JSON.stringify(value)}, not a sum in dollars. Deploy the mirror again with \`cdk deploy\`, which sets it.`,
  );
}

import type { Environment, FunctionRole } from './contract.ts';
import { ENVIRONMENT } from './contract.ts';
import { GlasshouseError } from './errors.ts';

/** The variables that may be empty: what they name is not there in every mirror. */
const MAY_BE_EMPTY: Readonly<Record<FunctionRole, readonly string[]>> = {
  capture: ['LAKEHOUSE_STREAM', 'WAREHOUSE_STREAM'],
  registrar: ['DATABASE', 'LAKE_BUCKET', 'WORKGROUP', 'OPTIMIZER_ROLE_ARN', 'SNAPSHOT_DAYS'],
  merge: [],
  load: [],
  redrive: ['LAKE_BUCKET', 'STAGING_BUCKET', 'QUEUE_URL', 'DEAD_LETTER_URL'],
};

/**
 * What a function of this role reads from its environment: each of its variables, and no other.
 * @throws GlasshouseError `config` that names every variable that is missing.
 */
export function readEnvironment<Role extends FunctionRole>(
  role: Role,
  env: Readonly<Record<string, string | undefined>>,
): Environment<Role> {
  const names: readonly string[] = ENVIRONMENT[role];
  const missing = names.filter((name) => {
    const value = env[name];
    return value === undefined || (value === '' && !MAY_BE_EMPTY[role].includes(name));
  });
  if (missing.length > 0) {
    throw new GlasshouseError(
      'config',
      `The ${role} function lacks the environment ${missing.length === 1 ? 'variable' : 'variables'} ${missing.join(', ')}. ` +
        'Deploy the mirror again with `cdk deploy`, which sets them.',
    );
  }
  return Object.fromEntries(names.map((name) => [name, env[name] ?? ''])) as Environment<Role>;
}

/**
 * A variable that holds a whole number of at least `least`.
 * @throws GlasshouseError `config` where it does not.
 */
export function wholeNumberOf(name: string, value: string, least = 0): number {
  const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (number >= least) return number;
  throw new GlasshouseError(
    'config',
    `The environment variable ${name} is ${JSON.stringify(value)}, not a whole number of at least ${least}. ` +
      'Deploy the mirror again with `cdk deploy`, which sets it.',
  );
}

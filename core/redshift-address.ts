import type { RedshiftAddress } from './contract.ts';
import { GlasshouseError } from './errors.ts';

/** What AWS gives a workgroup that nobody said more about. Where the capacity is not known, costs are estimated with it. */
const DEFAULT_BASE_CAPACITY = 128;

/**
 * The address as the environment has it.
 * @throws GlasshouseError `config` where it is none.
 */
export function parseRedshiftAddress(text: string): RedshiftAddress {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw malformed(text, cause);
  }
  const address = parsed as Partial<RedshiftAddress> | null;
  const { workgroup = null, cluster = null, database } = address ?? {};
  if (typeof database !== 'string' || (workgroup === null) === (cluster === null)) throw malformed(text);
  return {
    workgroup,
    cluster,
    database,
    secretArn: address?.secretArn ?? null,
    dbUser: address?.dbUser ?? null,
    baseCapacity: workgroup === null ? null : (address?.baseCapacity ?? DEFAULT_BASE_CAPACITY),
  };
}

function malformed(text: string, cause?: unknown): GlasshouseError {
  return new GlasshouseError(
    'config',
    `The environment variable REDSHIFT is ${text.slice(0, 200)}, and names no workgroup or cluster with its database. ` +
      'Deploy the mirror again with `cdk deploy`, which sets it.',
    { cause },
  );
}
